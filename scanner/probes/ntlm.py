"""NTLM ([MS-NLMP]) up to the challenge: the negotiate message is sent, the challenge read, nothing follows.

The third message, which would try to log on, is in no part of this product.
"""

from __future__ import annotations

import struct
from codecs import utf_16_le_decode
from typing import TYPE_CHECKING, Final, NamedTuple

from scanner.wire import Reader, printable

if TYPE_CHECKING:
    from collections.abc import Mapping

_SIGNATURE: Final = b"NTLMSSP\0"

_UNICODE: Final = 0x00000001
_TARGET_IS_DOMAIN: Final = 0x00010000
_TARGET_IS_SERVER: Final = 0x00020000
_TARGET_INFO: Final = 0x00800000
_VERSION: Final = 0x02000000

_OFFERED: Final = 0xA2088207
"""[MS-NLMP] 2.2.2.5, as common clients offer them: Unicode and OEM names, a target name, NTLM, always sign,
extended session security, a version, 128 and 56 bits. Some hosts tell a version only to who offers one."""

NEGOTIATE: Final = struct.pack("<8sIIQQ8s", _SIGNATURE, 1, _OFFERED, 0, 0, b"\0\0\0\0\0\0\0\x0f")
"""[MS-NLMP] 2.2.1.1: no domain, no workstation; a version of zeros (it is informative only, 2.2.2.10)."""

_CHALLENGE: Final = struct.Struct("<8sIHHIIQ")
_VERSION_FIELD: Final = struct.Struct("<BBH")
_TARGET_INFO_FIELD: Final = struct.Struct("<HHI")
_TARGET_INFO_AT: Final = 40
_VERSION_AT: Final = 48
_VERSION_END: Final = 56

_PAIR: Final = struct.Struct("<HH")
_NAMES: Final[Mapping[int, str]] = {
    1: "ntlm.netbios_name",
    2: "ntlm.netbios_domain",
    3: "ntlm.dns_name",
    4: "ntlm.dns_domain",
    5: "ntlm.dns_forest",
}
"""[MS-NLMP] 2.2.2.1: the AV pairs that are names."""

KEYS: Final = ("ntlm.version", "ntlm.challenge", *_NAMES.values())
"""The evidence keys of :func:`facts`, whatever protocol brings the challenge."""

OEM: Final = "cp850"
"""What strings without a Unicode flag are read as: the OEM code page of Western European Windows, where a
byte always means a character; names in it are ASCII almost everywhere."""


class Challenge(NamedTuple):
    """What a host says of itself in a challenge ([MS-NLMP] 2.2.1.2)."""

    flags: int
    version: str | None
    """``5.1.2600``; None where the host sends none."""
    target: str
    """The name of the domain, or of the host where it is in none."""
    names: Mapping[str, str]
    """Evidence keys to names, those that are not empty."""


def parse_challenge(token: bytes) -> Challenge:
    """Read a challenge.

    Raises:
        ProtocolError: it is something else, or a field points outside of it.
    """
    reader = Reader(token)
    head = reader.bytes(_CHALLENGE.size)
    signature, kind, length, _, offset, flags, _ = _CHALLENGE.unpack(head)
    if signature != _SIGNATURE or kind != 2:  # noqa: PLR2004 - the message type of a challenge
        Reader(head).expect(_SIGNATURE + b"\2\0\0\0", "an NTLM challenge")
    raw = reader.slice(offset, length).rest() if length else b""
    target = (utf16(raw) if flags & _UNICODE else raw.decode(OEM)).rstrip("\0")
    payload = offset if length else len(token)
    names: dict[str, str] = {}
    if flags & _TARGET_INFO and payload >= _TARGET_INFO_AT + 8:
        reader.seek(_TARGET_INFO_AT)
        size, _, at = _TARGET_INFO_FIELD.unpack(reader.bytes(_TARGET_INFO_FIELD.size))
        if size:
            payload = min(payload, at)
            names = _pairs(reader.slice(at, size))
    return Challenge(flags, _version(reader, flags, payload), target, names or _named(flags, target))


def facts(token: bytes) -> dict[str, str]:
    """The evidence in a challenge; what it does not say is left out.

    Raises:
        ProtocolError: it is something else, or a field points outside of it.
    """
    challenge = parse_challenge(token)
    found = {key: printable(name) for key, name in challenge.names.items()}
    found["ntlm.challenge"] = "unversioned" if challenge.version is None else "versioned"
    if challenge.version:
        found["ntlm.version"] = challenge.version
    return {key: value for key, value in found.items() if value}


def _version(reader: Reader, flags: int, payload: int) -> str | None:
    """[MS-NLMP] 2.2.2.10; hosts that know no version let the payload begin where it would stand."""
    if not flags & _VERSION or payload < _VERSION_END:
        return None
    reader.seek(_VERSION_AT)
    major, minor, build = _VERSION_FIELD.unpack(reader.bytes(_VERSION_FIELD.size))
    return f"{major}.{minor}.{build}"


def _pairs(reader: Reader) -> dict[str, str]:
    """[MS-NLMP] 2.2.2.1; the list ends by its terminator, or where its length says."""
    names = {}
    while reader.remaining:
        kind, length = _PAIR.unpack(reader.bytes(_PAIR.size))
        if not kind:
            break
        value = reader.bytes(length)
        if kind in _NAMES:
            names[_NAMES[kind]] = utf16(value).rstrip("\0")
    return {key: name for key, name in names.items() if name}


def _named(flags: int, target: str) -> dict[str, str]:
    """Hosts that send no target information still say whose name the target is ([MS-NLMP] 2.2.2.5)."""
    if target and flags & _TARGET_IS_DOMAIN:
        return {"ntlm.netbios_domain": target}
    if target and flags & _TARGET_IS_SERVER:
        return {"ntlm.netbios_name": target}
    return {}


def utf16(raw: bytes) -> str:
    """Text in UTF-16; half a character at its end is dropped."""
    return utf_16_le_decode(raw, "replace", False)[0]  # noqa: FBT003 - the codec takes its "final" by place only
