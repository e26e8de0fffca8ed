"""The NTLM messages that a server reads and writes ([MS-NLMP] 2.2.1); the simulator's own codec."""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from scanner.simulator.machine import Machine

SIGNATURE: Final = b"NTLMSSP\0"
NEGOTIATE: Final = 1
AUTHENTICATE: Final = 3

_UNICODE: Final = 0x00000001
_OEM: Final = 0x00000002
_TARGET_DOMAIN: Final = 0x00010000
_TARGET_SERVER: Final = 0x00020000
_TARGET_INFO: Final = 0x00800000
_VERSION: Final = 0x02000000
_GRANTED: Final = 0xE0088235
"""What a server grants when it is asked for: it drops OEM beside Unicode, LM keys and the anonymous bit."""

_CHALLENGE: Final = struct.Struct("<8sIHHII8s8xHHI")
_PAIR: Final = struct.Struct("<HH")


def wide(text: str) -> bytes:
    """Text in UTF-16, little-endian, without a terminator."""
    return text.encode("utf-16-le")


def kind(message: bytes) -> int:
    """The type of an NTLM message, 0 where it is none."""
    if len(message) < 16 or not message.startswith(SIGNATURE):  # noqa: PLR2004 - signature, type and flags
        return 0
    return int.from_bytes(message[8:12], "little")


def is_anonymous(message: bytes) -> bool:
    """Whether an AUTHENTICATE message ([MS-NLMP] 2.2.1.3) names nobody and answers nothing."""
    answered = int.from_bytes(message[20:22], "little")
    named = int.from_bytes(message[36:38], "little")
    return not answered and not named


def _pair(number: int, value: bytes) -> bytes:
    return _PAIR.pack(number, len(value)) + value


def target_info(machine: Machine, now: int) -> bytes:
    """The AV_PAIRs of a challenge ([MS-NLMP] 2.2.2.1), in the order in which this kind writes them."""
    kind_of = machine.personality
    domain = machine.domain if machine.joined else machine.name
    if kind_of.samba:
        dns_domain = wide(machine.dns_domain) or b"\0\0"
    else:
        dns_domain = wide(machine.dns_domain or machine.dns_name)
    pairs = [
        _pair(2, wide(domain)),
        _pair(1, wide(machine.name)),
        _pair(4, dns_domain),
        _pair(3, wide(machine.dns_name)),
    ]
    if machine.joined:
        pairs.append(_pair(5, wide(machine.dns_forest)))
    if machine.guests and not kind_of.samba:
        pairs.append(_pair(6, b"\1\0\0\0"))
    if kind_of.timestamp:
        pairs.append(_pair(7, now.to_bytes(8, "little")))
    pairs.append(_pair(0, b""))
    return b"".join(pairs)


@lru_cache(maxsize=64)
def _version(text: str) -> bytes:
    if not text:
        return b""
    major, minor, build = map(int, text.split("."))
    return struct.pack("<BBH3xB", major, minor, build, 15)


def challenge(machine: Machine, negotiate: bytes, nonce: bytes, now: int) -> bytes:
    """The CHALLENGE ([MS-NLMP] 2.2.1.2) with which this machine answers a NEGOTIATE."""
    asked = int.from_bytes(negotiate[12:16], "little")
    flags = asked & _GRANTED | (_TARGET_DOMAIN if machine.joined else _TARGET_SERVER)
    info = target_info(machine, now) if machine.personality.extended else b""
    if info:
        flags |= _TARGET_INFO
    target = machine.domain if machine.joined else machine.name
    if asked & _UNICODE:
        name = wide(target)
    else:
        flags |= asked & _OEM
        name = target.encode("ascii")
    version = _version(machine.personality.ntlm)
    if version:
        flags |= _VERSION
    start = _CHALLENGE.size + len(version)
    head = _CHALLENGE.pack(
        SIGNATURE, 2, len(name), len(name), start, flags, nonce, len(info), len(info), start + len(name)
    )
    return b"".join((head, version, name, info))
