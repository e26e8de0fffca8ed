"""The GSS-API tokens around NTLM, as servers write them ([RFC 4178], [MS-SPNG], [MS-NEGOEX])."""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import Final

from scanner.simulator.asn1 import der
from scanner.simulator.ntlm import SIGNATURE

_SPNEGO: Final = bytes.fromhex("06062b0601050502")
_NTLM: Final = bytes.fromhex("060a2b06010401823702020a")
_NEGOEX: Final = bytes.fromhex("060a2b06010401823702021e")
_KERBEROS: Final = bytes.fromhex("06092a864882f71201020206092a864886f712010202060a2a864886f71201020203")
"""Kerberos as Windows 2000 wrote it, as it is registered, and user to user."""

_HINT: Final = b"not_defined_in_RFC4178@please_ignore"
_PKU2U: Final = bytes.fromhex("5c33530deaf90d4db2ec4ae3786ec308")
_NEGOEX_OFFER: Final = struct.Struct("<8sIIII16s32sQIHHII16s")
_NEGOEX_META: Final = struct.Struct("<8sIIII16s16sII")
_ISSUER: Final = b"Token Signing Public Key"


@lru_cache(maxsize=1)
def _metadata() -> bytes:
    attribute = bytes.fromhex("0603550403") + der(0x13, _ISSUER)
    name = der(0x30, der(0x80, der(0x30, der(0x31, der(0x30, attribute)))))
    return der(0x30, der(0xA0, der(0x30, name + name)))


def negoex(conversation: bytes, salt: bytes) -> bytes:
    """The ACCEPTOR_NEGO and ACCEPTOR_META_DATA messages that offer PKU2U ([MS-NEGOEX] 2.2.6.3, 2.2.6.4)."""
    meta = _metadata()
    offer = _NEGOEX_OFFER.pack(b"NEGOEXTS", 1, 0, 0x60, 0x70, conversation, salt, 0, 0x60, 1, 0, 0, 0, _PKU2U)
    head = _NEGOEX_META.pack(b"NEGOEXTS", 3, 1, 0x40, 0x40 + len(meta), conversation, _PKU2U, 0x40, len(meta))
    return offer + head + meta


@lru_cache(maxsize=64)
def offer_around(size: int, *, exts: bool, kerberos: bool, hint: bool) -> tuple[bytes, bytes]:
    """What stands before and after a token of ``size`` bytes in a server's offer.

    The offer is the NegTokenInit2 ([MS-SPNG] 2.2.1) of a negotiate answer.
    """
    parts = der(0xA0, der(0x30, (_NEGOEX if exts else b"") + (_KERBEROS if kerberos else b"") + _NTLM))
    if size:
        parts += der(0xA2, der(0x04, bytes(size)))
    tail = der(0xA3, der(0x30, der(0xA0, der(0x1B, _HINT)))) if hint else b""
    whole = der(0x60, _SPNEGO + der(0xA0, der(0x30, parts + tail)))
    end = len(whole) - len(tail)
    return whole[: end - size], whole[end:]


def answer(token: bytes) -> bytes:
    """A NegTokenResp ([RFC 4178] 4.2.2) that goes on with NTLM, with ``token`` where there is one."""
    parts = bytes.fromhex("a0030a0101") + der(0xA1, _NTLM)
    if token:
        parts += der(0xA2, der(0x04, token))
    return der(0xA1, der(0x30, parts))


ACCEPTED: Final = bytes.fromhex("a1073005a0030a0100")
"""A NegTokenResp that says accept-completed."""


def ntlm_inside(blob: bytes) -> bytes:
    """The NTLM message of a security blob, from its signature on; empty where there is none."""
    at = blob.find(SIGNATURE)
    return b"" if at < 0 else blob[at:]


def names_ntlm(blob: bytes) -> bool:
    """Whether NTLM is among the mechanisms that a client offers."""
    return _NTLM in blob
