"""DCE/RPC over a connection ([C706] 12.6, [MS-RPCE] 2.2.2), as far as binds and calls without a logon go.

Numbers are little-endian, as every peer of interest sends them ([C706] 14.1).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final, NamedTuple
from uuid import UUID

from scanner.errors import ProtocolError
from scanner.wire import Reader

if TYPE_CHECKING:
    from collections.abc import Iterator

REQUEST: Final = 0
RESPONSE: Final = 2
_FAULT: Final = 3
BIND: Final = 11
BIND_ACK: Final = 12
_BIND_NAK: Final = 13
ALTER: Final = 14
ALTER_ANSWER: Final = 15
AUTH3: Final = 16
"""[MS-RPCE] 2.2.2.5: a client's last message of a logon; heard, never sent."""
_ANSWERS: Final = frozenset({RESPONSE, _FAULT, BIND_ACK, _BIND_NAK})
_LAST: Final = 0x02
_WHOLE: Final = 0x03
"""First and last fragment in one."""
_LITTLE_ENDIAN: Final = b"\x10\0\0\0"

_HEADER: Final = struct.Struct("<BBBB4sHHI")
_CALL: Final = 24
"""Bytes before the body of a request, a response or a fault ([C706] 12.6.4.9)."""
_LONGEST: Final = 5840
"""A fragment, as Windows' own clients offer it."""
_MOST_FRAGMENTS: Final = 256
_SYNTAX: Final = 20

_NTLM: Final = 10
_CONNECT_LEVEL: Final = 2
"""[MS-RPCE] 2.2.1.1.7 and 2.2.1.1.8."""
_TRAILER: Final = 8


def syntax(uuid: str, major: int, minor: int = 0) -> bytes:
    """The identifier of an interface or of a transfer syntax ([C706] 12.6.3.1, p_syntax_id_t)."""
    return UUID(uuid).bytes_le + struct.pack("<HH", major, minor)


NDR: Final = syntax("8a885d04-1ceb-11c9-9fe8-08002b104860", 2)
NDR64: Final = syntax("71710533-beba-4937-8319-b5dbef9ccc36", 1)
"""[MS-RPCE] 2.2.4.12 and 2.2.5; only 64-bit systems have the second."""


def _message(kind: int, call: int, body: bytes, token_size: int = 0) -> bytes:
    head = (5, 0, kind, _WHOLE, _LITTLE_ENDIAN, _HEADER.size + len(body), token_size, call)
    return _HEADER.pack(*head) + body


def bind(*contexts: tuple[bytes, bytes], token: bytes = b"") -> bytes:
    """Offer interfaces, each in one transfer syntax ([C706] 12.6.4.3), with an NTLM token where one is given.

    The token goes into an auth verifier ([MS-RPCE] 2.2.2.11); contexts are numbered from 0.
    """
    body = struct.pack("<HHIBxxx", _LONGEST, _LONGEST, 0, len(contexts))
    for number, (interface, transfer) in enumerate(contexts):
        body += struct.pack("<HBx", number, 1) + interface + transfer
    if token:
        body += struct.pack("<BBBxI", _NTLM, _CONNECT_LEVEL, 0, 0) + token
    return _message(BIND, 1, body, len(token))


def request(context: int, operation: int, call: int, stub: bytes = b"") -> bytes:
    """A call in one fragment ([C706] 12.6.4.9)."""
    return _message(REQUEST, call, struct.pack("<IHH", len(stub), context, operation) + stub)


def framing(received: bytes) -> int | None:
    """The framing of an answer: fragments up to the last one ([C706] 12.6.3.1)."""
    start = 0
    for _ in range(_MOST_FRAGMENTS):
        head = received[start : start + _HEADER.size]
        _check(head)
        if len(head) < _HEADER.size:
            return None
        length = int.from_bytes(head[8:10], "little")
        if length < _HEADER.size:
            raise ProtocolError(f"an RPC fragment of {length} bytes")
        start += length
        if head[3] & _LAST:
            return start if len(received) >= start else None
    raise ProtocolError(f"an RPC answer of more than {_MOST_FRAGMENTS} fragments")


def _check(head: bytes) -> None:
    """Refuse what cannot be the header of an answer, as soon as it is seen."""
    kind = head[2:3]
    if not b"\5".startswith(head[:1]) or head[1:2] > b"\1" or (kind and kind[0] not in _ANSWERS):
        raise ProtocolError(f"not an RPC answer: {head.hex()}")
    if not _LITTLE_ENDIAN.startswith(head[4:8]):
        raise ProtocolError(f"RPC in another data representation: {head[4:8].hex()}")


class Fragment(NamedTuple):
    """One PDU."""

    kind: int
    call: int
    body: Reader
    """What follows the common header; positions are counted from the first byte of the message."""
    token: bytes
    """That of the auth verifier."""


def fragments(message: bytes) -> Iterator[Fragment]:
    """The fragments of a message that :func:`framing` delimited.

    Raises:
        ProtocolError: a length does not fit.
    """
    reader = Reader(message)
    while reader.remaining:
        start = reader.position
        _, _, kind, _, _, length, token_size, call = _HEADER.unpack(reader.bytes(_HEADER.size))
        end = start + length
        token_at = end - token_size
        body_end = token_at - _TRAILER if token_size else end
        body = reader.slice(reader.position, body_end - reader.position)
        yield Fragment(kind, call, body, reader.slice(token_at, token_size).rest())
        reader.seek(end)


class Bound(NamedTuple):
    """[C706] 12.6.4.4."""

    results: tuple[tuple[int, int], ...]
    """For each context the result and, where it was refused, the reason."""
    token: bytes
    """What the server's auth verifier brings."""


ACCEPTED: Final = 0
TRANSFER_SYNTAX_REFUSED: Final = (2, 2)
"""A provider's rejection, because the interface has no such transfer syntax."""


def parse_bind_answer(message: bytes) -> Bound:
    """The answer to a bind; a server that refuses it altogether ([C706] 12.6.4.5) answers no context.

    Raises:
        ProtocolError: it is none.
    """
    kind, _, body, token = next(fragments(message))
    if kind in {_BIND_NAK, _FAULT}:
        return Bound((), b"")
    if kind not in {BIND_ACK, ALTER_ANSWER}:
        raise ProtocolError(f"RPC: a PDU of type {kind} answers a bind")
    body.skip(8)
    body.skip(body.u16())
    body.seek((body.position + 3) & ~3)
    count = body.u8()
    body.skip(3)
    results = []
    for _ in range(count):
        results.append((body.u16(), body.u16()))
        body.skip(_SYNTAX)
    return Bound(tuple(results), token)


def parse_offers(body: Reader) -> tuple[tuple[bytes, tuple[bytes, ...]], ...]:
    """The contexts that a client's bind offers ([C706] 12.6.4.3): interface, and its transfer syntaxes.

    Args:
        body: that of the fragment.

    Raises:
        ProtocolError: a length does not fit.
    """
    body.skip(8)
    contexts = []
    count = body.u8()
    body.skip(3)
    for _ in range(count):
        body.skip(2)
        transfers = body.u8()
        body.skip(1)
        interface = body.bytes(_SYNTAX)
        contexts.append((interface, tuple(body.bytes(_SYNTAX) for _ in range(transfers))))
    return tuple(contexts)


def parse_response(message: bytes, call: int) -> bytes | None:
    """What a call gave back, its fragments put together; None where it failed ([C706] 12.6.4.7).

    Raises:
        ProtocolError: it is no answer to this call.
    """
    stub = b""
    for kind, number, body, _ in fragments(message):
        if kind == _FAULT:
            return None
        if kind != RESPONSE or number != call:
            raise ProtocolError(f"RPC: a PDU of type {kind} for call {number} answers call {call}")
        body.skip(_CALL - _HEADER.size)
        stub += body.rest()
    return stub
