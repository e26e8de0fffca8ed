"""Reading scans, and what they are done with."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from sqlalchemy import func, select

from scanner.addresses import AddressBits, AddressSet
from scanner.inventory.blocks import number_of_block
from scanner.inventory.ledger import unpacked
from scanner.inventory.rows import ScanRow
from scanner.inventory.tables import (
    ASSETS,
    CAMPAIGN_SCANS,
    IDENTITIES,
    LEDGER,
    OBSERVATIONS,
    SCANS,
    SITES,
    TAKEN,
    VISITS,
)
from scanner.inventory.transactions import reading

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement
    from sqlalchemy.engine import Connection

    from scanner.inventory.store import Inventory


def scans_rows(inventory: Inventory, site: str | None = None) -> tuple[ScanRow, ...]:
    """Every scan, newest first, of the site of that name or of all.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    with reading(inventory) as connection:
        return scans_in(connection, *(() if site is None else (SITES.c.name == site,)))


def scans_in(connection: Connection, *conditions: ColumnElement[bool]) -> tuple[ScanRow, ...]:
    """The scans of which all this holds, newest first."""
    wanted = select(SCANS, SITES.c.name.label("site")).join(SITES).where(*conditions)
    return tuple(
        ScanRow(
            id=row.id,
            site=row.site,
            started=row.started,
            ended=row.ended,
            state=row.state,
            profile=row.profile,
            scope=row.scope,
            versions=json.loads(row.versions),
            counts=json.loads(row.counts),
            request=json.loads(row.request),
            digest=row.digest,
        )
        for row in connection.execute(wanted.order_by(SCANS.c.id.desc()))
    )


IMPORTED: Final = "import"
"""The profile of what was no scan of ours: what others heard."""


def unfinished_scan(inventory: Inventory, site: str) -> ScanRow | None:
    """The newest scan of a site, if it did not end as done and nobody living goes on with it, or sealed it.

    One that was carried here is gone on with where it was made.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    newest = next((scan for scan in scans_rows(inventory, site) if scan.profile != IMPORTED), None)
    if newest is None or newest.state == "done" or inventory.database.lock(newest.id).held():
        return None
    with reading(inventory) as connection:
        for column in (CAMPAIGN_SCANS.c.scan_id, TAKEN.c.scan_id):
            if connection.scalar(select(column).where(column == newest.id).limit(1)) is not None:
                return None
    return replace(newest, state="killed") if newest.state == "running" else newest


def visited_in(inventory: Inventory, scan: int) -> AddressBits:
    """The addresses that a scan is done with: exactly, whatever later scans did.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    wanted = select(VISITS).where(VISITS.c.scan_id == scan)
    with reading(inventory) as connection:
        return AddressBits(
            {
                number_of_block(row.version, row.block) >> 8: int.from_bytes(row.addresses, "little")
                for row in connection.execute(wanted)
            }
        )


def known_in(inventory: Inventory, site: str) -> AddressSet:
    """The addresses at which machines of a site are known, from whatever source.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    wanted = select(ASSETS.c.packed).join(SITES).where(SITES.c.name == site)
    with reading(inventory) as connection:
        numbers = [unpacked(packed) for packed in connection.scalars(wanted)]
    return AddressSet((number, number) for number in numbers)


def progress_in(inventory: Inventory, scan: int) -> dict[str, int]:
    """What a scan did so far, as its counts name it: ``attempts``, ``seen``, ``identified``.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    heard = select(OBSERVATIONS.c.asset_id).where(OBSERVATIONS.c.scan_id == scan)
    known = select(ASSETS.c.id, IDENTITIES.c.candidates).join(IDENTITIES).where(ASSETS.c.id.in_(heard))
    with reading(inventory) as connection:
        attempts = connection.scalar(select(func.count()).where(LEDGER.c.scan_id == scan)) or 0
        candidates = [row.candidates for row in connection.execute(known)]
    return {
        "attempts": attempts,
        "seen": len(candidates),
        "identified": sum(each != "[]" for each in candidates),
    }
