"""IP packets: their fragments put together, their headers taken off ([RFC 791] 3.1, [RFC 8200] section 3)."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address
from typing import Final, NamedTuple

from scanner.capture.fragments import Fragments

_SHORTEST: Final = 20
_SHORTEST_OF_6: Final = 40
_MORE: Final = 0x2000
_FRAGMENT: Final = 44
_AUTHENTICATED: Final = 51
_EXTENSIONS: Final = (0, 43, 60)
"""Hop-by-hop options, routing, destination options ([RFC 8200] 4.3 to 4.6): they say their length alike."""
_CHAIN: Final = 16
"""Extension headers of a packet at most."""


class Carried(NamedTuple):
    """What an IP packet carries."""

    protocol: int
    source: bytes
    target: bytes
    data: bytes
    """Without the padding of the frame."""


class Packets:
    """Takes packets as they come, and gives whole ones."""

    def __init__(self) -> None:
        self._fragments = Fragments()

    def whole(self, data: bytes) -> Carried | None:
        """What a packet carries; None while fragments of it are missing, or where it is none.

        What a capture did not keep of it is missing at its end.
        """
        version = data[0] >> 4 if data else 0
        if version == 4 and len(data) >= _SHORTEST:  # noqa: PLR2004 - the IP version
            return self._of_4(data)
        if version == 6 and len(data) >= _SHORTEST_OF_6:  # noqa: PLR2004 - the IP version
            return self._of_6(data)
        return None

    def _of_4(self, data: bytes) -> Carried | None:
        header, total = (data[0] & 15) * 4, int.from_bytes(data[2:4])
        # the length is 0 where the card cuts the segment later than it was captured
        if not _SHORTEST <= header <= (total or len(data)):
            return None
        carried: Carried | None
        carried = Carried(data[9], data[12:16], data[16:20], data[header : total or len(data)])
        place = int.from_bytes(data[6:8])
        if place & (_MORE | 0x1FFF):
            carried = self._put_together(carried, data[4:6], (place & 0x1FFF) * 8, last=not place & _MORE)
        return carried and self._without_extensions(carried)

    def _of_6(self, data: bytes) -> Carried | None:
        length = int.from_bytes(data[4:6])
        rest = data[_SHORTEST_OF_6 : _SHORTEST_OF_6 + length if length else len(data)]
        return self._without_extensions(Carried(data[6], data[8:24], data[24:40], rest))

    def _without_extensions(self, carried: Carried) -> Carried | None:
        for _ in range(_CHAIN):
            protocol, source, target, data = carried
            if protocol in _EXTENSIONS:
                length = (data[1] + 1) * 8 if len(data) > 1 else 0
            elif protocol == _AUTHENTICATED:  # [RFC 4302] section 2
                length = (data[1] + 2) * 4 if len(data) > 1 else 0
            elif protocol == _FRAGMENT and len(data) >= 8:  # noqa: PLR2004 - its header
                place = int.from_bytes(data[2:4])
                piece = Carried(data[0], source, target, data[8:])
                if place & ~6:  # it may be in one piece
                    whole = self._put_together(piece, data[4:8], place & ~7, last=not place & 1)
                    if whole is None:
                        return None
                    piece = whole
                carried = piece
                continue
            else:
                return carried
            if not 0 < length <= len(data):
                return None
            carried = Carried(data[0], source, target, data[length:])
        return None

    def _put_together(self, piece: Carried, name: bytes, start: int, *, last: bool) -> Carried | None:
        protocol, source, target, data = piece
        key = bytes((protocol,)) + name + source + target
        whole = self._fragments.add(key, start, data, last=last)
        return None if whole is None else Carried(protocol, source, target, whole)


@lru_cache(maxsize=1 << 14)
def text_of(address: bytes) -> str:
    """An address of 4 or 16 bytes as text."""
    return str(ip_address(address))
