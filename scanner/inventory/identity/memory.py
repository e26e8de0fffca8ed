"""What the inventory knows of the assets that a batch of hosts may be, and what it learns of them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete, func, select, tuple_

from scanner.inventory.identity.choosing import Choice, choose
from scanner.inventory.identity.holders import COMMON, Holders
from scanner.inventory.identity.known import Known, Tenure, displaced_since
from scanner.inventory.identity.question import Question
from scanner.inventory.identity.traits import ADDRESS, CARD, kind_of, rules
from scanner.inventory.interning import KeyIds
from scanner.inventory.lookups import looked_up
from scanner.inventory.statements import insert_rows
from scanner.inventory.tables import ASSETS, SIGHTS, TIES, TRAITS
from scanner.model import Certainty

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy.engine import Connection

    from scanner.inventory.identity.traits import Traits
    from scanner.inventory.interning import Numbers
    from scanner.model import HostRecord

_AT_ONCE: Final = 900
"""Values in one statement."""
_LATEST: Final = 8
"""Assets that had an address last, of which something is to be known."""
_COLUMNS: Final = (*ASSETS.c.keys(), "candidates", "certainty")
_ROWS: Final = (
    f"SELECT {', '.join(f'assets.{name}' for name in _COLUMNS[:-2])}, candidates, certainty "  # noqa: S608 - from above
    "FROM assets JOIN identities ON identities.id = identity_id WHERE assets.id"
)
_TENURES: Final = "SELECT asset_id, key_id, value, first, last, scan_id FROM traits WHERE asset_id"


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
    made_one: set[int] = field(default_factory=set)
    """Assets of which somebody decided that others are the same machine."""
    keys: KeyIds = field(init=False)
    _changed: dict[tuple[int, str, int], Tenure] = field(default_factory=dict)
    _gone: list[tuple[int, str, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.keys = KeyIds(self.connection, self.numbers)

    def load(self, hosts: Iterable[Traits]) -> None:
        """Read everything that has a trait of one of these hosts."""
        wanted: dict[str, dict[str, None]] = {}
        for traits in hosts:
            for kind, value in traits:
                wanted.setdefault(kind, {})[value] = None
        found: set[int] = set()
        for kind, values in wanted.items():
            found |= _having(self, kind, list(values))
        self._load_assets(sorted(found))
        for kind, asset, other in self.connection.execute(
            select(TIES.c.kind, TIES.c.asset_id, TIES.c.other_id).where(
                TIES.c.undone.is_(None), (TIES.c.kind == "split") | TIES.c.scan_id.is_(None)
            )
        ):
            if kind == "split":
                self.apart.add(frozenset((asset, other)))
            else:
                self.made_one.add(asset)

    def _load_assets(self, assets: Sequence[int]) -> None:
        keys = {
            self.keys[key]: (key, kinds[0] if len(kinds) == 1 else "")
            for key, kinds in rules().by_key.items()
        }
        for row in looked_up(self.connection, _ROWS, assets):
            self.rows[row[0]] = dict(zip(_COLUMNS, row, strict=True))
            self.known[row[0]] = Known(row[0], told=self.rows[row[0]]["identity_scan_id"] or 0)
        for asset, key_id, value, *tenure in looked_up(self.connection, _TENURES, assets):
            key, kind = keys[key_id]
            self._note(asset, kind or kind_of(key, value), value, Tenure(key, *tenure))
        _hold_cards(self)

    def _note(self, asset: int, kind: str, value: str, tenure: Tenure) -> None:
        self.known[asset].kinds.setdefault(kind, {})[value] = tenure
        self.holders.add(kind, value, asset, tenure)

    def choose(self, host: HostRecord, traits: Traits) -> Choice:
        """Decide which asset a host is."""
        candidates = {
            asset
            for kind, value in traits
            if (kind, value) not in self.holders.common
            for asset in self.holders.of(kind, value)
            if asset in self.known
        }
        known = {asset: self.known[asset] for asset in candidates}

        def agrees(asset: int) -> bool:
            return _agree(host, self.rows[asset])

        met_both = partial(_met_both, self.connection)
        return choose(
            Question(host.address, self.scan, traits, known, self.holders, self.apart, agrees, met_both)
        )

    def learn(self, asset: int, traits: Traits, first: str, last: str) -> None:
        """Note what an asset was known by, from when to when in this scan."""
        known = self.known.setdefault(asset, Known(asset))
        for (kind, value), key in traits.items():
            values = known.kinds.setdefault(kind, {})
            before = values.get(value)
            if before is None:
                tenure = Tenure(key, first, last, self.scan)
                if rules().kinds[kind].volatile:
                    if any(each.last > last for each in values.values()):
                        continue  # what comes late is not the newest
                    self._forget(asset, kind, values)
            else:
                best = before.key
                if key != best:
                    best = min(best, key, key=rules().kinds[kind].keys.index)
                if best != before.key:
                    self._forget(asset, kind, {value: before})
                tenure = Tenure(best, min(before.first, first), max(before.last, last), self.scan)
            if tenure != before:
                values[value] = tenure
                self.holders.add(kind, value, asset, tenure)
                self._changed[self.keys[tenure.key], value, asset] = tenure

    def _forget(self, asset: int, kind: str, values: dict[str, Tenure]) -> None:
        for value, tenure in values.items():
            row = (self.keys[tenure.key], value, asset)
            self.holders.drop(kind, value, asset)
            self._changed.pop(row, None)
            self._gone.append(row)
        values.clear()

    def write(self) -> None:
        """Write what was learnt, in the order in which it is stored: neighbours share a page."""
        site, columns = self.numbers.site_id, (TRAITS.c.key_id, TRAITS.c.value, TRAITS.c.asset_id)
        for part in _parts(self._gone):
            self.connection.execute(
                delete(TRAITS).where(TRAITS.c.site_id == site, tuple_(*columns).in_(part))
            )
        values: list[object] = []
        for row in sorted(self._changed):
            tenure = self._changed[row]
            values += (site, *row, tenure.first, tenure.last, tenure.scan)
        insert_rows(self.connection, TRAITS, values, replace=True)


def displace(memory: Memory, address: str, met: int) -> set[int]:
    """Note whom nothing but this address told, now that one is met there; gives whose rows change."""
    there = memory.holders.of(ADDRESS, address)
    changed: set[int] = set()
    for asset in {met, *there} & memory.rows.keys():
        row = memory.rows[asset]
        if asset == met or (row["address"] == address and row["displaced"] is None):
            since = displaced_since(memory.known, asset, there, row["last_seen"])
            if since != row["displaced"]:
                memory.rows[asset] = {**row, "displaced": since}
                changed.add(asset)
    return changed


def _met_both(connection: Connection, asset: int, other: int) -> int:
    """How many scans met two assets."""
    mine, theirs = SIGHTS.alias(), SIGHTS.alias()
    both = mine.c.scan_id == theirs.c.scan_id, mine.c.asset_id == asset, theirs.c.asset_id == other
    return connection.scalar(select(func.count(mine.c.scan_id.distinct())).where(*both)) or 0


def _having(memory: Memory, kind: str, values: Sequence[str]) -> set[int]:
    """The assets that have one of these values, but for those that too many have.

    Of an address that is lent to hundreds, only those count that had it last.
    """
    rows: dict[str, list[tuple[str, int]]] = {}
    for value, *tenure in looked_up(memory.connection, _asked(memory, kind, "value, last, asset_id"), values):
        rows.setdefault(value, []).append((tenure[0], tenure[1]))
    found: set[int] = set()
    for value, them in rows.items():
        if kind != ADDRESS and len(them) > COMMON:
            memory.holders.common.add((kind, value))
        else:
            found.update(asset for _, asset in sorted(them)[-_LATEST if kind == ADDRESS else 0 :])
    return found


def _asked(memory: Memory, kind: str, columns: str) -> str:
    """A statement that looks up values of a kind."""
    numbers = ", ".join(str(memory.keys[key]) for key in rules().kinds[kind].keys)
    return (
        f"SELECT {columns} FROM traits "  # noqa: S608 - names and numbers of ours alone
        f"WHERE site_id = {memory.numbers.site_id} AND key_id IN ({numbers}) AND value"
    )


def _hold_cards(memory: Memory) -> None:
    """Note who else has the cards of those that have several: a dock's go from machine to machine."""
    several = (known.kinds.get(CARD, {}) for known in memory.known.values())
    cards = sorted({card for each in several if len(each) > 1 for card in each})
    asked = _asked(memory, CARD, "value, asset_id, first, last, scan_id")
    for card, asset, *tenure in looked_up(memory.connection, asked, cards):
        if asset not in memory.known:
            memory.holders.add(CARD, card, asset, Tenure("", *tenure))  # who told it is asked of nobody here


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
