"""SPNEGO ([RFC 4178] 4.2, [MS-SPNG]), as far as one offer of NTLM and the answer to it go."""

from __future__ import annotations

from typing import Final

from scanner.errors import ProtocolError
from scanner.wire import Reader

_SPNEGO_OID: Final = bytes.fromhex("06062b0601050502")
_NTLM_OID: Final = bytes.fromhex("060a2b06010401823702020a")
_OCTETS: Final = 0x04
_SEQUENCE: Final = 0x30
_APPLICATION: Final = 0x60
_ANSWER: Final = 0xA1
_TOKEN: Final = 0xA2
_LONG_FORM: Final = 0x80
_MOST_LENGTH_BYTES: Final = 2
"""Longer forms say lengths that no SMB message here has."""


def _element(tag: int, content: bytes) -> bytes:
    """An element in DER; what is sent here is always shorter than 128 bytes."""
    return bytes([tag, len(content)]) + content


def offer(token: bytes) -> bytes:
    """A first token: it offers NTLM alone and brings its first message ([RFC 4178] 4.2.1, [RFC 2743] 3.1)."""
    mechanisms = _element(0xA0, _element(_SEQUENCE, _NTLM_OID))
    inner = _element(_SEQUENCE, mechanisms + _element(_TOKEN, _element(_OCTETS, token)))
    return _element(_APPLICATION, _SPNEGO_OID + _element(0xA0, inner))


def answer_token(blob: bytes) -> bytes | None:
    """The mechanism's token in a server's answer ([RFC 4178] 4.2.2); None where it sends none.

    A blob that is an NTLM message itself is given back: Windows before Vista answers so to a client that
    spoke NTLM without SPNEGO ([MS-SMB] 3.3.5.3).

    Raises:
        ProtocolError: it is neither.
    """
    if blob.startswith(b"NTLMSSP\0"):
        return blob
    fields = _enter(_enter(Reader(blob), _ANSWER), _SEQUENCE)
    while fields.remaining:
        tag, content = _next(fields)
        if tag == _TOKEN:
            return _enter(content, _OCTETS).rest()
    return None


def _enter(reader: Reader, wanted: int) -> Reader:
    tag, content = _next(reader)
    if tag != wanted:
        raise ProtocolError(f"SPNEGO: element {tag:#04x} where {wanted:#04x} belongs")
    return content


def _next(reader: Reader) -> tuple[int, Reader]:
    """The next element: its tag and a reader over its content ([X.690] 8.1; definite lengths only)."""
    tag, length = reader.bytes(2)
    if length & _LONG_FORM:
        count = length - _LONG_FORM
        if not 1 <= count <= _MOST_LENGTH_BYTES:
            raise ProtocolError(f"SPNEGO: a length of {count} bytes")
        length = int.from_bytes(reader.bytes(count), "big")
    content = reader.slice(reader.position, length)
    reader.position = content.end
    return tag, content
