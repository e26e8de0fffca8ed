"""What a client says of itself in NTLM ([MS-NLMP] 2.2.1.1, 2.2.1.3): its version, and its machine's name.

It is heard, never sent. Of the message that logs on nothing else is read: neither who it is for, nor the
responses, which are worth as much as a password to some; nor the domain, which is that person's.
"""

from __future__ import annotations

import struct
from typing import Final

from scanner.errors import ProtocolError
from scanner.probes import ntlm
from scanner.wire import Reader, printable

_NEGOTIATE: Final = 1
_AUTHENTICATE: Final = 3
_UNICODE: Final = 0x00000001
_WORKSTATION: Final = 0x00002000
_VERSION: Final = 0x02000000
_FIELD: Final = struct.Struct("<HHI")
_VERSION_FIELD: Final = struct.Struct("<BBH")
_NEGOTIATE_FIELDS: Final = 2
_AUTHENTICATE_FIELDS: Final = 6
_FIELD_OF_WORKSTATION: Final = 4
_NOBODY: Final = frozenset({"NULL", "WORKSTATION", "LOCALHOST"})
"""What programs without a name of their own put there: no machine's name."""
_UNSAID: Final = frozenset({"0.0.0", "255.255.65535"})
"""Versions of programs that know none: bytes of zeros, or of ones."""

KEYS: Final = ("ntlm.version", "ntlm.netbios_name")
"""The evidence keys of :func:`client_facts`, whatever protocol brings the message."""


def facts(token: bytes) -> tuple[dict[str, str], bool]:
    """The evidence in any message of NTLM, and whether it is a server's.

    Raises:
        ProtocolError: it is something else, or a field points outside of it.
    """
    if token[8:12] == b"\2\0\0\0":
        return ntlm.facts(token), True
    return client_facts(token), False


def client_facts(token: bytes) -> dict[str, str]:
    """The evidence in a message of a client; what it does not say is left out.

    Raises:
        ProtocolError: it is something else, or a field points outside of it.
    """
    reader = Reader(token)
    reader.expect(b"NTLMSSP\0", "NTLM")
    kind = reader.u32()
    if kind == _NEGOTIATE:
        version, name = _negotiate(reader)
    elif kind == _AUTHENTICATE:
        version, name = _authenticate(reader)
    else:
        raise ProtocolError(f"not a client's message of NTLM: type {kind}")
    found = {"ntlm.version": "" if version in _UNSAID else version, "ntlm.netbios_name": _machine(name)}
    return {key: value for key, value in found.items() if value}


def _negotiate(reader: Reader) -> tuple[str, str]:
    """[MS-NLMP] 2.2.1.1; the oldest clients end after the flags."""
    flags = reader.u32()
    if reader.remaining < _NEGOTIATE_FIELDS * _FIELD.size:
        return "", ""
    domain, workstation = (_field(reader) for _ in range(_NEGOTIATE_FIELDS))
    name = _bytes(reader, workstation).decode(ntlm.OEM) if flags & _WORKSTATION else ""
    return _version(reader, flags, (domain, workstation)), name


def _authenticate(reader: Reader) -> tuple[str, str]:
    """[MS-NLMP] 2.2.1.3: six fields, of which one is looked into, then flags and the version.

    Systems before Windows 2000 let the payload begin where the flags would stand.
    """
    fields = tuple(_field(reader) for _ in range(_AUTHENTICATE_FIELDS - 1))
    has_flags = _payload(fields) >= reader.position + _FIELD.size + 4
    flags = 0
    if has_flags:
        fields += (_field(reader),)
        flags = reader.u32()
    raw = _bytes(reader, fields[_FIELD_OF_WORKSTATION])
    wide = flags & _UNICODE if has_flags else b"\0" in raw
    name = ntlm.utf16(raw) if wide else raw.decode(ntlm.OEM)
    return _version(reader, flags, fields), name


def _field(reader: Reader) -> tuple[int, int]:
    """Length and offset of a field's content."""
    length, _, offset = _FIELD.unpack(reader.bytes(_FIELD.size))
    return length, offset


def _bytes(reader: Reader, field: tuple[int, int]) -> bytes:
    length, offset = field
    return reader.slice(offset, length).rest() if length else b""


def _payload(fields: tuple[tuple[int, int], ...]) -> int:
    """Where the first content begins."""
    return min((offset for length, offset in fields if length), default=1 << 32)


def _version(reader: Reader, flags: int, fields: tuple[tuple[int, int], ...]) -> str:
    """[MS-NLMP] 2.2.2.10, at the cursor; clients that know no version let the payload begin there."""
    if not flags & _VERSION or reader.remaining < 8 or _payload(fields) < reader.position + 8:  # noqa: PLR2004
        return ""
    major, minor, build = _VERSION_FIELD.unpack(reader.bytes(_VERSION_FIELD.size))
    return f"{major}.{minor}.{build}"


def _machine(name: str) -> str:
    """The name of a machine; nothing of what is no such name, so that a field that lies brings nothing else."""
    name = name.rstrip("\0")
    if len(name) > 15 or name.upper() in _NOBODY or "\0" in name or "@" in name:  # noqa: PLR2004 - of NetBIOS
        return ""
    return printable(name)
