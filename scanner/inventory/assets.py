"""Reading assets by their ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import func, select

from scanner.addresses import address_of
from scanner.inventory.evidence import evidence_of
from scanner.inventory.identities import from_columns
from scanner.inventory.ledger import unpacked
from scanner.inventory.records.telling import kept_by_agents
from scanner.inventory.rows import Asset, Filters
from scanner.inventory.tables import ASSETS, IDENTITIES, SIGHTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.engine import Connection, Row

    from scanner.inventory.evidence import Rests
    from scanner.inventory.verdicts import Identified, Verdicts
    from scanner.inventory.wards import Ward

_ALL: Final = Filters()

_NOTHING: Final[Rests] = ({}, frozenset())
"""Of an asset whose evidence was not asked for."""

_COLUMNS: Final = (
    *(ASSETS.c.id, ASSETS.c.site_id, ASSETS.c.ward_id, ASSETS.c.address, ASSETS.c.name, ASSETS.c.fqdn),
    *(ASSETS.c.domain, ASSETS.c.mac, ASSETS.c.first_seen, ASSETS.c.last_seen, ASSETS.c.last_scan_id),
    ASSETS.c.identity_id,
)
"""In the order in which :func:`_asset` takes them: by place, since by name takes twice as long."""
_IDENTITY: Final = (
    *(IDENTITIES.c.id, IDENTITIES.c.data_version, IDENTITIES.c.candidates, IDENTITIES.c.certainty),
    *(IDENTITIES.c.reasons, IDENTITIES.c.attributes),
)
_MOST: Final = 1 << 12
"""So many identities are remembered; then all are forgotten, and remembered anew."""


def read_assets(
    connection: Connection,
    ids: Sequence[int],
    wards: Mapping[tuple[int, int | None], Ward],
    verdicts: Verdicts,
    *,
    evidence: bool,
) -> list[Asset]:
    """The assets of these ids (a few hundred), in their order, as far as they are still in these wards."""
    wanted = select(*_COLUMNS).where(ASSETS.c.id.in_(list(ids)))
    rows = {row[0]: row for row in connection.execute(wanted).all()}
    _identify(connection, {row[-1] for row in rows.values()}, verdicts.identities)
    rests = evidence_of(connection, list(rows)) if evidence else {}
    others = _other_addresses(connection, rows) if evidence else {}
    managed = kept_by_agents(connection, list(rows)) if evidence else frozenset()
    return [
        _asset(
            row,
            wards[_home(row)],
            verdicts,
            rests.get(row[0], _NOTHING),
            others.get(row[0], ()),
            managed=row[0] in managed,
        )
        for row in (rows[asset_id] for asset_id in ids if asset_id in rows)
        if _home(row) in wards
    ]


def _identify(connection: Connection, wanted: set[int], known: dict[int, Identified]) -> None:
    """Read the identities that are not known yet: thousands of assets share one, and its texts are long."""
    if len(known) > _MOST:
        known.clear()
    if new := wanted - known.keys():
        rows = select(*_IDENTITY).where(IDENTITIES.c.id.in_(sorted(new)))
        for number, version, *columns in connection.execute(rows).all():
            known[number] = from_columns(*columns), version


def _home(row: Row[*tuple[Any, ...]]) -> tuple[int, int | None]:
    return row[1], row[2]


def _other_addresses(
    connection: Connection, rows: Mapping[int, Row[*tuple[Any, ...]]]
) -> dict[int, tuple[str, ...]]:
    """The addresses at which their last scan saw assets besides the one that they are called by."""
    seen = (
        select(SIGHTS.c.asset_id, SIGHTS.c.packed)
        .join(ASSETS, (ASSETS.c.id == SIGHTS.c.asset_id) & (ASSETS.c.last_scan_id == SIGHTS.c.scan_id))
        .where(SIGHTS.c.asset_id.in_(list(rows)), SIGHTS.c.packed != ASSETS.c.packed)
        .order_by(SIGHTS.c.asset_id, func.length(SIGHTS.c.packed), SIGHTS.c.packed)
    )
    found: dict[int, tuple[str, ...]] = {}
    for asset, packed in connection.execute(seen):
        found[asset] = (*found.get(asset, ()), address_of(unpacked(packed)))
    return found


def _asset(  # noqa: PLR0913 - what an asset is made of
    row: Row[*tuple[Any, ...]],
    ward: Ward,
    verdicts: Verdicts,
    rests: Rests,
    others: tuple[str, ...],
    *,
    managed: bool,
) -> Asset:
    number, _, _, address, name, fqdn, domain, mac, first_seen, last_seen, scan, identified = row
    identity, version = verdicts.identities[identified]
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
        addresses=others,
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
