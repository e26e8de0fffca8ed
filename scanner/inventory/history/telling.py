"""Differences in words: what machines are called, where they were, what they ran."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import func, select

from scanner.addresses import address_of
from scanner.inventory.history.changes import Change, Kind, Seen
from scanner.inventory.identities import from_columns
from scanner.inventory.ledger import unpacked
from scanner.inventory.rows import os_of
from scanner.inventory.tables import ASSETS, IDENTITIES, SIGHTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy.engine import Connection

    from scanner.inventory.history.sides import Side
    from scanner.inventory.history.states import State
    from scanner.inventory.history.weighing import Weighing
    from scanner.model import Identity


class Difference(NamedTuple):
    """What is to be said of an asset, before names and words are looked up."""

    asset: int
    kinds: tuple[Kind, ...]
    before: State | None
    after: State | None
    looked: bool


class Telling:
    """Looks up what a batch of differences needs."""

    def __init__(
        self, connection: Connection, before: Side, weighing: Weighing, sites: Mapping[int, int]
    ) -> None:
        """Tell in a read transaction; ``sites`` has the site of each scan."""
        self._connection = connection
        self._before = before
        self._weighing = weighing
        self._sites = sites

    def told(self, batch: Sequence[Difference]) -> Iterator[Change]:
        """The same in words."""
        assets = [each.asset for each in batch]
        named = select(ASSETS.c.id, ASSETS.c.name).where(ASSETS.c.id.in_(assets))
        names = {row.id: row.name for row in self._connection.execute(named)}
        earlier = self._known_earlier([each.asset for each in batch if Kind.NEW in each.kinds])
        states = [state for each in batch for state in (each.before, each.after) if state]
        identities = _identities(self._connection, {state[4] for state in states})
        for each in batch:
            before, after = (
                None if state is None else self._seen(side, state, identities[state[4]])
                for side, state in enumerate((each.before, each.after))
            )
            kinds = (Kind.BACK,) if each.asset in earlier else each.kinds
            yield Change(each.asset, names.get(each.asset, ""), kinds, before, after, each.looked)

    def _known_earlier(self, assets: Sequence[int]) -> set[int]:
        """Those that a scan before the first side saw; of a day, that side knew them itself."""
        first = min(self._before.scans, default=0)
        if not first or not assets:
            return set()
        by_asset = (
            select(SIGHTS.c.asset_id, func.min(SIGHTS.c.scan_id).label("first"))
            .where(SIGHTS.c.asset_id.in_(list(assets)))
            .group_by(SIGHTS.c.asset_id)
        )
        return {row.asset_id for row in self._connection.execute(by_asset) if row.first < first}

    def _seen(self, side: int, state: State, identity: Identity) -> Seen:
        home = self._sites[state[1]], state[3]
        where = self._weighing.wards[home].where
        return Seen(
            site=where.site,
            ward=where.ward,
            address=address_of(unpacked(state[2])),
            os=os_of(self._weighing.verdicts[side].candidates(identity), identity),
            certainty=identity.certainty,
            candidates=identity.candidates,
            status=self._weighing.status(side, state[4], home),
        )


def _identities(connection: Connection, wanted: set[int]) -> dict[int, Identity]:
    columns = (IDENTITIES.c[name] for name in ("id", "candidates", "certainty", "attributes"))
    rows = connection.execute(select(*columns).where(IDENTITIES.c.id.in_(wanted)))
    return {number: from_columns(known, certainty, "[]", named) for number, known, certainty, named in rows}
