"""How two states of one asset differ: once for each pair of candidate sets, places and days."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, TypeAlias

from sqlalchemy import select

from scanner.inventory.history.changes import Kind
from scanner.inventory.tables import IDENTITIES
from scanner.inventory.verdicts import Verdicts
from scanner.inventory.wards import wards_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.engine import Connection

    from scanner.inventory.history.sides import Side
    from scanner.inventory.wards import Ward
    from scanner.model import Release, Status

Home: TypeAlias = "tuple[int, int | None]"
"""Ids of a site and of a ward in it."""
_Made: TypeAlias = "tuple[tuple[str, ...], str]"
"""Candidates, and the version of the data that made them."""

_STREAMED: Final = 5000


class Weighing:
    """Judges both sides of a diff, each on its own day."""

    def __init__(
        self, connection: Connection, before: Side, after: Side, releases: Mapping[str, Release] | None
    ) -> None:
        self.wards: dict[Home, Ward] = {ward.key: ward for ward in wards_of(connection)}
        first = Verdicts(before.day, releases)
        self.verdicts = first, Verdicts(after.day, first.releases)
        self._made: list[_Made] = []
        self._places: dict[int, int] = {}
        self._kinds: dict[tuple[int, Home, int, Home], tuple[Kind, ...]] = {}
        self._statuses: dict[tuple[int, int, Home], Status] = {}
        self._read(connection)

    def _read(self, connection: Connection) -> None:
        """Of every identity what is compared: many have the same candidates, which are kept once."""
        columns = (IDENTITIES.c.id, IDENTITIES.c.candidates, IDENTITIES.c.data_version)
        same: dict[tuple[str, str], int] = {}
        for number, candidates, version in connection.execute(
            select(*columns).execution_options(yield_per=_STREAMED)
        ):
            place = same.setdefault((candidates, version), len(self._made))
            if place == len(self._made):
                self._made.append((tuple(json.loads(candidates)), version))
            self._places[number] = place

    def candidates(self, identity: int) -> tuple[str, ...]:
        """The ids of an identity's releases."""
        return self._made[self._places[identity]][0]

    def status(self, side: int, identity: int, home: Home) -> Status:
        """What the dates say of an identity on the day of a side: 0 before, 1 after."""
        key = (side, self._places[identity], home)
        found = self._statuses.get(key)
        if found is None:
            verdicts, ward = self.verdicts[side], self.wards[home]
            releases = verdicts.releases_of(self.candidates(identity))
            found = verdicts.of(releases, verdicts.policy(ward.settings, ward.name)).status
            self._statuses[key] = found
        return found

    def kinds(self, before: int, old: Home, after: int, new: Home) -> tuple[Kind, ...]:
        """How identities differ, each where it was found; moves are the caller's business."""
        key = (self._places[before], old, self._places[after], new)
        found = self._kinds.get(key)
        if found is None:
            one, other = self._made[key[0]], self._made[key[2]]
            same = one[0] == other[0]
            self._kinds[key] = found = self._passed(before, old, new) if same else (_cause(one, other),)
        return found

    def _passed(self, identity: int, old: Home, new: Home) -> tuple[Kind, ...]:
        """Whether the days alone make another status of the same candidates, in either place."""
        one = [self.status(side, identity, old) for side in (0, 1)]
        other = [self.status(side, identity, new) for side in (0, 1)]
        passed = one[0] != other[1] and (one[0] != one[1] or other[0] != other[1])
        return (Kind.DATES_PASSED,) if passed else ()


def _cause(before: _Made, after: _Made) -> Kind:
    """Why candidates are others.

    The same data heard something else of the machine. New data narrows or widens what it made of the same
    words, or makes something of what said nothing to it: only what has nothing in common is another system.
    """
    apart = before[0] and after[0] and not set(before[0]) & set(after[0])
    return Kind.UPGRADED if apart or before[1] == after[1] else Kind.DATA_CHANGED
