"""Reading assets, one by one or all: in short transactions, however long the reader takes over them."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select

from scanner.inventory.evidence import evidence_of
from scanner.inventory.filtering import Sieve
from scanner.inventory.identities import from_columns
from scanner.inventory.patterns import releases_meant
from scanner.inventory.records.telling import kept_by_agents
from scanner.inventory.rows import Asset, Filters
from scanner.inventory.tables import ASSETS, IDENTITIES
from scanner.inventory.transactions import reading
from scanner.inventory.verdicts import Verdicts
from scanner.inventory.wards import Ward, wards_of

if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import date

    from sqlalchemy.engine import Connection, Row

    from scanner.inventory.evidence import Rests
    from scanner.inventory.store import Inventory
    from scanner.model import Release

_AT_ONCE: Final = 500
"""Assets that are read in one transaction."""
_FIRST: Final = 50
"""The same, of the first ones of a ward: a page, which is there at once."""

_ALL: Final = Filters()

_NOTHING: Final[Rests] = ({}, frozenset())
"""Of an asset whose evidence was not asked for."""

_COLUMNS: Final = (
    *(ASSETS.c.id, ASSETS.c.site_id, ASSETS.c.ward_id, ASSETS.c.address, ASSETS.c.name, ASSETS.c.fqdn),
    *(ASSETS.c.domain, ASSETS.c.mac, ASSETS.c.first_seen, ASSETS.c.last_seen, ASSETS.c.last_scan_id),
    *(IDENTITIES.c.data_version, IDENTITIES.c.candidates, IDENTITIES.c.certainty, IDENTITIES.c.reasons),
    IDENTITIES.c.attributes,
)
"""In the order in which :func:`_asset` takes them: by place, since by name takes twice as long."""


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
        # As it is now, not when it was found.
        return [asset for asset in found if wanted_asset(asset, filters, meant)]

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
    wanted = select(*_COLUMNS).join(IDENTITIES).where(ASSETS.c.id.in_(list(ids)))
    rows = {row[0]: row for row in connection.execute(wanted).all()}
    rests = evidence_of(connection, list(rows)) if evidence else {}
    managed = kept_by_agents(connection, list(rows)) if evidence else ()
    return [
        _asset(row, wards[_home(row)], verdicts, rests.get(row[0], _NOTHING), managed=row[0] in managed)
        for row in (rows[asset_id] for asset_id in ids if asset_id in rows)
        if _home(row) in wards
    ]


def _home(row: Row[*tuple[Any, ...]]) -> tuple[int, int | None]:
    return row[1], row[2]


def _asset(
    row: Row[*tuple[Any, ...]], ward: Ward, verdicts: Verdicts, rests: Rests, *, managed: bool
) -> Asset:
    number, _, _, address, name, fqdn, domain, mac, first_seen, last_seen, scan, version, *identified = row
    identity = from_columns(*identified)
    candidates = verdicts.candidates(identity)
    return Asset(
        id=number,
        place=ward.place(address),
        address=address,
        identity=identity,
        verdict=verdicts.of(candidates, verdicts.policy(ward.settings, ward.name)),
        candidates=candidates,
        first_seen=first_seen,
        last_seen=last_seen,
        name=name,
        fqdn=fqdn,
        domain=domain,
        mac=mac,
        evidence=rests[0],
        asked=rests[1],
        data_version=version,
        scan=scan,
        managed=managed,
    )


def wanted_asset(asset: Asset, filters: Filters, meant: frozenset[str] | None) -> bool:
    """Whether filters want an asset of a ward that they want; ``meant`` are the releases of their pattern."""
    if filters == _ALL:
        return True
    text = filters.text.casefold()
    names = (asset.address, asset.name, asset.fqdn, asset.domain, asset.mac)
    return (
        (meant is None or not meant.isdisjoint(asset.identity.candidates))
        and filters.status in (None, asset.verdict.status)
        and filters.certainty in (None, asset.identity.certainty)
        and any(text in name.casefold() for name in names)
    )
