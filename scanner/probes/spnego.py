"""SPNEGO ([RFC 4178] 4.2, [MS-SPNG]), as far as one offer of NTLM and the answer to it go."""

from __future__ import annotations

from typing import Final

from scanner.errors import ProtocolError
from scanner.probes.der import OCTETS, OID, SEQUENCE, element, enter, next_element, object_identifier
from scanner.wire import Reader

_SPNEGO_OID: Final = object_identifier("1.3.6.1.5.5.2")
_NTLM_OID: Final = object_identifier("1.3.6.1.4.1.311.2.2.10")
_APPLICATION: Final = 0x60
_INNER: Final = 0xA0
_ANSWER: Final = 0xA1
_TOKEN: Final = 0xA2
_NTLM: Final = b"NTLMSSP\0"


def offer(token: bytes) -> bytes:
    """A first token: it offers NTLM alone and brings its first message ([RFC 4178] 4.2.1, [RFC 2743] 3.1)."""
    mechanisms = element(0xA0, element(SEQUENCE, _NTLM_OID))
    inner = element(SEQUENCE, mechanisms, element(_TOKEN, element(OCTETS, token)))
    return element(_APPLICATION, _SPNEGO_OID, element(0xA0, inner))


def answer_token(blob: bytes) -> bytes | None:
    """The mechanism's token in a server's answer ([RFC 4178] 4.2.2); None where it sends none.

    A blob that is an NTLM message itself is given back: Windows before Vista answers so to a client that
    spoke NTLM without SPNEGO ([MS-SMB] 3.3.5.3).

    Raises:
        ProtocolError: it is neither.
    """
    if blob.startswith(_NTLM):
        return blob
    return _token(enter(Reader(blob), _ANSWER, "SPNEGO"))


def ntlm_token(blob: bytes) -> bytes | None:
    """The message of NTLM in a token of either side ([RFC 4178] 4.2), or that is one; None: it has none.

    Raises:
        ProtocolError: it is neither.
    """
    if blob.startswith(_NTLM):
        return blob
    tag, content = next_element(Reader(blob))
    if tag == _APPLICATION:
        oid, _ = next_element(content)
        content = enter(content, _INNER, "SPNEGO") if oid == OID and content.remaining else content
    elif tag != _ANSWER:
        raise ProtocolError(f"SPNEGO: a token begins with {tag:#04x}")
    token = _token(content)
    return token if token and token.startswith(_NTLM) else None


def _token(answer: Reader) -> bytes | None:
    """What stands in the field of that name, which both sides' tokens have."""
    fields = enter(answer, SEQUENCE, "SPNEGO")
    while fields.remaining:
        tag, content = next_element(fields)
        if tag == _TOKEN:
            return enter(content, OCTETS, "SPNEGO").rest()
    return None
