"""Whether anybody still looks: when a site's last whole scan ended, and since when the next one is late."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from scanner.inventory.scans import IMPORTED
from scanner.inventory.tables import SCANS, SITES
from scanner.inventory.transactions import reading

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from scanner.inventory.store import Inventory


def last_whole_scan(inventory: Inventory, site: str) -> datetime | None:
    """When the newest scan of a site ended that came to its end; None where there is none.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    whole = (SCANS.c.state == "done", SCANS.c.profile != IMPORTED, SITES.c.name == site)
    with reading(inventory) as connection:
        ended: datetime | None = connection.scalar(select(func.max(SCANS.c.ended)).join(SITES).where(*whole))
    return ended


def late_since(last: datetime | None, after: timedelta, now: datetime) -> datetime | None:
    """Since when a scan is late; None where none is, or where there never was one to be late after."""
    if last is None or last + after >= now:
        return None
    return last + after
