"""``diff``: what is different between two scans or days, asset by asset.

Both sides come from the database in the order of the assets' ids and are laid side by side; what is equal is
passed over at once. So any number of assets needs little memory: what stays is a line for each 256 addresses
that were visited, and one for each identity.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from scanner.inventory.history.changes import Change, Kind
from scanner.inventory.history.looks import Looks
from scanner.inventory.history.states import known_after, seen_in
from scanner.inventory.history.telling import Difference, Telling
from scanner.inventory.history.weighing import Weighing
from scanner.inventory.rows import Filters
from scanner.inventory.scans import IMPORTED
from scanner.inventory.tables import SCANS
from scanner.inventory.transactions import reading

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sqlalchemy.engine import Connection

    from scanner.inventory.history.sides import Side
    from scanner.inventory.history.states import State
    from scanner.inventory.history.weighing import Home
    from scanner.inventory.store import Inventory
    from scanner.model import Release

_AT_ONCE: Final = 500
"""Assets whose names are looked up in one statement."""
_STREAMED: Final = 5000


def changes_between(
    inventory: Inventory,
    before: Side,
    after: Side,
    filters: Filters | None = None,
    *,
    releases: Mapping[str, Release] | None = None,
) -> Iterator[Change]:
    """Everything that is different, in the order of the assets' ids, in one read transaction.

    On a day, what was known stands until somebody looked at its address and found nothing: only then it is
    gone. What only an import told of is never gone on a day: it may be a machine that answers nobody.

    Args:
        inventory: the inventory, open for as long as this is iterated.
        before: one side.
        after: the other one; it may be the earlier one.
        filters: of which sites and wards, before or after; its other conditions do not count.
        releases: today's releases, by id; the packaged ones otherwise.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    filters = filters or Filters()
    with reading(inventory) as connection:
        comparison = _Comparison(connection, before, after, releases)
        found = (each for each in comparison.differences() if comparison.is_wanted(each, filters))
        telling = Telling(connection, before, comparison.weighing, comparison.sites)
        while batch := list(islice(found, _AT_ONCE)):
            yield from telling.told(batch)


class _Comparison:
    """Two sides in one read transaction."""

    def __init__(
        self, connection: Connection, before: Side, after: Side, releases: Mapping[str, Release] | None
    ) -> None:
        self._connection = connection
        self._sides = before, after
        self._looks = Looks(connection, before), Looks(connection, after)
        self.weighing = Weighing(connection, before, after, releases)
        scans = connection.execute(select(SCANS.c.id, SCANS.c.site_id, SCANS.c.profile)).all()
        self.sites = {row.id: row.site_id for row in scans}
        self._imports = {row.id for row in scans if row.profile == IMPORTED}
        self._newest = max(self.sites, default=0)

    def differences(self) -> Iterator[Difference]:
        """Those of all sites, by asset."""
        streams = (self._stream(side) for side in self._sides)
        scans = bool(self._sides[0].scans and self._sides[1].scans)
        for asset, *both in _paired(*streams):
            old, new = both if scans else map(self._standing, (0, 1), both)
            if old is not None and new is not None:
                kinds, looked = self._moved(old, new), True
            else:
                kinds, looked = self._came_or_went(both, old, new)
            if kinds:
                yield Difference(asset, kinds, old, new, looked)

    def _stream(self, side: Side) -> Iterator[State]:
        wanted = seen_in(side.scans) if side.scans else known_after(side.last, self._newest)
        rows = self._connection.execute(wanted.execution_options(yield_per=_STREAMED))
        for part in rows.partitions():
            yield from map(tuple, part)

    def _home(self, state: State) -> Home:
        return self.sites[state[1]], state[3]

    def _standing(self, side: int, state: State | None) -> State | None:
        """The state, unless on that day somebody had looked there since, and found nothing."""
        if state is None or self._sides[side].scans or state[1] in self._imports:
            return state
        return None if self._looks[side].last(self.sites[state[1]], state[2]) > state[1] else state

    def _moved(self, old: State, new: State) -> tuple[Kind, ...]:
        if old[2:] == new[2:] and self._sides[0].day == self._sides[1].day:
            return ()
        moved = () if old[2:4] == new[2:4] else (Kind.MOVED,)
        return (*moved, *self.weighing.kinds(old[4], self._home(old), new[4], self._home(new)))

    def _came_or_went(
        self, known: Sequence[State | None], old: State | None, new: State | None
    ) -> tuple[tuple[Kind, ...], bool]:
        """What is on one side alone; and whether the other side looked for it there."""
        here = new or old
        if here is None:
            return (), True
        away = 0 if new else 1
        site = self.sites[here[1]]
        looked = known[away] is not None or bool(self._looks[away].last(site, here[2]))
        if new:
            return (Kind.NEW if known[0] is None else Kind.BACK,), looked
        return (Kind.GONE if looked or not self._sides[1].scans else Kind.UNSEEN,), looked

    def is_wanted(self, found: Difference, filters: Filters) -> bool:
        """Whether it is, or was, where somebody asks about."""
        wards = (self.weighing.wards[self._home(each)] for each in (found.before, found.after) if each)
        return any(ward.matches(filters) for ward in wards)


def _paired(
    before: Iterable[State], after: Iterable[State]
) -> Iterator[tuple[int, State | None, State | None]]:
    """Two streams in the order of their assets, side by side."""
    olds, news = iter(before), iter(after)
    old, new = next(olds, None), next(news, None)
    while old is not None or new is not None:
        if old is not None and (new is None or old[0] < new[0]):
            yield old[0], old, None
            old = next(olds, None)
        elif new is not None and (old is None or new[0] < old[0]):
            yield new[0], None, new
            new = next(news, None)
        elif old is not None:
            yield old[0], old, new
            old, new = next(olds, None), next(news, None)
