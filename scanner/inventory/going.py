"""Scans that are going on: how far they are, told by what they have written down so far."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from scanner.inventory.scans import IMPORTED
from scanner.inventory.tables import SCANS, SIGHTS, SITES, VISITS
from scanner.inventory.transactions import reading

if TYPE_CHECKING:
    from datetime import datetime

    from scanner.inventory.store import Inventory


@dataclass(frozen=True, slots=True)
class Going:
    """One scan that somebody living carries out."""

    id: int
    site: str
    profile: str
    started: datetime
    total: int
    """Addresses that it is to visit; 0: it does not say."""
    visited: int
    """Those that it is done with."""
    seen: int
    """Machines of which it heard."""

    @property
    def left(self) -> int:
        """Addresses that are to be visited yet."""
        return max(0, self.total - self.visited)


def going_scans(inventory: Inventory) -> tuple[Going, ...]:
    """The scans that a living process carries out, oldest first.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    wanted = select(SCANS, SITES.c.name.label("site")).join(SITES).order_by(SCANS.c.id)
    running = wanted.where(SCANS.c.state == "running", SCANS.c.profile != IMPORTED)
    with reading(inventory) as connection:
        rows = [row for row in connection.execute(running) if inventory.database.lock(row.id).held()]
        return tuple(
            Going(
                row.id,
                row.site,
                row.profile,
                row.started,
                sum(last - first + 1 for first, last in json.loads(row.spans)),
                sum(
                    int.from_bytes(bits, "little").bit_count()
                    for bits in connection.scalars(
                        select(VISITS.c.addresses).where(VISITS.c.scan_id == row.id)
                    )
                ),
                connection.scalar(
                    select(func.count(SIGHTS.c.asset_id.distinct())).where(SIGHTS.c.scan_id == row.id)
                )
                or 0,
            )
            for row in rows
        )
