"""SMB 1 ([MS-CIFS], [MS-SMB]): the negotiation and one session setup, requests and parsers of the answers.

Requests are constants: one client speaks over each connection, one request at a time, so process, multiplex
and session identifiers need not vary ([MS-CIFS] 2.2.3.1 leaves them to the client).
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from scanner.errors import ProtocolError
from scanner.probes import ntlm, spnego
from scanner.probes.netbios_session import wrap
from scanner.wire import Reader

MAGIC: Final = b"\xffSMB"
DIALECT: Final = "NT LM 0.12"

_NEGOTIATE: Final = 0x72
_SESSION_SETUP: Final = 0x73

_REPLY: Final = 0x80
_UNICODE_STRINGS: Final = 0x8000
_FLAGS2: Final = 0xC853
"""[MS-SMB] 2.2.3.1, as every Windows since 2000 opens: Unicode, NT status codes, extended security, long
names, extended attributes, and signing where the server demands it."""
_FLAGS2_SETUP: Final = 0xC807
_FLAGS2_PLAIN: Final = 0xC003
_FLAGS2_OEM: Final = 0x4003

_HEADER: Final = struct.Struct("<4sBIBH12xHHHH")
_NO_TREE: Final = 0xFFFF
_PROCESS: Final = 0xFEFF

_CAP_UNICODE: Final = 0x00000004
_CAP_EXTENDED: Final = 0x80000000
_CAPABILITIES: Final = 0x000000D4
"""[MS-CIFS] 2.2.4.53.1: Unicode, NT commands, NT status codes, level II oplocks; none of them is used."""
_SIGNING_ENABLED: Final = 0x04
_SIGNING_REQUIRED: Final = 0x08

_BUFFER: Final = 4356
_MPX: Final = 1
"""One request at a time, which no server's limit is below."""
_VIRTUAL_CIRCUIT: Final = 1
"""Never 0: a server that sees 0 ends every other session of this machine with it ([MS-CIFS] 3.3.5.43)."""

_NEGOTIATED: Final = struct.Struct("<HBHHIIIIqhB")
_NEGOTIATED_WORDS: Final = 17
_CAPABILITIES_FIELD: Final = 7
_REFUSED: Final = 0xFFFF
_PLAIN_WORDS: Final = 3
_EXTENDED_WORDS: Final = 4


class Negotiated(NamedTuple):
    """What a server answers to the dialect NT LM 0.12 ([MS-CIFS] 2.2.4.52.2, [MS-SMB] 2.2.4.5.2)."""

    dialect_index: int
    security_mode: int
    max_mpx: int
    max_vcs: int
    max_buffer: int
    max_raw: int
    session_key: int
    capabilities: int
    system_time: int
    """FILETIME."""
    time_zone: int
    """Minutes west of UTC."""
    challenge_length: int
    flags2: int
    guid: bytes = b""
    """16 bytes, of extended security only."""
    blob: bytes = b""
    """The server's SPNEGO hints, of extended security only; empty where it wants NTLM without SPNEGO."""
    domain: str = ""
    server: str = ""

    @property
    def extended(self) -> bool:
        """Whether session setup carries security tokens rather than a response to an 8-byte challenge."""
        return bool(self.capabilities & _CAP_EXTENDED)

    @property
    def signing(self) -> str:
        """required, enabled or disabled."""
        if self.security_mode & _SIGNING_REQUIRED:
            return "required"
        return "enabled" if self.security_mode & _SIGNING_ENABLED else "disabled"


class SessionSetup(NamedTuple):
    """What a server says of itself at a session setup, granted or not ([MS-CIFS] 2.2.4.53.2)."""

    status: int
    flags2: int
    blob: bytes = b""
    native_os: str = ""
    native_lm: str = ""
    domain: str = ""


def _message(command: int, flags2: int, multiplex: int, words: bytes, data: bytes) -> bytes:
    header = _HEADER.pack(MAGIC, command, 0, 0x18, flags2, _NO_TREE, _PROCESS, 0, multiplex)
    counted = bytes([len(words) // 2]) + words + len(data).to_bytes(2, "little") + data
    return wrap(header + counted)


def _negotiate(*dialects: str) -> bytes:
    """[MS-CIFS] 2.2.4.52.1."""
    data = b"".join(b"\2" + dialect.encode("ascii") + b"\0" for dialect in dialects)
    return _message(_NEGOTIATE, _FLAGS2, 0, b"", data)


def _session_setup(blob: bytes) -> bytes:
    """[MS-SMB] 2.2.4.6.1, with a security token."""
    words = struct.pack(
        "<BBHHHHIHII",
        *(0xFF, 0, 0, _BUFFER, _MPX, _VIRTUAL_CIRCUIT, 0, len(blob), 0, _CAPABILITIES | _CAP_EXTENDED),
    )
    pad = b"\0" * (1 - len(blob) % 2)  # the blob begins at an odd offset, Unicode strings at an even one
    return _message(_SESSION_SETUP, _FLAGS2_SETUP, 1, words, blob + pad + bytes(4))


NEGOTIATE_ANY: Final = _negotiate(DIALECT, "SMB 2.002", "SMB 2.???")
"""SMB 1 or 2, whichever the server prefers ([MS-SMB2] 3.2.4.2.2.1)."""
NEGOTIATE_SMB1: Final = _negotiate(DIALECT)
SETUP_SPNEGO: Final = _session_setup(spnego.offer(ntlm.NEGOTIATE))
SETUP_NTLM: Final = _session_setup(ntlm.NEGOTIATE)


def anonymous_setup(negotiated: Negotiated) -> bytes:
    """A null session: no name, no domain, and passwords of no byte ([MS-CIFS] 2.2.4.53.1).

    Servers without extended security (NT 4, old Samba, small NAS) say their system nowhere else.
    """
    unicode_strings = bool(negotiated.capabilities & _CAP_UNICODE)
    capabilities = _CAPABILITIES if unicode_strings else _CAPABILITIES & ~_CAP_UNICODE
    words = struct.pack(
        "<BBHHHHIHHII",
        *(0xFF, 0, 0, _BUFFER, _MPX, _VIRTUAL_CIRCUIT, negotiated.session_key, 0, 0, 0, capabilities),
    )
    # User, domain, system and LAN manager, all empty; in Unicode after a pad, since they begin at byte 61.
    data = bytes(1 + 4 * 2) if unicode_strings else bytes(4)
    flags2 = _FLAGS2_PLAIN if unicode_strings else _FLAGS2_OEM
    return _message(_SESSION_SETUP, flags2, 1, words, data)


def _answer(body: bytes, command: int) -> tuple[int, int, Reader]:
    """Status, Flags2 and a reader at the words of an answer ([MS-CIFS] 2.2.3.1)."""
    reader = Reader(body)
    magic, found, status, flags, flags2, *_ = _HEADER.unpack(reader.bytes(_HEADER.size))
    if magic != MAGIC or found != command or not flags & _REPLY:
        raise ProtocolError(f"not an SMB 1 answer to command {command:#04x}: {body[:10].hex()}")
    return status, flags2, reader


def parse_negotiate(body: bytes) -> Negotiated | None:
    """Read a negotiation's answer; None where the server speaks no dialect that was offered.

    Raises:
        ProtocolError: it is no such answer.
    """
    status, flags2, reader = _answer(body, _NEGOTIATE)
    words = reader.u8()
    if words == 1 and reader.u16() == _REFUSED:
        return None
    if status:
        return None
    if words != _NEGOTIATED_WORDS:
        raise ProtocolError(f"{words} words in an answer to {DIALECT}")
    fields = _NEGOTIATED.unpack(reader.bytes(_NEGOTIATED.size))
    data = _data(reader)
    if fields[_CAPABILITIES_FIELD] & _CAP_EXTENDED:
        return Negotiated._make((*fields, flags2, data.bytes(16), data.rest(), "", ""))
    data.skip(fields[-1])
    domain, server = _names(data.rest(), unicode_flag=bool(flags2 & _UNICODE_STRINGS))
    return Negotiated._make((*fields, flags2, b"", b"", domain, server))


def parse_session_setup(body: bytes) -> SessionSetup:
    """Read a session setup's answer, whatever its status.

    Raises:
        ProtocolError: it is no such answer.
    """
    status, flags2, reader = _answer(body, _SESSION_SETUP)
    words = reader.u8()
    if words not in (_PLAIN_WORDS, _EXTENDED_WORDS):
        return SessionSetup(status, flags2)  # a refusal without words says nothing of the server
    reader.skip(
        _PLAIN_WORDS * 2
    )  # the AndX block and the action: nothing was chained, so no offset is followed
    length = reader.u16() if words == _EXTENDED_WORDS else 0
    data = _data(reader)
    blob = data.bytes(length)
    return SessionSetup(status, flags2, blob, *_strings(data, flags2))


def _data(reader: Reader) -> Reader:
    """A reader over the data bytes: ByteCount bounds every string ([MS-CIFS] 2.2.3.3)."""
    length = reader.u16()
    return reader.slice(reader.position, length)


def _strings(data: Reader, flags2: int) -> list[str]:
    """NativeOS, NativeLanMan, PrimaryDomain; the last ones may be missing.

    2000, XP and 2003 cut the last NUL in half.
    """
    if not flags2 & _UNICODE_STRINGS:
        return _first_three(data.rest().decode(ntlm.OEM))
    if data.position % 2 and data.remaining:
        data.skip(1)  # Unicode strings are aligned to the message's beginning ([MS-CIFS] 2.2.1.1.2)
    return _first_three(ntlm.utf16(data.rest()))


def _names(raw: bytes, *, unicode_flag: bool) -> list[str]:
    """DomainName and ServerName of a negotiation without extended security.

    Windows sends them in UTF-16 whatever the flag says: a NUL after the first character and a NUL of two
    bytes further on tell it from OEM text. They are not aligned.
    """
    text = ntlm.utf16(raw)
    if not (unicode_flag or (raw[1:2] == b"\0" and "\0" in text)):
        text = raw.decode(ntlm.OEM)
    return _first_three(text)[:2]


def _first_three(text: str) -> list[str]:
    return [*text.split("\0", 3), "", "", ""][:3]
