"""The addresses of a site, by the rows that they count in: what was asked, where machines are."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from scanner.addresses import IPV6_END, AddressMap, AddressSet
from scanner.inventory.areas import SITES_TOLD
from scanner.inventory.blocks import Blocks, blocks_of, blocks_of_rows, divide, size, within
from scanner.inventory.ledger import unpacked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from scanner.inventory.database import Plain

Key: TypeAlias = tuple[str, ...]
"""What tells a row from others: the values of its ``by`` keys."""

EVERYTHING: Final = AddressSet([(0, IPV6_END)])

_WARDS: Final = "SELECT id, name, building, owner FROM wards WHERE site_id = ?"
_SUBNETS: Final = "SELECT ward_id, network FROM subnets JOIN wards ON wards.id = ward_id WHERE site_id = ?"
_COVERAGE: Final = "SELECT version, block, ever FROM coverage WHERE site_id = ?"
_PHANTOMS: Final = "SELECT 4, block, addresses FROM phantoms WHERE site_id = ?"
_MACHINES: Final = (
    "SELECT packed, candidates <> '[]' FROM assets JOIN identities ON identities.id = identity_id"
    " WHERE site_id = ?"
)


@dataclass(frozen=True, slots=True)
class Ground:
    """One site's addresses, by the key of the row that they count in; outside every ward, under None.

    A machine counts where its address is today, whatever ward the site file had it in when it was last seen.
    """

    site_id: int
    site: str
    names: Mapping[str, str]
    """What the keys are called outside every ward: nothing but the site is known there."""
    rows: AddressMap[Key]
    everyone: Blocks
    """Every address that was ever asked."""
    asked: Mapping[Key | None, Blocks]
    """The same, by row."""
    machines: Mapping[Key | None, Blocks]
    identified: Mapping[Key | None, Blocks]
    phantoms: Mapping[Key | None, Blocks]

    def sizes(self, addresses: AddressSet) -> Counter[Key | None]:
        """How many addresses of a set each row has; outside every ward only what was asked counts."""
        if not addresses:
            return Counter()
        found: Counter[Key | None] = Counter({None: size(within(self.asked.get(None, {}), addresses))})
        for part, key in self.rows.divide(addresses):
            found[key] += part.size
        return found


def grounds_of(connection: Plain, by: Sequence[str]) -> Iterator[Ground]:
    """Every site's ground.

    Args:
        connection: in a read transaction.
        by: what a row is: some of the keys of ``names``.
    """
    for site_id, site, group, establishment, _ in connection.execute(SITES_TOLD).fetchall():
        told = {"site": site, "group": group, "establishment": establishment}
        names = {**told, "ward": "", "building": "", "owner": "", "subnet": ""}
        wards = {
            ward_id: {**names, "ward": ward, "building": building, "owner": owner}
            for ward_id, ward, building, owner in connection.execute(_WARDS, (site_id,))
        }
        rows = _rows(connection.execute(_SUBNETS, (site_id,)), wards, by)
        asked = blocks_of_rows(connection.execute(_COVERAGE, (site_id,)))
        phantoms = blocks_of_rows(connection.execute(_PHANTOMS, (site_id,)))
        machines = connection.execute(_MACHINES, (site_id,)).fetchall()
        seen = blocks_of(unpacked(packed) for packed, _ in machines)
        known = blocks_of(unpacked(packed) for packed, identified in machines if identified)
        yield Ground(
            *(site_id, site, names, rows, asked),
            *(divide(each, rows) for each in (asked, seen, known, phantoms)),
        )


def _rows(
    subnets: Iterable[tuple[Any, ...]], wards: Mapping[int, Mapping[str, str]], by: Sequence[str]
) -> AddressMap[Key]:
    """Where each row's addresses are; equal keys are one object, by which the map tells them apart."""
    keys: dict[Key, Key] = {}
    entries = []
    for ward_id, network in subnets:
        names = {**wards[ward_id], "subnet": network}
        key = tuple(names[name] for name in by)
        entries.append((AddressSet.of([network]), keys.setdefault(key, key)))
    return AddressMap(entries)
