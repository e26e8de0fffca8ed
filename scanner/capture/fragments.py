"""Fragments of IP packets, put together ([RFC 791] 3.2, [RFC 8200] 4.5).

Of bytes that come twice the first count. Packets of which fragments are missing are kept in bounds: many of
them, or large ones, make the oldest be forgotten, so that nobody fills the memory with first halves.
"""

from __future__ import annotations

from typing import Final

LARGEST: Final = 0xFFFF
"""Bytes of a packet at most: what would reach beyond is an attack on whoever copies it."""
PIECES: Final = 512
"""Fragments of one packet at most, those that come twice not counted."""
_INCOMPLETE: Final = 1_024
"""Packets that wait for more."""
_HELD: Final = 8 << 20
"""Bytes of them all."""
_EACH: Final = 256
"""Bytes that a fragment counts for beyond its own, so that many small ones are not for nothing."""


class _Pieces:
    """What has come of one packet."""

    __slots__ = ("bytes", "came", "total")

    def __init__(self) -> None:
        self.came: dict[tuple[int, int], bytes] = {}
        self.bytes = 0
        self.total: int | None = None
        """How long it is: known when its last fragment has come."""

    @property
    def held(self) -> int:
        """What it counts for, in bytes."""
        return self.bytes + _EACH * len(self.came)

    def add(self, start: int, data: bytes, *, last: bool) -> None:
        """Take a fragment."""
        end = start + len(data)
        if last and self.total is None:
            self.total = end
        if (start, end) not in self.came:
            self.came[start, end] = data
            self.bytes += len(data)

    def whole(self) -> bytes | None:
        """The packet, where nothing of it is missing."""
        if self.total is None or self.bytes < self.total:
            return None
        reached = 0
        for start, end in sorted(self.came):
            if start > reached:
                break
            reached = max(reached, end)
        if reached < self.total:
            return None
        packet = bytearray(max(end for _, end in self.came))
        for (start, end), data in reversed(self.came.items()):  # the first is written last
            packet[start:end] = data
        return bytes(packet[: self.total])


class Fragments:
    """Packets that are not yet whole."""

    def __init__(self) -> None:
        self._packets: dict[bytes, _Pieces] = {}
        self._held = 0

    @property
    def held(self) -> int:
        """What all of them count for, in bytes."""
        return self._held

    def add(self, key: bytes, start: int, data: bytes, *, last: bool) -> bytes | None:
        """Take a fragment of the packet of that key; the whole packet where only this was missing."""
        if start + len(data) > LARGEST or not (data or last):
            return None
        pieces = self._packets.setdefault(key, _Pieces())
        before = pieces.held
        pieces.add(start, data, last=last)
        self._held += pieces.held - before
        packet = pieces.whole()
        if packet is not None or len(pieces.came) > PIECES:
            self._forget(key)
        while self._held > _HELD or len(self._packets) > _INCOMPLETE:
            self._forget(next(iter(self._packets)))
        return packet

    def _forget(self, key: bytes) -> None:
        self._held -= self._packets.pop(key).held
