"""The name service of NetBIOS, as far as a machine tells its own names ([RFC 1002] 4.2.17, 4.2.18)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from scanner.simulator import netbios

if TYPE_CHECKING:
    from scanner.simulator.machine import Machine

_HEADER: Final = struct.Struct(">HHHHHH")
_NODE_STATUS: Final = bytes.fromhex("00210001")
"""NBSTAT in the internet's class: how a question ends."""
_ANSWER: Final = 0x8400
"""Flags of a response that is authoritative."""
_RESPONSE: Final = 0x8000
_UNIQUE: Final = 0x0400
_GROUP: Final = 0x8400
"""NAME_FLAGS of an active name of a node that broadcasts."""
_STATISTICS: Final = 46
_ANYBODY: Final = "*"


def _names(machine: Machine) -> list[tuple[str, int, int]]:
    name, group = machine.name, machine.domain
    if machine.personality.samba:
        return [
            *((name, suffix, _UNIQUE) for suffix in (0x00, 0x03, 0x20)),
            *((group, suffix, _GROUP) for suffix in (0x00, 0x1E)),
        ]
    return [(name, 0x00, _UNIQUE), (group, 0x00, _GROUP), (name, 0x20, _UNIQUE), (group, 0x1E, _GROUP)]


def answer(machine: Machine, datagram: bytes, _now: int) -> bytes:
    """What a machine says to one datagram; nothing but to a question for its names."""
    if len(datagram) < _HEADER.size:
        return b""
    number, flags, questions, *_ = _HEADER.unpack_from(datagram)
    asked, kind = datagram[_HEADER.size : -4], datagram[-4:]
    called = netbios.decoded(asked).rstrip("\0").upper()
    if flags & _RESPONSE or questions != 1 or kind != _NODE_STATUS or called not in {_ANYBODY, machine.name}:
        return b""
    names = _names(machine)
    listed = b"".join(
        name.upper().encode("ascii").ljust(15) + struct.pack(">BH", suffix, name_flags)
        for name, suffix, name_flags in names
    )
    # Samba tells neither its unit id nor any statistics; Windows only the id, which is its MAC address.
    unit = b"" if machine.personality.samba else machine.mac
    data = bytes((len(names),)) + listed + unit.ljust(_STATISTICS, b"\0")
    head = _HEADER.pack(number, _ANSWER, 0, 1, 0, 0)
    return head + asked + kind + struct.pack(">IH", 0, len(data)) + data
