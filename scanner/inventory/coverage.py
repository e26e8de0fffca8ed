"""Which addresses were ever asked, and which each scan is done with: 256 of them a row, one bit each.

A block is the first three bytes of IPv4 addresses (fifteen of IPv6); bit *n* of its map stands for the
address that ends in *n*. Without it nobody could say what was *never* looked at.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from scanner.inventory.blocks import BLOCK_BYTES, block_of
from scanner.inventory.statements import insert_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Table
    from sqlalchemy.engine import Connection

MAP_BYTES: Final = 32
_AT_ONCE: Final = 500
"""Blocks that are looked up in one statement."""


@dataclass(slots=True)
class Marks:
    """Addresses to be added to one owner's maps; rows are (owner, version, block, map)."""

    table: Table
    owner: int
    _waiting: dict[int, int] = field(default_factory=dict)
    """By address without its last byte."""
    _kept: dict[int, int] = field(default_factory=dict)
    """Bits that are known to be stored; nobody ever takes one back."""

    def mark(self, number: int) -> None:
        """Add an address."""
        self.mark_all(number >> 8, 1 << (number & 0xFF))

    def mark_all(self, block: int, bits: int) -> None:
        """Add addresses of a block: a place on the number line without its last byte."""
        if bits & ~self._kept.get(block, 0):
            self._waiting[block] = self._waiting.get(block, 0) | bits

    def write(self, connection: Connection) -> None:
        """Write what was added, to what others may have added meanwhile."""
        waiting, self._waiting = self._waiting, {}
        blocks = list(waiting)
        for start in range(0, len(blocks), _AT_ONCE):
            part = blocks[start : start + _AT_ONCE]
            values: list[object] = []
            for block, stored in zip(part, self._stored(connection, part), strict=True):
                bits = self._kept[block] = stored | waiting[block]
                if bits != stored:
                    values += (self.owner, *block_of(block << 8), bits.to_bytes(MAP_BYTES, "little"))
            insert_rows(connection, self.table, values, replace=True)

    def _stored(self, connection: Connection, blocks: Sequence[int]) -> Iterable[int]:
        owner, version, name, bits = self.table.c
        keys = [block_of(block << 8) for block in blocks]
        found: dict[tuple[int, bytes], bytes] = {}
        for family in BLOCK_BYTES:
            names = [key[1] for key in keys if key[0] == family]
            if names:
                mine = select(version, name, bits).where(
                    owner == self.owner, version == family, name.in_(names)
                )
                found |= {(row[0], row[1]): row[2] for row in connection.execute(mine)}
        return [int.from_bytes(found.get(key, b""), "little") for key in keys]
