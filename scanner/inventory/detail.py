"""Everything that is kept of one machine, for ``explain``."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from sqlalchemy import false, func, or_, select

from scanner.addresses import number_of
from scanner.errors import ConfigError
from scanner.inventory.answers import unpack
from scanner.inventory.assets import read_assets
from scanner.inventory.blocks import block_of
from scanner.inventory.evidence import values_of
from scanner.inventory.holding import holders
from scanner.inventory.identities import reasons_from_column
from scanner.inventory.ledger import ledger_rows
from scanner.inventory.rows import AssetDetail, Heard
from scanner.inventory.tables import ASSETS, OBSERVATIONS, SCANS, UNASKED, VISITS
from scanner.inventory.transactions import reading
from scanner.inventory.verdicts import Verdicts
from scanner.inventory.wards import wards_of
from scanner.model import Endpoint, Outcome, Transport

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from sqlalchemy import ColumnElement
    from sqlalchemy.engine import Connection, Row

    from scanner.inventory.rows import Asset, LedgerRow
    from scanner.inventory.store import Inventory
    from scanner.language import Message
    from scanner.model import Release

_LARGEST_ID = (1 << 63) - 1
_TOLD = 5


def asset_detail(
    inventory: Inventory, host: str | int, *, today: date, releases: Mapping[str, Release] | None = None
) -> AssetDetail:
    """Everything kept of one machine.

    Args:
        inventory: the inventory.
        host: its address, its id, its name or its fully qualified name, whatever the case; a number is an
            id, whatever other machines are called.
        today: the day that the verdict is for.
        releases: today's releases, by id; the packaged ones otherwise.

    Raises:
        ConfigError: nothing, or more than one machine, is called so.
        InventoryError: the inventory cannot be read.
    """
    verdicts = Verdicts(today, releases)
    with reading(inventory) as connection:
        asset_id = host if isinstance(host, int) else _find(connection, host)
        wards = {ward.key: ward for ward in wards_of(connection)}
        (asset,) = read_assets(connection, [asset_id], wards, verdicts, evidence=True)
        return kept_of(inventory, connection, asset)


def kept_of(
    inventory: Inventory, connection: Connection, asset: Asset, newest: int | None = None
) -> AssetDetail:
    """Everything kept of an asset; of its observations only so many, the newest, where that is said.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    number = number_of(asset.address)
    spans = [(number, number)]
    sent = sorted(ledger_rows(inventory, spans, site=asset.place.site), key=lambda row: row.attempt.at)
    return AssetDetail(
        asset,
        _observations(connection, asset.id, newest),
        _asked_by(connection, asset.id, number, sent),
        _unasked(connection, asset.id),
        tuple(sent),
        connection.scalar(select(ASSETS.c.displaced).where(ASSETS.c.id == asset.id)),
    )


def _unasked(connection: Connection, asset_id: int) -> dict[str, Message]:
    wanted = select(UNASKED.c.reasons).join(ASSETS).where(ASSETS.c.id == asset_id)
    column = connection.scalar(wanted)
    return {} if column is None else reasons_from_column(column)


def _find(connection: Connection, host: str) -> int:
    found = connection.execute(
        select(ASSETS.c.id, ASSETS.c.address, ASSETS.c.name)
        .where(_called(connection, host.strip()))
        .order_by(ASSETS.c.id)
    ).all()
    if not found:
        raise ConfigError(
            "no machine called {host} was ever seen: vetuste assets lists those that were", host=repr(host)
        )
    if len(found) > 1:
        raise ConfigError(
            "more than one machine is called {host}: say which by its id: {machines}",
            host=repr(host),
            machines=_told(found),
        )
    return int(found[0].id)


def _called(connection: Connection, host: str) -> ColumnElement[bool]:
    try:
        address = str(ip_address(host))
    except ValueError:
        pass
    else:
        return ASSETS.c.id.in_(holders(connection, [address]))
    if not host:  # many a machine has no name; that is not what it is called
        return false()
    spelt = {host, host.upper(), host.lower()}  # SQLite's own lower() stops at ASCII
    columns = (ASSETS.c.name, ASSETS.c.fqdn)
    names = or_(*(or_(func.lower(column) == host.lower(), column.in_(spelt)) for column in columns))
    if host.isdecimal() and int(host) <= _LARGEST_ID:
        return or_(names, ASSETS.c.id == int(host))
    return names


def _told(found: Sequence[Row[Any, Any, Any]]) -> str:
    told = [f"{row.id} ({row.address} {row.name})" for row in found[:_TOLD]]
    return ", ".join(told + ["…"] * (len(found) > _TOLD))


def _observations(connection: Connection, asset_id: int, newest: int | None) -> tuple[Heard, ...]:
    backwards = select(OBSERVATIONS).where(OBSERVATIONS.c.asset_id == asset_id)
    backwards = backwards.order_by(OBSERVATIONS.c.id.desc()).limit(newest)
    rows = connection.execute(backwards).all()[::-1]
    evidence = values_of(connection, [row.id for row in rows])
    return tuple(
        Heard(
            id=row.id,
            scan=row.scan_id,
            endpoint=str(Endpoint(row.address, row.port, Transport(row.transport), row.service)),
            probe=row.probe,
            at=row.at,
            outcome=Outcome(row.outcome),
            detail=row.detail,
            connections=row.connections,
            evidence=evidence.get(row.id, {}),
            raw=unpack(row.raw),
        )
        for row in rows
    )


def _asked_by(connection: Connection, asset_id: int, number: int, ledger: Sequence[LedgerRow]) -> int | None:
    """The last scan that sent its address anything; scans of older programs have visits and no ledger."""
    if ledger:
        return max(row.scan for row in ledger)
    version, block = block_of(number)
    visits = (
        select(VISITS.c.scan_id, VISITS.c.addresses)
        .join(SCANS, SCANS.c.id == VISITS.c.scan_id)
        .join(ASSETS, ASSETS.c.site_id == SCANS.c.site_id)
        .where(ASSETS.c.id == asset_id, VISITS.c.version == version, VISITS.c.block == block)
    )
    rows = connection.execute(visits).all()
    return max(
        (scan for scan, bits in rows if int.from_bytes(bits, "little") >> (number & 0xFF) & 1), default=None
    )
