"""IP packets: their fragments put together, their headers taken off ([RFC 791] 3.1, [RFC 8200] section 3)."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address
from typing import Final, NamedTuple

_HEADER: Final = 20


class Carried(NamedTuple):
    """What an IP packet carries."""

    protocol: int
    source: bytes
    target: bytes
    data: bytes
    """Without the padding of the frame."""


class Packets:
    """Takes packets as they come, and gives whole ones."""

    def whole(self, data: bytes) -> Carried | None:
        """What a packet carries; None while fragments of it are missing, or where it is none."""
        if len(data) < _HEADER or data[0] >> 4 != 4:  # noqa: PLR2004 - the IP version
            return None
        header = (data[0] & 15) * 4
        total = int.from_bytes(data[2:4])
        return Carried(data[9], data[12:16], data[16:20], data[header : total or len(data)])


@lru_cache(maxsize=1 << 14)
def text_of(address: bytes) -> str:
    """An address of 4 or 16 bytes as text."""
    return str(ip_address(address))
