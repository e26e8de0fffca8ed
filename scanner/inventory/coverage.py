"""Which addresses were ever asked: 256 of them a row, one bit each.

A block is the first three bytes of IPv4 addresses (fifteen of IPv6); bit *n* of its maps stands for the
address that ends in *n*. Without it nobody could say what was *never* looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from sqlalchemy import select

from scanner.inventory.statements import insert_rows
from scanner.inventory.tables import COVERAGE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.engine import Connection

Blocks: TypeAlias = "dict[tuple[int, int], int]"
"""(IP version, address without its last byte) to the map of addresses asked."""

MAP_BYTES: Final = 32
_BLOCK_BYTES: Final = {4: 3, 6: 15}
_AT_ONCE: Final = 500
"""Blocks that are looked up in one statement."""


@dataclass(frozen=True, slots=True)
class CoverageWriter:
    """Adds what a scan asked to what was asked before."""

    site_id: int
    scan_id: int

    def write(self, connection: Connection, blocks: Mapping[tuple[int, int], int]) -> None:
        """Add blocks."""
        for version, length in _BLOCK_BYTES.items():
            asked = {
                block.to_bytes(length): bits for (family, block), bits in blocks.items() if family == version
            }
            names = list(asked)
            for start in range(0, len(names), _AT_ONCE):
                part = {name: asked[name] for name in names[start : start + _AT_ONCE]}
                insert_rows(connection, COVERAGE, self._values(connection, version, part), replace=True)

    def _values(self, connection: Connection, version: int, asked: Mapping[bytes, int]) -> list[object]:
        values: list[object] = []
        before = _known(connection, self.site_id, version, list(asked))
        for block, bits in asked.items():
            ever, latest, scan_id = before.get(block, (0, 0, self.scan_id))
            latest = latest | bits if scan_id == self.scan_id else bits
            maps = ((ever | bits).to_bytes(MAP_BYTES, "little"), latest.to_bytes(MAP_BYTES, "little"))
            values += (self.site_id, version, block, *maps, self.scan_id)
        return values


def _known(
    connection: Connection, site_id: int, version: int, blocks: Sequence[bytes]
) -> dict[bytes, tuple[int, int, int]]:
    columns = COVERAGE.c
    wanted = select(columns.block, columns.ever, columns.latest, columns.scan_id).where(
        columns.site_id == site_id, columns.version == version, columns.block.in_(blocks)
    )
    return {
        row.block: (int.from_bytes(row.ever, "little"), int.from_bytes(row.latest, "little"), row.scan_id)
        for row in connection.execute(wanted)
    }
