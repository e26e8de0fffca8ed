"""What comes of a capture, block by block: no more of it in memory than a block and what is wanted."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any, Final

from scanner.errors import VetusteError

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK: Final = 1 << 20
"""Bytes that are read at a time; of a stream, what is there."""
LONGEST: Final = (1 << 16) + 1024
"""The longest frame that is told: an IP packet, with whatever may be wrapped around it."""
SANE: Final = 262_144
"""The longest frame that anybody captures: what libpcap refuses (``MAXIMUM_SNAPLEN``) is damage."""


class DamageError(VetusteError):
    """A capture ends here, though it goes on: what stood before was taken."""


class Incoming:
    """A window over the bytes of a capture, moved on by who reads them."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self.data = b""
        """What is there and was not let go."""
        self.place = 0
        """Where that begins, in bytes of the (unpacked) capture."""
        self.packets = 0
        """How many were read, kept by who reads them."""

    def more(self, at: int, wanted: int) -> bool:
        """Let go what stands before ``at``, and wait until ``wanted`` bytes from there have come.

        Returns:
            Whether they have; if not, everything that is left is there.
        """
        parts = [self.data[at:]]
        self.place += at
        self.data = b""
        there = len(parts[0])
        while there < wanted and (block := next(self._blocks, b"")):
            parts.append(block)
            there += len(block)
        self.data = b"".join(parts)
        return there >= wanted

    def damage(self, text: str, at: int, **values: object) -> DamageError:
        """What is wrong at a byte of the window; the text may name {byte}, {packets} and others."""
        damage = DamageError(text)
        damage.values = {"byte": self.place + at, "packets": self.packets, **values}
        return damage

    def cut_short(self) -> DamageError:
        """The capture ends in the midst of what is left."""
        return self.damage("is cut short at byte {byte}; packets read: {packets}", len(self.data))


def blocks_of(stream: IO[bytes], size: int = BLOCK) -> Iterator[bytes]:
    """A stream as it comes: each block is what was there, at most ``size`` bytes."""
    read: Any = getattr(stream, "read1", stream.read)
    while block := read(size):
        yield block
