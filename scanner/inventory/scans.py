"""Reading scans and what they covered."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sqlalchemy import select

from scanner.inventory.rows import ScanRow
from scanner.inventory.tables import COVERAGE, SCANS, SITES
from scanner.inventory.transactions import reading

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scanner.inventory.store import Inventory


def scans_rows(inventory: Inventory, site: str | None = None) -> tuple[ScanRow, ...]:
    """Every scan, newest first, of the site of that name or of all.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    wanted = select(SCANS, SITES.c.name.label("site")).join(SITES).order_by(SCANS.c.id.desc())
    if site is not None:
        wanted = wanted.where(SITES.c.name == site)
    with reading(inventory) as connection:
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
            )
            for row in connection.execute(wanted)
        )


def asked_in(inventory: Inventory, scan: int) -> Iterator[tuple[int, int]]:
    """The addresses that a scan sent anything to, as (number, IP version), in order.

    Exact for as long as no later scan came to the same 256 addresses: what resuming the last one needs.

    Raises:
        InventoryError: the inventory cannot be read; raised by this call.
    """
    columns = COVERAGE.c
    wanted = select(columns.version, columns.block, columns.latest).where(columns.scan_id == scan)
    with reading(inventory) as connection:
        rows = connection.execute(wanted.order_by(columns.version, columns.block)).all()
    return (
        (int.from_bytes(row.block) << 8 | last, row.version)
        for row in rows
        for last in range(256)
        if row.latest[last >> 3] >> (last & 7) & 1
    )
