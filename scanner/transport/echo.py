"""ICMP echo, as bytes (RFC 792, RFC 4443 section 4): what ``ping`` sends, and nothing else of ICMP."""

from __future__ import annotations

import struct
from typing import Final

_PAYLOAD: Final = bytes(range(32))
_REQUEST: Final = {4: 8, 6: 128}
_REPLY: Final = {4: 0, 6: 129}
_HEADER: Final = struct.Struct("!BBHHH")


def request(version: int, identifier: int, sequence: int) -> bytes:
    """An echo request; of version 6 the kernel fills in the checksum, since it needs the addresses."""
    blank = _HEADER.pack(_REQUEST[version], 0, 0, identifier, sequence) + _PAYLOAD
    checksum = _checksum(blank) if version == 4 else 0  # noqa: PLR2004 - the IP version
    return _HEADER.pack(_REQUEST[version], 0, checksum, identifier, sequence) + _PAYLOAD


def answers(packet: bytes, version: int, identifier: int | None, sequence: int) -> bool:
    """Whether a packet is the reply to a request.

    Args:
        packet: as a socket gives it: a raw one of version 4 with the IP header before it.
        version: of IP.
        identifier: of the request; None where the kernel chose it, and sorts replies itself.
        sequence: of the request.
    """
    if packet[:1] and packet[0] >> 4 == 4:  # noqa: PLR2004 - an IP header (RFC 791); no ICMP reply begins so
        packet = packet[(packet[0] & 0x0F) * 4 :]
    if len(packet) < _HEADER.size:
        return False
    kind, code, _, named, counted = _HEADER.unpack_from(packet)
    return (kind, code, counted) == (_REPLY[version], 0, sequence) and identifier in {None, named}


def _checksum(data: bytes) -> int:
    """The ones' complement sum (RFC 1071) of an even number of bytes."""
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF
