"""SMB2 and SMB3 as servers answer them ([MS-SMB2] 2.2): the simulator's own codec."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from scanner.simulator.machine import Machine
    from scanner.simulator.personalities import Personality

MAGIC: Final = b"\xfeSMB"
NEGOTIATE: Final = 0
SESSION_SETUP: Final = 1
LOGOFF: Final = 2
TREE_CONNECT: Final = 3
TREE_DISCONNECT: Final = 4
CANCEL: Final = 12
ECHO: Final = 13

ANY: Final = 0x02FF
"""The dialect that says: negotiate again, in SMB2 ([MS-SMB2] 2.2.4)."""
_FIRST: Final = 0x0202
_THREE: Final = 0x0300
_LATEST: Final = 0x0311

_HEADER: Final = struct.Struct("<4sHHIHHIIQIIQ16x")
_NEGOTIATED: Final = struct.Struct("<HHHH16sIIIIQQHHI")
_SMALL: Final = 65536
_PRIORITY: Final = 0x70
_SESSION: Final = 0x0000_0400_0000_0019
"""The session that a client gets; connections do not know each other, so all get the same."""
_OFFER_SIZE: Final = 100
"""Where the dialects of a negotiate request stand."""


@dataclass(slots=True)
class Request:
    """A client's header ([MS-SMB2] 2.2.1.2), and the whole message."""

    charge: int
    command: int
    credits: int
    flags: int
    message_id: int
    process: int
    tree: int
    session: int
    message: bytes


def read(message: bytes) -> Request | None:
    """A client's message, from the header on; nothing where it is no SMB2 request."""
    if len(message) < _HEADER.size + 4:
        return None
    magic, size, charge, _, command, asked, flags, _, number, process, tree, session = _HEADER.unpack_from(
        message
    )
    if magic != MAGIC or size != _HEADER.size:
        return None
    return Request(charge, command, asked, flags, number, process, tree, session, message)


MULTI_PROTOCOL: Final = Request(0, NEGOTIATE, 0, 0, 0, 0, 0, 0, b"")
"""Stands for an SMB1 negotiate that an SMB2 server answers in SMB2 ([MS-SMB2] 3.3.5.3.1)."""


def multi_protocol(kind: Personality, offered: list[bytes]) -> int:
    """What a client that offers these strings in SMB1 gets ([MS-SMB2] 3.3.5.3); 0 where it is not SMB2."""
    if b"SMB 2.???" in offered and len(kind.dialects) > 1:
        return ANY
    return _FIRST if b"SMB 2.002" in offered and kind.dialects else 0


def header(request: Request, status: int, credits_: int, session: int) -> bytes:
    """The header of the answer ([MS-SMB2] 2.2.1.2): the client's, with the reply bit, unsigned."""
    flags = 1 | request.flags & _PRIORITY
    return _HEADER.pack(
        MAGIC,
        _HEADER.size,
        request.charge,
        status,
        request.command,
        credits_,
        flags,
        0,
        request.message_id,
        request.process,
        request.tree,
        session,
    )


@dataclass(slots=True)
class Offer:
    """What a client offers in a negotiate ([MS-SMB2] 2.2.3)."""

    dialects: tuple[int, ...]
    capabilities: int
    contexts: dict[int, bytes]
    """Negotiate contexts by type ([MS-SMB2] 2.2.3.1), in the client's order."""


def offered(request: Request) -> Offer:
    """What this negotiate offers; what lies outside the message is not there."""
    message = request.message.ljust(_OFFER_SIZE, b"\0")
    count = int.from_bytes(message[66:68], "little")
    dialects = struct.unpack_from(f"<{min(count, (len(message) - _OFFER_SIZE) // 2)}H", message, _OFFER_SIZE)
    contexts = {}
    if _LATEST in dialects:
        at, number = struct.unpack_from("<IH", message, 92)
        for _ in range(number):
            if at + 8 > len(message):
                break
            kind, size = struct.unpack_from("<HH", message, at)
            contexts[kind] = message[at + 8 : at + 8 + size]
            at += (8 + size + 7) & ~7
    return Offer(dialects, int.from_bytes(message[72:76], "little"), contexts)


def _chosen(wanted: bytes, preferred: tuple[int, ...], start: int) -> int:
    listed = [number for (number,) in struct.iter_unpack("<H", wanted[start : len(wanted) & ~1])]
    return next((number for number in preferred if number in listed), 0)


def answered_contexts(kind: Personality, contexts: dict[int, bytes], salt: bytes) -> list[bytes]:
    """The contexts with which this kind of machine answers ([MS-SMB2] 2.2.4.1), each without its padding."""
    made = [struct.pack("<HHIHHH", 1, 38, 0, 1, 32, 1) + salt]
    if 2 in contexts:  # noqa: PLR2004 - SMB2_ENCRYPTION_CAPABILITIES
        made.append(struct.pack("<HHIHH", 2, 4, 0, 1, _chosen(contexts[2], kind.ciphers, 2)))
    if kind.compression and 3 in contexts:  # noqa: PLR2004 - SMB2_COMPRESSION_CAPABILITIES
        algorithm = _chosen(contexts[3], (2, 3, 1), 8)
        made.append(struct.pack("<HHIHHIH", 3, 10, 0, 1, 0, 0, algorithm))
    if kind.signing_context and 8 in contexts:  # noqa: PLR2004 - SMB2_SIGNING_CAPABILITIES
        made.append(struct.pack("<HHIHH", 8, 4, 0, 1, _chosen(contexts[8], (2, 1, 0), 2)))
    return made


def _capabilities(kind: Personality, dialect: int, client: int, *, netbios: bool) -> int:
    if dialect == _FIRST:
        return 0x01
    granted = 0x03 if netbios else 0x07
    if dialect >= _THREE and not kind.samba:
        granted |= client & 0x28
    if _THREE <= dialect < _LATEST:
        granted |= client & 0x40
    return granted


def negotiated(  # noqa: PLR0913 - one argument a thing that varies
    machine: Machine,
    request: Request,
    dialect: int,
    offer: Offer | None,
    *,
    blob: bytes,
    now: int,
    netbios: bool,
    salt: bytes = b"",
    reserved: bytes = b"",
) -> bytes:
    """The answer to a negotiate ([MS-SMB2] 2.2.4).

    Args:
        machine: who answers.
        request: the client's message, or :data:`MULTI_PROTOCOL`.
        dialect: what is agreed on.
        offer: what the client offered; nothing in an SMB1 negotiate.
        blob: the offer of authentication.
        now: the server's clock, as a FILETIME.
        netbios: whether this runs over a NetBIOS session.
        salt: 32 random bytes for the preauthentication context of 3.1.1.
        reserved: what stands in Reserved2, where it is not zero.
    """
    kind = machine.personality
    size = _SMALL if netbios or dialect == _FIRST else kind.transact
    contexts = answered_contexts(kind, offer.contexts, salt) if offer and dialect == _LATEST else []
    end = _HEADER.size + _NEGOTIATED.size + len(blob)
    start = (end + 7) & ~7 if contexts else int.from_bytes(reserved, "little")
    client = offer.capabilities if offer else 0
    body = _NEGOTIATED.pack(
        65,
        kind.signing,
        dialect,
        len(contexts),
        machine.guid,
        _capabilities(kind, dialect, client, netbios=netbios),
        size,
        size,
        size,
        now,
        machine.booted if kind.boot else 0,
        128,
        len(blob),
        start,
    )
    parts = [header(request, 0, 1, 0), body, blob]
    if contexts:
        parts.append(bytes(start - end))
        parts.extend(context + bytes(-len(context) % 8) for context in contexts[:-1])
        parts.append(contexts[-1])
    return b"".join(parts)


def security_blob(request: Request) -> bytes:
    """The security blob of a session setup request ([MS-SMB2] 2.2.5)."""
    offset, size = struct.unpack_from("<HH", request.message + bytes(16), 76)
    return request.message[offset : offset + size]


def session_answer(request: Request, status: int, blob: bytes, granted: int, flags: int = 0) -> bytes:
    """The answer to a session setup ([MS-SMB2] 2.2.6) that grants so many credits."""
    body = struct.pack("<HHHH", 9, flags, 72, len(blob))
    return b"".join((header(request, status, granted, request.session or _SESSION), body, blob))


def refused(request: Request, status: int, *, short: bool = False) -> bytes:
    """An ERROR response ([MS-SMB2] 2.2.2); ``short`` leaves its one byte of ErrorData out."""
    return (
        header(request, status, 1, request.session) + struct.pack("<HHI", 9, 0, 0) + (b"" if short else b"\0")
    )


def done(request: Request) -> bytes:
    """The answer to a logoff, a tree disconnect or an echo ([MS-SMB2] 2.2.8, 2.2.12, 2.2.29)."""
    return header(request, 0, max(1, request.credits), request.session) + struct.pack("<HH", 4, 0)
