"""The session service of NetBIOS ([RFC 1002] 4.3), and the framing that SMB over TCP took from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from scanner.simulator.machine import Machine

MESSAGE: Final = 0x00
REQUEST: Final = 0x81
KEEP_ALIVE: Final = 0x85

POSITIVE: Final = bytes.fromhex("82000000")
_ABSENT: Final = bytes.fromhex("8300000182")
"""Called name not present."""
_UNSPECIFIED: Final = bytes.fromhex("830000018f")
_ANYBODY: Final = "*SMBSERVER"
_ENCODED: Final = 32
HEADER: Final = 4


def framed(message: bytes) -> bytes:
    """A message behind its header; its length has 24 bits over TCP ([MS-SMB2] 2.1)."""
    return len(message).to_bytes(4, "big") + message


def length(data: bytes | bytearray) -> int:
    """How long the first message is, header included; 0 while the header is not whole."""
    if len(data) < HEADER:
        return 0
    return HEADER + int.from_bytes(data[1:4], "big")


def decoded(name: bytes) -> str:
    """A name of a session request ([RFC 1001] 14.1) without padding and suffix; empty where it is none."""
    if len(name) < 1 + _ENCODED or name[0] != _ENCODED:
        return ""
    halves = name[1 : 1 + _ENCODED]
    if not all(0x41 <= half <= 0x50 for half in halves):  # noqa: PLR2004 - the letters A to P
        return ""
    pairs = zip(halves[::2], halves[1::2], strict=True)
    return bytes((high - 0x41) << 4 | low - 0x41 for high, low in pairs)[:15].decode("latin-1").rstrip(" ")


def called(machine: Machine, frame: bytes) -> bytes:
    """The answer to a session request: Windows wants to be called by its name or ``*SMBSERVER``."""
    if machine.personality.samba:
        return POSITIVE
    name = decoded(frame[HEADER:])
    if not name:
        return _UNSPECIFIED
    return POSITIVE if name.upper() in {_ANYBODY, machine.name.upper()} else _ABSENT
