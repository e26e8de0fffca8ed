"""Reading assets, one by one or all: in short transactions, however long the reader takes over them."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select

from scanner.inventory.evidence import evidence_of
from scanner.inventory.filtering import Sieve
from scanner.inventory.identities import from_columns
from scanner.inventory.patterns import releases_meant
from scanner.inventory.rows import Asset, Filters
from scanner.inventory.tables import ASSETS, IDENTITIES
from scanner.inventory.transactions import reading
from scanner.inventory.verdicts import Verdicts
from scanner.inventory.wards import Ward, wards_of

if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import date

    from sqlalchemy.engine import Connection

    from scanner.inventory.evidence import Rests
    from scanner.inventory.store import Inventory
    from scanner.model import Identity, Release

_AT_ONCE: Final = 500
"""Assets that are read in one transaction."""
_FIRST: Final = 50
"""The same, of the first ones of a ward: a page, which is there at once."""

_IDENTITY: Final = [
    IDENTITIES.c[name] for name in ("candidates", "certainty", "reasons", "attributes", "data_version")
]


def assets_rows(
    inventory: Inventory,
    filters: Filters | None = None,
    *,
    today: date,
    evidence: bool = False,
    releases: Mapping[str, Release] | None = None,
) -> Iterator[Asset]:
    """Assets in the order of site, ward and address.

    They are read a batch at a time as they are iterated: a scan may write meanwhile, and each asset is as it
    was when its batch was read.

    Args:
        inventory: the inventory, open for as long as this is iterated.
        filters: which ones; all of them otherwise.
        today: the day that verdicts are for.
        evidence: whether their evidence is wanted as well.
        releases: today's releases, by id; the packaged ones otherwise.

    Returns:
        An iterator; it may raise InventoryError as well.

    Raises:
        ConfigError: the OS pattern means no release.
        InventoryError: the inventory cannot be read.
    """
    filters = filters or Filters()
    verdicts = Verdicts(today, releases)
    meant = releases_meant(filters.os, verdicts.releases) if filters.os else None
    sieve = Sieve(filters, meant, verdicts)
    with reading(inventory) as connection:
        wards = [ward for ward in wards_of(connection) if ward.matches(filters)]

    def read(connection: Connection, ids: Sequence[int], ward: Ward) -> list[Asset]:
        found = read_assets(connection, ids, {ward.key: ward}, verdicts, evidence=evidence)
        return [
            asset for asset in found if _wanted(asset, sieve, ward)
        ]  # as it is now, not when it was found

    return _batches(inventory, wards, sieve, read)


def _batches(
    inventory: Inventory,
    wards: Sequence[Ward],
    sieve: Sieve,
    read: Callable[[Connection, Sequence[int], Ward], list[Asset]],
) -> Iterator[Asset]:
    for ward, ids in _found(inventory, wards, sieve):
        for start, end in pairwise([0, *range(_FIRST, len(ids), _AT_ONCE), len(ids)]):
            with reading(inventory) as connection:
                batch = read(connection, ids[start:end], ward)
            yield from batch


def _found(inventory: Inventory, wards: Sequence[Ward], sieve: Sieve) -> Iterator[tuple[Ward, array[int]]]:
    """Wards with wanted assets, as they are found; no transaction is open while one is handed over."""
    left = iter(wards)
    while True:
        with reading(inventory) as connection:
            for ward in left:
                if ids := sieve.ids(connection, ward):
                    break
            else:
                return
        yield ward, ids


def read_assets(
    connection: Connection,
    ids: Sequence[int],
    wards: Mapping[tuple[int, int | None], Ward],
    verdicts: Verdicts,
    *,
    evidence: bool,
) -> list[Asset]:
    """The assets of these ids (a few hundred), in their order, as far as they are still in these wards."""
    wanted = select(ASSETS, *_IDENTITY).join(IDENTITIES).where(ASSETS.c.id.in_(list(ids)))
    rows = {row["id"]: dict(row) for row in connection.execute(wanted).mappings()}
    identities = {row["identity_id"]: _identity(row) for row in rows.values()}
    rests = evidence_of(connection, list(rows)) if evidence else {}
    return [
        _asset(row, identities[row["identity_id"]], wards[_home(row)], verdicts, rests.get(row["id"]))
        for row in (rows[asset_id] for asset_id in ids if asset_id in rows)
        if _home(row) in wards
    ]


def _home(row: Mapping[str, Any]) -> tuple[int, int | None]:
    return row["site_id"], row["ward_id"]


def _identity(row: Mapping[str, Any]) -> Identity:
    return from_columns(row["candidates"], row["certainty"], row["reasons"], row["attributes"])


def _asset(
    row: Mapping[str, Any], identity: Identity, ward: Ward, verdicts: Verdicts, rests: Rests | None
) -> Asset:
    candidates = verdicts.candidates(identity)
    same = ("id", "address", "first_seen", "last_seen", "name", "fqdn", "domain", "mac", "data_version")
    evidence, asked = rests or ({}, frozenset())
    return Asset(
        place=ward.place(row["address"]),
        identity=identity,
        verdict=verdicts.of(candidates, verdicts.policy(ward.settings, ward.name)),
        candidates=candidates,
        evidence=evidence,
        asked=asked,
        scan=row["last_scan_id"],
        **{name: row[name] for name in same},
    )


def _wanted(asset: Asset, sieve: Sieve, ward: Ward) -> bool:
    told = (asset.address, asset.name, asset.fqdn, asset.domain, asset.mac)
    return sieve.wants(asset.identity, ward) and sieve.holds(told)
