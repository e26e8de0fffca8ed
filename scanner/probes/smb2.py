"""SMB 2 and 3 ([MS-SMB2]): the negotiation and one session setup, requests and parsers of the answers."""

from __future__ import annotations

import struct
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

from scanner.errors import ProtocolError
from scanner.probes import ntlm, spnego
from scanner.probes.netbios_session import wrap
from scanner.wire import Reader

if TYPE_CHECKING:
    from collections.abc import Mapping

MAGIC: Final = b"\xfeSMB"
DIALECTS: Final[Mapping[int, str]] = {
    0x0202: "2.0.2",
    0x0210: "2.1",
    0x0300: "3.0",
    0x0302: "3.0.2",
    0x0311: "3.1.1",
}
WILDCARD: Final = 0x02FF
"""The answer to "SMB 2.???": negotiate again, now in SMB 2 ([MS-SMB2] 2.2.4)."""

_STATUS_PENDING: Final = 0x00000103
_STATUS_MORE: Final = 0xC0000016
"""STATUS_MORE_PROCESSING_REQUIRED: a challenge is in it."""

_NEGOTIATE: Final = 0
_SESSION_SETUP: Final = 1
_REPLY: Final = 0x00000001
_SIGNING_ENABLED: Final = 0x01
_SIGNING_REQUIRED: Final = 0x02
_CAPABILITIES: Final = 0x0000007F
"""[MS-SMB2] 2.2.3: all that a current client has, so that the answer says what the server has."""
_CLIENT_GUID: Final = b"vetuste\0\0scanner"
"""It names a client machine for leases and channels, which need sessions; none is ever set up. Constant, so
that whoever watches the network can tell the scanner from others."""

_HEADER: Final = struct.Struct("<4sHHIHHIIQIIQ16x")
_NEGOTIATED: Final = struct.Struct("<HHHH16sIIIIQQHHI")
_NEGOTIATED_SIZE: Final = 65
_SETUP: Final = struct.Struct("<HHHH")
_SETUP_SIZE: Final = 9
_CONTEXT: Final = struct.Struct("<HHI")
_CONTEXTS_DIALECT: Final = 0x0311

_PREAUTH: Final = 1
_ENCRYPTION: Final = 2
_COMPRESSION: Final = 3
_SIGNING: Final = 8
_CONTEXT_NAMES: Final[Mapping[int, str]] = {
    _PREAUTH: "preauth",
    _ENCRYPTION: "encryption",
    _COMPRESSION: "compression",
    6: "transport",
    7: "rdma",
    _SIGNING: "signing",
}
"""[MS-SMB2] 2.2.3.1."""


class Negotiated(NamedTuple):
    """What a server answers to a negotiation ([MS-SMB2] 2.2.4)."""

    security_mode: int
    dialect: int
    guid: bytes
    capabilities: int
    max_transact: int
    """Bytes."""
    system_time: int
    """FILETIME."""
    start_time: int
    """FILETIME; 0 where the server does not say."""
    contexts: tuple[str, ...] = ()

    @property
    def signing(self) -> str:
        """required, enabled or disabled."""
        if self.security_mode & _SIGNING_REQUIRED:
            return "required"
        return "enabled" if self.security_mode & _SIGNING_ENABLED else "disabled"


class SessionSetup(NamedTuple):
    """The answer to a session setup."""

    status: int
    blob: bytes = b""
    """The security token; empty where the server refused."""

    @property
    def pending(self) -> bool:
        """Whether it is an interim answer, which the real one follows ([MS-SMB2] 3.3.4.2)."""
        return self.status == _STATUS_PENDING


def _message(command: int, message_id: int, charge: int, body: bytes) -> bytes:
    return wrap(_HEADER.pack(MAGIC, 64, charge, 0, command, 1, 0, 0, message_id, 0xFEFF, 0, 0) + body)


def _contexts() -> bytes:
    """[MS-SMB2] 2.2.3.1.1 to 2.2.3.1.7: all that a server may answer to over TCP, each with all choices.

    The salt is constant: it protects the keys of sessions, and none is set up.
    """
    contexts = (
        (_PREAUTH, struct.pack("<HHH32s", 1, 32, 1, _CLIENT_GUID * 2)),
        (_ENCRYPTION, struct.pack("<H4H", 4, 2, 1, 4, 3)),
        (_COMPRESSION, struct.pack("<HHI3H", 3, 0, 0, 3, 2, 1)),
        (_SIGNING, struct.pack("<H3H", 3, 2, 1, 0)),
    )
    packed = b""
    for kind, data in contexts:
        packed += bytes(-len(packed) % 8) + _CONTEXT.pack(kind, len(data), 0) + data
    return packed


@cache
def negotiate_request(message_id: int) -> bytes:
    """[MS-SMB2] 2.2.3, with every dialect from 2.0.2 to 3.1.1."""
    dialects = struct.pack(f"<{len(DIALECTS)}H", *DIALECTS)
    end = _HEADER.size + 36 + len(dialects)
    pad = bytes(-end % 8)
    fixed = struct.pack(
        "<HHHHI16sIHH",
        *(36, len(DIALECTS), _SIGNING_ENABLED, 0, _CAPABILITIES, _CLIENT_GUID, end + len(pad), 4, 0),
    )
    return _message(_NEGOTIATE, message_id, 0, fixed + dialects + pad + _contexts())


@cache
def session_setup_request(message_id: int) -> bytes:
    """[MS-SMB2] 2.2.5, with an offer of NTLM."""
    token = spnego.offer(ntlm.NEGOTIATE)
    fixed = struct.pack("<HBBIIHHQ", 25, 0, _SIGNING_ENABLED, 1, 0, _HEADER.size + 24, len(token), 0)
    return _message(_SESSION_SETUP, message_id, 1, fixed + token)


def _answer(body: bytes, command: int) -> tuple[int, Reader]:
    """Status and a reader at the body of an answer ([MS-SMB2] 2.2.1)."""
    reader = Reader(body)
    magic, size, _, status, found, _, flags, *_ = _HEADER.unpack(reader.bytes(_HEADER.size))
    if magic != MAGIC or size != _HEADER.size or found != command or not flags & _REPLY:
        raise ProtocolError(f"not an SMB 2 answer to command {command}: {body[:20].hex()}")
    return status, reader


def parse_negotiate(body: bytes) -> Negotiated:
    """Read a negotiation's answer.

    Raises:
        ProtocolError: it is no such answer, or a refusal.
    """
    status, reader = _answer(body, _NEGOTIATE)
    if status:
        raise ProtocolError(f"SMB 2 negotiation refused: {status:#010x}")
    fields = _NEGOTIATED.unpack(reader.bytes(_NEGOTIATED.size))
    size, mode, dialect, count, guid, capabilities, transact, _, _, now, start, _, _, at = fields
    if size != _NEGOTIATED_SIZE or not (dialect in DIALECTS or dialect == WILDCARD):
        raise ProtocolError(f"SMB 2 negotiation: size {size}, dialect {dialect:#06x}")
    contexts = _context_names(reader, count, at) if dialect == _CONTEXTS_DIALECT else ()
    return Negotiated(mode, dialect, guid, capabilities, transact, now, start, contexts)


def _context_names(reader: Reader, count: int, offset: int) -> tuple[str, ...]:
    """The names of the contexts that are known; each begins at a multiple of 8 ([MS-SMB2] 2.2.4)."""
    names = []
    reader.seek(offset)
    for _ in range(count):
        reader.skip(-reader.position % 8)
        kind, length, _ = _CONTEXT.unpack(reader.bytes(_CONTEXT.size))
        reader.skip(length)
        if kind in _CONTEXT_NAMES:
            names.append(_CONTEXT_NAMES[kind])
    return tuple(names)


def parse_session_setup(body: bytes) -> SessionSetup:
    """Read a session setup's answer, whatever its status ([MS-SMB2] 2.2.6).

    Raises:
        ProtocolError: it is no such answer.
    """
    status, reader = _answer(body, _SESSION_SETUP)
    if status not in (0, _STATUS_MORE):
        return SessionSetup(status)
    size, _, offset, length = _SETUP.unpack(reader.bytes(_SETUP.size))
    if size != _SETUP_SIZE:
        raise ProtocolError(f"SMB 2 session setup: size {size}")
    return SessionSetup(status, reader.slice(offset, length).rest() if length else b"")
