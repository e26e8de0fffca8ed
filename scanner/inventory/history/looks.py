"""Who looked at an address last: without it, nobody could say that a machine is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from sqlalchemy import select

from scanner.inventory.tables import SCANS, VISITS

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from scanner.inventory.history.sides import Side

_Block: TypeAlias = tuple[int, bytes]
"""A site, and its addresses without their last byte."""


class Looks:
    """The newest scan of one side that was done with each address."""

    def __init__(self, connection: Connection, side: Side) -> None:
        """Read the visits of the side's scans, of which a row stands for 256 addresses."""
        mine = VISITS.c.scan_id.in_(side.scans) if side.scans else VISITS.c.scan_id <= side.last
        wanted = (
            select(SCANS.c.site_id, VISITS.c.block, VISITS.c.scan_id, VISITS.c.addresses)
            .join(SCANS, SCANS.c.id == VISITS.c.scan_id)
            .where(mine)
            .order_by(VISITS.c.scan_id.desc())
            .execution_options(yield_per=1000)
        )
        self._newest: dict[_Block, list[tuple[int, int]]] = {}
        told: dict[_Block, int] = {}
        for site, block, scan, stored in connection.execute(wanted):
            bits, before = int.from_bytes(stored, "little"), told.get((site, block), 0)
            if bits & ~before:
                self._newest.setdefault((site, block), []).append((scan, bits & ~before))
                told[site, block] = before | bits

    def last(self, site: int, packed: bytes) -> int:
        """The newest scan that was done with an address of a site; 0 where none was."""
        for scan, bits in self._newest.get((site, packed[:-1]), ()):
            if bits >> packed[-1] & 1:
                return scan
        return 0
