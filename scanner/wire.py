"""Reading bytes that a stranger sent: one cursor, with bounds, that raises one error.

Every parser of the product reads through :class:`Reader`. No length, offset or encoding of a peer is trusted.
"""

from __future__ import annotations

import struct
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from scanner.errors import ProtocolError

if TYPE_CHECKING:
    import builtins
    from collections.abc import Iterable, Iterator, Mapping

VALUES: Final = 16
"""Values of a key that are kept: no classifier listens to more."""
_LONGEST: Final = 1024
"""Characters of a value that are looked at."""
_U16LE: Final = struct.Struct("<H").unpack_from
_U32LE: Final = struct.Struct("<I").unpack_from
_U16BE: Final = struct.Struct(">H").unpack_from
_U32BE: Final = struct.Struct(">I").unpack_from


class Reader:
    """A cursor over bytes, from ``start`` up to ``end`` (the whole buffer by default).

    Positions are counted from the first byte of ``data``, so offsets that a protocol counts from its header
    can be used as they are. Every read past the end raises :class:`ProtocolError`.
    """

    __slots__ = ("data", "end", "position")

    def __init__(self, data: builtins.bytes, start: int = 0, end: int | None = None) -> None:
        self.data = data
        self.end = len(data) if end is None else end
        self.position = start
        if not 0 <= start <= self.end <= len(data):
            raise ProtocolError(f"a structure lies outside the message: {start} to {end} of {len(data)}")

    @property
    def remaining(self) -> int:
        """How many bytes are left."""
        return self.end - self.position

    def _advance(self, count: int) -> int:
        start = self.position
        if count < 0 or count > self.end - start:
            raise ProtocolError(f"{count} bytes wanted at {start}, {self.end - start} left")
        self.position = start + count
        return start

    def bytes(self, count: int) -> builtins.bytes:
        """The next ``count`` bytes."""
        start = self._advance(count)
        return self.data[start : start + count]

    def rest(self) -> builtins.bytes:
        """Everything that is left."""
        return self.bytes(self.remaining)

    def skip(self, count: int) -> None:
        """Pass over ``count`` bytes."""
        self._advance(count)

    def u8(self) -> int:
        """An unsigned byte."""
        return self.data[self._advance(1)]

    def u16(self) -> int:
        """An unsigned 16-bit number, little-endian."""
        value: int = _U16LE(self.data, self._advance(2))[0]
        return value

    def u32(self) -> int:
        """An unsigned 32-bit number, little-endian."""
        value: int = _U32LE(self.data, self._advance(4))[0]
        return value

    def u16be(self) -> int:
        """An unsigned 16-bit number, big-endian."""
        value: int = _U16BE(self.data, self._advance(2))[0]
        return value

    def u32be(self) -> int:
        """An unsigned 32-bit number, big-endian."""
        value: int = _U32BE(self.data, self._advance(4))[0]
        return value

    def expect(self, magic: builtins.bytes, what: str) -> None:
        """Demand these very bytes.

        Raises:
            ProtocolError: it is something else than ``what``.
        """
        found = self.bytes(min(len(magic), self.remaining))
        if found != magic:
            raise ProtocolError(f"not {what}: {found.hex()}")

    def seek(self, position: int) -> None:
        """Go to an offset of the message, not past its end."""
        if not 0 <= position <= self.end:
            raise ProtocolError(f"offset {position} lies outside the message of {self.end} bytes")
        self.position = position

    def slice(self, offset: int, length: int) -> Reader:
        """A reader over ``length`` bytes at ``offset`` of the message; the cursor stays where it is."""
        if offset < 0 or length < 0 or offset + length > self.end:
            raise ProtocolError(f"{length} bytes at {offset} lie outside the message of {self.end} bytes")
        return Reader(self.data, offset, offset + length)

    @contextmanager
    def fence(self, length: int, what: str) -> Iterator[Reader]:
        """A sub-structure of ``length`` bytes that must be consumed to its last byte.

        Raises:
            ProtocolError: it is longer than what is left, or something of it was not read.
        """
        inner = self.slice(self.position, length)
        yield inner
        if inner.remaining:
            raise ProtocolError(f"{inner.remaining} bytes too many in {what}")
        self.position = inner.end


def printable(text: str, limit: int = 256) -> str:
    """``text`` from the network, made safe to keep and to print.

    Control characters (C0, C1, DEL), separators and bidirectional marks become U+FFFD, so that no terminal
    and no page obeys a peer; what is longer than ``limit`` characters is cut.
    """
    text = text[:limit]
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


def safe(words: Mapping[str, str | tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Evidence as it comes, made safe to keep; what is empty is left out."""
    kept = {}
    for key, given in words.items():
        values = _values((given,) if isinstance(given, str) else given)
        if values:
            kept[key] = values
    return kept


def _values(given: Iterable[str]) -> tuple[str, ...]:
    words = (printable(value[:_LONGEST].strip(" \t\r\n\0")) for value in given)
    return tuple(dict.fromkeys(word for word in words if word))[:VALUES]
