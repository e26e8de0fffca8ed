"""What the inventory knows of the assets that a batch of hosts may be, and what it learns of them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Text, delete, select, tuple_, type_coerce

from scanner.inventory.identity.choosing import Choice, Question, choose
from scanner.inventory.identity.traits import ADDRESS, rules
from scanner.inventory.identity.weighing import Holders, Known, Tenure
from scanner.inventory.statements import insert_rows
from scanner.inventory.tables import ASSETS, IDENTITIES, TIES, TRAITS, UtcTime
from scanner.model import Certainty

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sqlalchemy.engine import Connection, Row

    from scanner.inventory.identity.traits import Traits
    from scanner.inventory.interning import Numbers
    from scanner.model import HostRecord

_AT_ONCE: Final = 900
"""Values in one statement."""
_LATEST: Final = 8
"""Assets that had an address last, of which something is to be known."""
_AS_STORED: Final = [
    type_coerce(column, Text).label(column.name) if isinstance(column.type, UtcTime) else column
    for column in ASSETS.c
]
"""The columns with times as text, to be compared and written back as they are."""


@dataclass(slots=True)
class Memory:
    """What is known of the assets that the hosts of one batch may be."""

    connection: Connection
    numbers: Numbers
    scan: int
    rows: dict[int, dict[str, Any]] = field(default_factory=dict)
    """Of assets: their columns, and ``candidates`` and ``certainty`` of what they are."""
    known: dict[int, Known] = field(default_factory=dict)
    holders: Holders = field(default_factory=Holders)
    apart: set[frozenset[int]] = field(default_factory=set)
    _changed: dict[tuple[int, str, int], Tenure] = field(default_factory=dict)
    _gone: list[tuple[int, str, int]] = field(default_factory=list)

    def load(self, hosts: Iterable[Traits]) -> None:
        """Read everything that has a trait of one of these hosts."""
        wanted: dict[str, dict[str, None]] = {}
        for traits in hosts:
            for kind, value in traits:
                wanted.setdefault(kind, {})[value] = None
        found = self._latest(list(wanted.pop(ADDRESS, ())))
        for kind, values in wanted.items():
            found.update(row.asset_id for row in self._holding(kind, list(values)))
        self._load_assets(sorted(found))
        split = select(TIES.c.asset_id, TIES.c.other_id).where(
            TIES.c.kind == "split", TIES.c.undone.is_(None)
        )
        self.apart = {frozenset(pair) for pair in self.connection.execute(split)}

    def _latest(self, addresses: Sequence[str]) -> set[int]:
        """Who had these addresses last: of what is lent to hundreds, the others tell nothing any more."""
        rows: dict[str, list[tuple[str, int]]] = {}
        for row in self._holding(ADDRESS, addresses):
            rows.setdefault(row.value, []).append((row.last, row.asset_id))
        return {asset for them in rows.values() for _, asset in sorted(them)[-_LATEST:]}

    def _holding(self, kind: str, values: Sequence[str]) -> Iterator[Row[Any]]:
        keys = self._key_ids(kind)
        columns = (TRAITS.c.asset_id, TRAITS.c.value, type_coerce(TRAITS.c.last, Text).label("last"))
        for part in _parts(values):
            here = (
                TRAITS.c.site_id == self.numbers.site_id,
                TRAITS.c.key_id.in_(keys),
                TRAITS.c.value.in_(part),
            )
            yield from self.connection.execute(select(*columns).where(*here))

    def _key_ids(self, kind: str) -> list[int]:
        return [self.numbers.key(self.connection, key) for key in rules().kinds[kind].keys]

    def _load_assets(self, assets: Sequence[int]) -> None:
        kinds = {self.numbers.key(self.connection, key): (key, kind) for key, kind in rules().by_key.items()}
        what = [IDENTITIES.c.candidates, IDENTITIES.c.certainty]
        columns = (TRAITS.c.asset_id, TRAITS.c.key_id, TRAITS.c.value)
        times = (type_coerce(TRAITS.c.first, Text), type_coerce(TRAITS.c.last, Text), TRAITS.c.scan_id)
        for part in _parts(assets):
            rows = select(*_AS_STORED, *what).join(IDENTITIES).where(ASSETS.c.id.in_(part))
            for row in self.connection.execute(rows).mappings():
                self.rows[row["id"]] = dict(row)
                self.known[row["id"]] = Known(row["id"])
            traits = select(*columns, *times).where(TRAITS.c.asset_id.in_(part))
            for asset, key_id, value, *tenure in self.connection.execute(traits):
                key, kind = kinds[key_id]
                self._note(asset, kind, value, Tenure(key, *tenure))

    def _note(self, asset: int, kind: str, value: str, tenure: Tenure) -> None:
        self.known[asset].kinds.setdefault(kind, {})[value] = tenure
        self.holders.add(kind, value, asset, tenure)

    def choose(self, host: HostRecord, traits: Traits) -> Choice:
        """Decide which asset a host is."""
        candidates = {
            asset for kind, value in traits for asset in self.holders.of(kind, value) if asset in self.known
        }
        known = {asset: self.known[asset] for asset in candidates}

        def agrees(asset: int) -> bool:
            return _agree(host, self.rows[asset])

        return choose(Question(host.address, self.scan, traits, known, self.holders, self.apart, agrees))

    def learn(self, asset: int, traits: Traits, first: str, last: str) -> None:
        """Note what an asset was known by, from when to when in this scan."""
        known = self.known.setdefault(asset, Known(asset))
        for (kind, value), key in traits.items():
            values = known.kinds.setdefault(kind, {})
            before = values.get(value)
            if before is None:
                tenure = Tenure(key, first, last, self.scan)
                if rules().kinds[kind].volatile:
                    self._forget(asset, kind, values)
            else:
                tenure = Tenure(before.key, min(before.first, first), max(before.last, last), self.scan)
            self._note(asset, kind, value, tenure)
            self._changed[self.numbers.key(self.connection, tenure.key), value, asset] = tenure

    def _forget(self, asset: int, kind: str, values: dict[str, Tenure]) -> None:
        for value, tenure in values.items():
            row = (self.numbers.key(self.connection, tenure.key), value, asset)
            self.holders.drop(kind, value, asset)
            self._changed.pop(row, None)
            self._gone.append(row)
        values.clear()

    def write(self) -> None:
        """Write what was learnt."""
        site, columns = self.numbers.site_id, (TRAITS.c.key_id, TRAITS.c.value, TRAITS.c.asset_id)
        for part in _parts(self._gone):
            self.connection.execute(
                delete(TRAITS).where(TRAITS.c.site_id == site, tuple_(*columns).in_(part))
            )
        values: list[object] = []
        for (key, value, asset), tenure in self._changed.items():
            values += (site, key, value, asset, tenure.first, tenure.last, tenure.scan)
        insert_rows(self.connection, TRAITS, values, replace=True)


def _agree(host: HostRecord, row: Mapping[str, Any]) -> bool:
    """Whether what a host says of its system may be of the same machine as an asset's."""
    if Certainty.HINT in {host.identity.certainty, Certainty(row["certainty"])}:
        return True
    mine, theirs = host.identity.candidates, _candidates(row["candidates"])
    return not mine or not theirs or not theirs.isdisjoint(mine)


@lru_cache(maxsize=1 << 12)
def _candidates(stored: str) -> frozenset[str]:
    return frozenset(json.loads(stored))


def _parts(values: Sequence[Any]) -> Iterable[list[Any]]:
    return (list(values[start : start + _AT_ONCE]) for start in range(0, len(values), _AT_ONCE))
