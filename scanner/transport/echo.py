"""ICMP echo, as bytes (RFC 792, RFC 4443 section 4): what ``ping`` sends, and nothing else of ICMP."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

TOKEN: Final = 8
"""Bytes of a request that nobody can guess, and that a reply must repeat ([RFC 1122] 3.2.2.6)."""
_SIZE: Final = 32
_REQUEST: Final = {4: 8, 6: 128}
_REPLY: Final = {4: 0, 6: 129}
_HEADER: Final = struct.Struct("!BBHHH")


class Reply(NamedTuple):
    """What an echo reply repeats of its request."""

    identifier: int
    sequence: int
    token: bytes


def request(version: int, identifier: int, sequence: int, token: bytes) -> bytes:
    """An echo request; of version 6 the kernel fills in the checksum, since it needs the addresses."""
    data = token + bytes(range(len(token), _SIZE))
    blank = _HEADER.pack(_REQUEST[version], 0, 0, identifier, sequence) + data
    checksum = _checksum(blank) if version == 4 else 0  # noqa: PLR2004 - the IP version
    return _HEADER.pack(_REQUEST[version], 0, checksum, identifier, sequence) + data


def reply_of(packet: bytes, version: int) -> Reply | None:
    """An echo reply; None of what is none.

    Args:
        packet: as a socket gives it: a raw one of version 4 with the IP header before it.
        version: of IP.
    """
    if packet[:1] and packet[0] >> 4 == 4:  # noqa: PLR2004 - an IP header (RFC 791); no ICMP reply begins so
        packet = packet[(packet[0] & 0x0F) * 4 :]
    if len(packet) < _HEADER.size + TOKEN:
        return None
    kind, code, _, identifier, sequence = _HEADER.unpack_from(packet)
    if (kind, code) != (_REPLY[version], 0):
        return None
    return Reply(identifier, sequence, packet[_HEADER.size : _HEADER.size + TOKEN])


def _checksum(data: bytes) -> int:
    """The ones' complement sum (RFC 1071) of an even number of bytes."""
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF
