"""Reading one scan to be carried elsewhere: its row, its site, and what it brought, in the order it came."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Text, func, select, tuple_, type_coerce

from scanner.errors import ConfigError
from scanner.inventory.answers import unpack
from scanner.inventory.campaigns.sealed import SEALED, Bounds, sealed_rows
from scanner.inventory.evidence import values_of
from scanner.inventory.merging import pack_address
from scanner.inventory.tables import (
    ASSETS,
    BREAKERS,
    OBSERVATIONS,
    PHANTOMS,
    SCANS,
    SIGHTS,
    SITES,
    SUBNETS,
    UNASKED,
    WARDS,
)
from scanner.inventory.transactions import reading

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from scanner.addresses import Span
    from scanner.inventory.store import Inventory

_PAGE: Final = 2000
"""Observations that are read in one transaction."""
_LONG: Final = 1 << 20
_MOST: Final = 256
"""Bytes of answers, and observations, after which a host's line ends."""
_SEALED: Final = {table.name: table for table in SEALED}
_SEEN: Final = ("port", "transport", "service", "probe", "outcome", "detail", "connections")
_PLACE: Final = ("name", "building", "floor", "unit", "owner", "criticality")


@dataclass(frozen=True, slots=True)
class Head:
    """A scan's own row, and its site as a site file has it: what of it the inventory keeps."""

    site: Mapping[str, Any] | None
    """None: it was made without a site file."""
    profile: str
    scope: str
    state: str
    started: datetime
    ended: datetime | None
    """None: it was killed."""
    digest: str
    """SHA-256 of the site file's bytes; empty without one."""
    request: Mapping[str, Any]
    versions: Mapping[str, str]
    counts: Mapping[str, int]
    spans: tuple[Span, ...]

    @property
    def name(self) -> str:
        """The site's; empty without a site file."""
        return self.site["site"]["name"] if self.site else ""


def head_of_scan(inventory: Inventory, scan: int) -> Head:
    """The row of a scan that has ended.

    Raises:
        ConfigError: there is no such scan, or it is running.
        InventoryError: the inventory cannot be read.
    """
    with reading(inventory) as connection:
        row = connection.execute(select(SCANS).where(SCANS.c.id == scan)).one_or_none()
        if row is None:
            raise ConfigError("there is no scan {scan} in this inventory", scan=scan)
        site = _site(connection, row.site_id)
    if row.state == "running" and inventory.database.lock(scan).held():
        raise ConfigError("scan {scan} is running: it is exported when it has ended", scan=scan)
    return Head(
        site,
        row.profile,
        row.scope,
        "killed" if row.state == "running" else row.state,
        row.started,
        row.ended,
        row.digest,
        json.loads(row.request),
        json.loads(row.versions),
        json.loads(row.counts),
        tuple((first, last) for first, last in json.loads(row.spans)),
    )


def _site(connection: Connection, site_id: int) -> dict[str, Any] | None:
    """A site as its file says it, as far as it is kept; of its wards those that the file still names."""
    site = connection.execute(select(SITES).where(SITES.c.id == site_id)).one()
    if not site.name:
        return None
    settings = json.loads(site.settings)
    subnets: dict[int, list[str]] = {}
    wanted = select(SUBNETS).join(WARDS).where(WARDS.c.site_id == site_id)
    for ward, network in connection.execute(wanted.order_by(SUBNETS.c.ward_id, SUBNETS.c.network)):
        subnets.setdefault(ward, []).append(network)
    wards = connection.execute(select(WARDS).where(WARDS.c.site_id == site_id).order_by(WARDS.c.id))
    own = {name: getattr(site, name) for name in ("name", "finess", "group", "establishment")}
    return {
        "site": {**own, "horizon_months": settings["horizon_months"]},
        "esu": settings["esu"],
        "ward": [
            {
                **{name: getattr(ward, name) for name in _PLACE},
                "vlan": int(ward.vlan) if ward.vlan else None,
                "subnets": subnets[ward.id],
            }
            for ward in wards
            if ward.id in subnets
        ],
    }


def given_rows(inventory: Inventory, scan: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Everything that a scan brought, a few thousand rows in memory: the table, and what stands in it.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    with reading(inventory) as connection:
        row = connection.execute(select(SCANS).where(SCANS.c.id == scan)).one()
    for host in _hosts(inventory, scan):
        yield "hosts", host
    for table in ("ledger", "visits"):
        for value, _ in sealed_rows(
            inventory, _SEALED[table], Bounds(row.site_id, (scan,), row.started, None)
        ):
            del value["scan"]
            yield table, value
    with reading(inventory) as connection:
        trips, phantoms = list(_trips(connection, scan)), list(_phantoms(connection, scan))
    for trip in trips:
        yield "trips", trip
    for block in phantoms:
        yield "phantoms", block


def _trips(connection: Connection, scan: int) -> Iterator[dict[str, Any]]:
    times = (type_coerce(BREAKERS.c[name], Text).label(f"{name}_") for name in ("at", "cleared"))
    wanted = select(BREAKERS.c.ward, BREAKERS.c.subnet, BREAKERS.c.cause, BREAKERS.c.fallen, *times)
    for row in connection.execute(wanted.where(BREAKERS.c.scan_id == scan).order_by(BREAKERS.c.id)):
        yield {
            "ward": row.ward,
            "subnet": row.subnet,
            "at": row.at_,
            "cleared": row.cleared_,
            "cause": json.loads(row.cause),
            "fallen": json.loads(row.fallen),
        }


def _phantoms(connection: Connection, scan: int) -> Iterator[dict[str, Any]]:
    wanted = select(PHANTOMS.c.block, PHANTOMS.c.addresses).where(PHANTOMS.c.scan_id == scan)
    for block, addresses in connection.execute(wanted.order_by(PHANTOMS.c.block)):
        yield {"block": block.hex(), "addresses": addresses.hex()}


def _hosts(inventory: Inventory, scan: int) -> Iterator[dict[str, Any]]:
    """What was recorded of hosts, in the order in which it was."""
    for (_, address), seen in groupby(_observations(inventory, scan), key=lambda each: each[0]):
        for part in _parts(value for _, value in seen):
            place = {name: part[0][name] for name in ("ward", "unasked")}
            for value in part:
                del value["ward"], value["unasked"]
            yield {"address": address, **place, "seen": part}


def _parts(seen: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """What was heard of a host at a stretch, cut where it would be too long for one line."""
    part: list[dict[str, Any]] = []
    size = 0
    for value in seen:
        if part and (size >= _LONG or len(part) >= _MOST):
            yield part
            part, size = [], 0
        part.append(value)
        size += sum(map(len, value["raw"]))
    if part:
        yield part


def _observations(inventory: Inventory, scan: int) -> Iterator[tuple[tuple[int, str], dict[str, Any]]]:
    """Each observation by the machine and the address that it is of."""
    theirs = select(SIGHTS.c.asset_id, SIGHTS.c.scan_id).where(SIGHTS.c.scan_id == scan)
    mine = tuple_(OBSERVATIONS.c.asset_id, OBSERVATIONS.c.scan_id).in_(theirs)
    with reading(inventory) as connection:  # without an index by scan: only where its rows stand
        ends = select(func.min(OBSERVATIONS.c.id), func.max(OBSERVATIONS.c.id)).where(mine)
        first, last = connection.execute(ends).one()
    after = (first or 1) - 1
    stamp = type_coerce(OBSERVATIONS.c.at, Text).label("stamp")
    columns = (column for column in OBSERVATIONS.c if column is not OBSERVATIONS.c.at)
    page = select(*columns, stamp).where(OBSERVATIONS.c.scan_id == scan).order_by(OBSERVATIONS.c.id)
    while after < (last or 0):
        wanted = page.where(OBSERVATIONS.c.id > after, OBSERVATIONS.c.id <= last).limit(_PAGE)
        with reading(inventory) as connection:
            rows = connection.execute(wanted).all()
            found = list(_shaped(connection, scan, rows))
        yield from found
        after = rows[-1].id if rows else last


def _shaped(
    connection: Connection, scan: int, rows: Sequence[Any]
) -> Iterator[tuple[tuple[int, str], dict[str, Any]]]:
    evidence = values_of(connection, [row.id for row in rows])
    assets = list({row.asset_id for row in rows})
    wards = _wards(connection, scan, assets)
    unasked = _unasked(connection, scan, assets)
    for row in rows:
        value = {name: getattr(row, name) for name in _SEEN}
        value |= {"at": row.stamp, "evidence": evidence.get(row.id, {}), "raw": unpack(row.raw)}
        value["ward"] = wards.get((row.asset_id, pack_address(row.address)), "")
        value["unasked"] = unasked.get(row.asset_id, {})
        yield (row.asset_id, row.address), value


def _wards(connection: Connection, scan: int, assets: list[int]) -> dict[tuple[int, bytes], str]:
    wanted = (
        select(SIGHTS.c.asset_id, SIGHTS.c.packed, WARDS.c.name)
        .join(WARDS, WARDS.c.id == SIGHTS.c.ward_id)
        .where(SIGHTS.c.scan_id == scan, SIGHTS.c.asset_id.in_(assets))
    )
    return {(asset, packed): name for asset, packed, name in connection.execute(wanted)}


def _unasked(connection: Connection, scan: int, assets: list[int]) -> dict[int, dict[str, Any]]:
    """Why probes were not held; only of those that no later scan came to."""
    wanted = (
        select(ASSETS.c.id, UNASKED.c.reasons)
        .join(UNASKED, UNASKED.c.id == ASSETS.c.unasked_id)
        .where(ASSETS.c.id.in_(assets), ASSETS.c.last_scan_id == scan)
    )
    return {asset: json.loads(reasons) for asset, reasons in connection.execute(wanted)}
