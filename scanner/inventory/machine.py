"""Everything that is kept of one machine, for somebody who sees some wards."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from scanner.inventory.assets import read_assets
from scanner.inventory.breakers import breakers_rows
from scanner.inventory.detail import kept_of
from scanner.inventory.findings.reading import findings_of
from scanner.inventory.history.stays import History, history_of
from scanner.inventory.records.of_asset import RecordRow, records_of
from scanner.inventory.tables import FINDINGS
from scanner.inventory.transactions import reading
from scanner.inventory.verdicts import Verdicts
from scanner.inventory.wards import wards_of
from scanner.language import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import date

    from scanner.inventory.findings.rows import Finding
    from scanner.inventory.rows import Asset, AssetDetail
    from scanner.inventory.store import Inventory
    from scanner.model import Release

NEWEST: Final = 100
"""Observations that are read of one machine: a night adds some, for years."""


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine: what it is, what was sent to it, where it was, what registers and people say of it."""

    detail: AssetDetail
    """Of the observations, the newest :data:`NEWEST`."""
    history: History
    findings: tuple[Finding, ...]
    records: tuple[RecordRow, ...]
    fragile: tuple[Message, ...]
    """Why it is not to be touched; empty where it may be."""

    @property
    def asset(self) -> Asset:
        """The machine as it stands today, with its evidence."""
        return self.detail.asset


def machine_of(
    inventory: Inventory,
    asset_id: int,
    sees: Callable[[str, str], bool],
    *,
    today: date,
    releases: Mapping[str, Release] | None = None,
) -> Machine | None:
    """A machine; None where there is none of this id in any ward that is seen.

    Args:
        inventory: the inventory.
        asset_id: its id.
        sees: whether a site and a ward of it are seen; what was elsewhere is left out.
        today: the day that verdicts are for.
        releases: today's releases, by id; the packaged ones otherwise.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    verdicts = Verdicts(today, releases)
    with reading(inventory) as connection:
        wards = {ward.key: ward for ward in wards_of(connection) if sees(ward.where.site, ward.name)}
        assets = read_assets(connection, [asset_id], wards, verdicts, evidence=True)
        if not assets:
            return None
        (asset,) = assets
        detail = kept_of(inventory, connection, asset, NEWEST)
        findings = findings_of(connection, FINDINGS.c.asset_id == asset_id).get(asset_id, [])
        records = records_of(connection, asset_id)
    past = history_of(inventory, asset_id)
    seen = tuple(stay for stay in past.stays if sees(asset.place.site, stay.ward))
    hidden = {stay.address for stay in past.stays} - {stay.address for stay in seen} - {asset.address}
    return Machine(
        _without(detail, hidden, sees),
        replace(past, stays=seen),
        tuple(findings),
        records,
        tuple(_fragile(inventory, asset)),
    )


def _without(detail: AssetDetail, hidden: set[str], sees: Callable[[str, str], bool]) -> AssetDetail:
    """Without what was heard and sent in wards that are not seen."""
    return replace(
        detail,
        asset=replace(
            detail.asset,
            addresses=tuple(each for each in detail.asset.addresses if each not in hidden),
        ),
        observations=tuple(heard for heard in detail.observations if _host(heard.endpoint) not in hidden),
        ledger=tuple(row for row in detail.ledger if sees(row.site, row.ward)),
    )


def _host(endpoint: str) -> str:
    """The address in ``10.20.0.5:445/tcp``."""
    return endpoint.rpartition(":")[0].strip("[]")


def _fragile(inventory: Inventory, asset: Asset) -> Iterator[Message]:
    """As :func:`~scanner.inventory.fragile_rows` tells it of all machines of a site."""
    what = asset.identity.attributes.get("fragile")
    if what is not None:
        yield Message("its evidence says so: {what}", {"what": what})
    for breaker in breakers_rows(inventory, asset.place.site):
        if asset.address in breaker.fallen:
            yield Message("fell silent after a probe (breaker {breaker})", {"breaker": str(breaker.id)})
