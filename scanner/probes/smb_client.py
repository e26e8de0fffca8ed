"""What a client says of itself in SMB ([MS-CIFS] 2.2.4.52 and 2.2.4.53, [MS-SMB] 2.2.4.6, [MS-SMB2] 2.2.3).

It is heard, never sent. Accounts, passwords and responses are passed over; the domain at their side is the
account's, not the machine's, and is passed over as well.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from scanner.errors import ProtocolError
from scanner.probes import ntlm, smb1, smb2
from scanner.wire import Reader

_NEGOTIATE: Final = 0x72
_SESSION_SETUP: Final = 0x73
_SMB2_SESSION_SETUP: Final = 1
_UNICODE_STRINGS: Final = 0x8000
_HEADER: Final = 32
_SMB2_HEADER: Final = 64
_MOST_DIALECTS: Final = 32
_DIALECT: Final = 2
"""What stands before each dialect's name."""

_LANMAN_WORDS: Final = 10
_EXTENDED_WORDS: Final = 12
_PLAIN_WORDS: Final = 13
_BEFORE_LENGTHS: Final = 14
"""Bytes of words before the lengths of a session setup: AndX, buffer, requests, circuit, session key."""
_ACCOUNTS: Final = 2
"""Strings that stand before the system's in a setup that brings no security token: account and domain."""
_SHORTEST: Final = 2
_SETUP_SIZE: Final = 25


class SessionSetup(NamedTuple):
    """A session setup of a client."""

    blob: bytes = b""
    """The security token."""
    native_os: str = ""
    native_lm: str = ""


def parse_dialects(body: bytes) -> tuple[str, ...]:
    """The dialects that a client of SMB 1 offers, in their order ([MS-CIFS] 2.2.4.52.1).

    Raises:
        ProtocolError: it is no such request.
    """
    _, reader = _request(body, _NEGOTIATE)
    reader.skip(reader.u8() * 2)
    data = _data(reader)
    found: list[str] = []
    while data.remaining and len(found) < _MOST_DIALECTS:
        if data.u8() != _DIALECT:
            raise ProtocolError("SMB 1: a negotiation without dialects")
        raw = data.data[data.position : data.end].partition(b"\0")[0]
        data.skip(min(len(raw) + 1, data.remaining))
        found.append(raw.decode(ntlm.OEM))
    return tuple(found)


def parse_session_setup(body: bytes) -> SessionSetup:
    """What a client of SMB 1 says of its system at a session setup, in any of its three forms.

    Raises:
        ProtocolError: it is no such request.
    """
    flags2, reader = _request(body, _SESSION_SETUP)
    words = reader.u8()
    if words not in (_LANMAN_WORDS, _EXTENDED_WORDS, _PLAIN_WORDS):
        raise ProtocolError(f"SMB 1: a session setup of {words} words")
    end = reader.position + words * 2
    reader.skip(_BEFORE_LENGTHS)
    first = reader.u16()
    second = reader.u16() if words == _PLAIN_WORDS else 0
    reader.seek(end)
    data = _data(reader)
    if words == _EXTENDED_WORDS:
        blob = data.bytes(first)
        return SessionSetup(blob, *_system(_strings(data, flags2)))
    data.skip(first + second)
    return SessionSetup(b"", *_beside_account(_strings(data, flags2)))


def parse_smb2_setup(body: bytes) -> bytes:
    """The security token of a client of SMB 2 at a session setup ([MS-SMB2] 2.2.5).

    Raises:
        ProtocolError: it is no such request.
    """
    reader = Reader(body)
    reader.expect(smb2.MAGIC, "SMB 2")
    reader.seek(12)
    if reader.u16() != _SMB2_SESSION_SETUP:
        raise ProtocolError("SMB 2: no session setup")
    reader.seek(_SMB2_HEADER)
    if reader.u16() != _SETUP_SIZE:
        raise ProtocolError("SMB 2: a session setup of another size")
    reader.skip(10)
    offset, length = reader.u16(), reader.u16()
    return reader.slice(offset, length).rest() if length else b""


def parse_smb2_dialects(body: bytes) -> tuple[int, ...]:
    """The dialects that a client of SMB 2 offers ([MS-SMB2] 2.2.3).

    Raises:
        ProtocolError: it is no such request.
    """
    reader = Reader(body)
    reader.expect(smb2.MAGIC, "SMB 2")
    reader.seek(_SMB2_HEADER)
    reader.skip(2)
    count = reader.u16()
    reader.skip(32)
    return tuple(reader.u16() for _ in range(min(count, _MOST_DIALECTS)))


def _request(body: bytes, command: int) -> tuple[int, Reader]:
    """Flags2 and a reader at the words of a request ([MS-CIFS] 2.2.3.1)."""
    reader = Reader(body)
    reader.expect(smb1.MAGIC + bytes([command]), f"SMB 1 command {command:#04x}")
    reader.skip(5)
    flags2 = reader.u16()
    reader.seek(_HEADER)
    return flags2, reader


def _data(reader: Reader) -> Reader:
    """The data bytes; a count of more than there is, as some clients send, ends with the message."""
    length = min(reader.u16(), reader.remaining)
    return reader.slice(reader.position, length)


def _strings(data: Reader, flags2: int) -> list[str]:
    """Strings to the end; in Unicode from an even offset on ([MS-CIFS] 2.2.1.1.2), the last cut in half."""
    if not flags2 & _UNICODE_STRINGS:
        return data.rest().decode(ntlm.OEM).split("\0")
    if data.position % 2 and data.remaining:
        data.skip(1)
    return ntlm.utf16(data.rest()).split("\0")


def _beside_account(strings: list[str]) -> tuple[str, str]:
    """The system's strings after an account and its domain; none where there are more than can be."""
    while strings and not strings[-1]:
        strings.pop()
    native_os, native_lm = _system(strings[_ACCOUNTS:])
    known = _ACCOUNTS + (2 if strings[_ACCOUNTS + 1 :][:1] != [""] else 3)
    return (native_os, native_lm) if len(strings) <= known else ("", "")


def _system(strings: list[str]) -> tuple[str, str]:
    """NativeOS and NativeLanMan; some clients send one string too many between them ([MS-SMB] appendix A).

    What is no plain text of ASCII is none of either: a length that lies must not make something else of an
    account's name.
    """
    native_os, native_lm, third = [*strings, "", "", ""][:3]
    if native_os and not native_lm and _ends_with_version(third):
        native_lm = third
    return _plain(native_os), _plain(native_lm)


def _ends_with_version(text: str) -> bool:
    return text.rpartition(" ")[2].replace(".", "", 1).isdecimal()


def _plain(text: str) -> str:
    return text if len(text) >= _SHORTEST and text.isascii() and text.isprintable() else ""
