"""Scans whose parts are still delivered from elsewhere: no process here carries them out, and they live."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import exists, select

from scanner.inventory.tables import SCANS, TAKEN

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection


def going_on(connection: Connection) -> frozenset[int]:
    """The ids of those that nobody closed yet."""
    taken = exists().where(TAKEN.c.scan_id == SCANS.c.id)
    return frozenset(connection.scalars(select(SCANS.c.id).where(SCANS.c.state == "running", taken)))
