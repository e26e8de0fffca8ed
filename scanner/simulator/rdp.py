"""RDP as servers begin it ([MS-RDPBCGR] 2.2.1.2), TLS and CredSSP included ([MS-CSSP] 2.2.1).

Nothing is simulated behind the negotiation, but the challenge of NTLM that CredSSP begins with.
"""

from __future__ import annotations

import os
import ssl
import struct
import warnings
from typing import TYPE_CHECKING, Final

from scanner.simulator import certificate
from scanner.simulator.answers import End, challenged
from scanner.simulator.asn1 import der, elements, integer
from scanner.simulator.speaker import Speaker

if TYPE_CHECKING:
    from scanner.simulator.machine import Machine

_CONFIRM: Final = struct.Struct(">BBHBBHHB")
_NEGOTIATION: Final = struct.Struct("<BBHI")
_REQUEST, _RESPONSE, _FAILURE = 1, 2, 3
_TLS, _HYBRID, _HYBRID_EX = 1, 2, 8
_GRAPHICS: Final = 0x02
"""A flag of RDP 8.0 and later, which know PROTOCOL_HYBRID_EX as well."""
_HYBRID_REQUIRED: Final = 5
_LONGEST: Final = 1 << 12
"""Of a client's TSRequest, in bytes."""


class Rdp(Speaker):
    """A server on port 3389."""

    _tls: Tls | None = None

    def length(self, data: bytes) -> int:
        """As TPKT says ([RFC 1006] 6); inside TLS, all that came."""
        if self._tls is not None or data[:1] != b"\3":
            return len(data)
        return int.from_bytes(data[2:4], "big") if len(data) >= 4 else 0  # noqa: PLR2004 - its header

    def answer(self, message: bytes) -> bytes:
        """A Connection Confirm to a Connection Request, then what TLS says."""
        if self._tls is not None:
            return self._secured(self._tls, message)
        if len(message) < _CONFIRM.size or message[5] & 0xF0 != 0xE0:  # noqa: PLR2004 - CR of [X.224] 13.3
            self.end = End.RESET
            return b""
        negotiated = self._negotiated(message[-_NEGOTIATION.size :])
        size = _CONFIRM.size + len(negotiated)
        return _CONFIRM.pack(3, 0, size, size - 5, 0xD0, 0, 0x1234, 0) + negotiated

    def _negotiated(self, request: bytes) -> bytes:
        """RDP_NEG_RSP or RDP_NEG_FAILURE (3.3.5.3.2): empty of old servers, and to who asked for nothing."""
        kind = self._situation.machine.personality
        what, _, size, asked = _NEGOTIATION.unpack(request)
        if kind.rdp == "classic" or (what, size) != (_REQUEST, _NEGOTIATION.size):
            return b""
        known = (*((_HYBRID_EX,) if kind.rdp_flags & _GRAPHICS else ()), _HYBRID)
        chosen = next((one for one in (*known, *(() if kind.rdp == "nla" else (_TLS,))) if one & asked), 0)
        if kind.rdp == "nla" and not chosen:
            self.end = End.CLOSE
            return _NEGOTIATION.pack(_FAILURE, 0, _NEGOTIATION.size, _HYBRID_REQUIRED)
        if chosen:
            self._tls = Tls(self._situation.machine, self._situation.now())
        return _NEGOTIATION.pack(_RESPONSE, kind.rdp_flags, _NEGOTIATION.size, chosen)

    def _secured(self, tls: Tls, data: bytes) -> bytes:
        """A TSRequest to a TSRequest; the connection ends where anything else is said."""
        said = tls.hear(data)
        begun = not said or (said[:1] == b"\x30" and not elements(said) and len(said) < _LONGEST)
        token = b"" if begun else challenged(self._situation, _token(said))
        if token:
            tokens = der(0x30, der(0x30, der(0xA0, der(0x04, token))))
            version = integer(self._situation.machine.personality.credssp)
            tls.say(der(0x30, der(0xA0, version) + der(0xA1, tokens)))
        elif not begun or tls.ended:
            self.end = End.CLOSE
        return tls.outgoing.read()


def _token(request: bytes) -> bytes:
    """The first negoToken of a TSRequest ([MS-CSSP] 2.2.1.1); empty where there is none."""
    content = request
    for tag in (0x30, 0xA1, 0x30, 0x30, 0xA0, 0x04):
        content = next((value for found, value in elements(content) if found == tag), b"")
    return content


class Tls:
    """TLS of a machine over one connection: what arrives is heard, what is said leaves by ``outgoing``."""

    __slots__ = ("_incoming", "_said", "_session", "ended", "outgoing")

    def __init__(self, machine: Machine, now: int) -> None:
        self._incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._session = _context(machine, now).wrap_bio(self._incoming, self.outgoing, server_side=True)
        self._said = b""
        self.ended = False
        """The client closed it, or did not agree."""

    def hear(self, data: bytes) -> bytes:
        """What the client has said, with this, since it was answered."""
        self._incoming.write(data)
        try:
            while chunk := self._session.read():
                self._said += chunk
            self.ended = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:
            self.ended = True
        return self._said

    def say(self, data: bytes) -> None:
        """Answer this."""
        self._said = b""
        self._session.write(data)


def _context(machine: Machine, now: int) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # old machines speak nothing newer
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion[machine.personality.tls]
    file = os.memfd_create("certificate")
    try:
        os.write(file, certificate.of(machine, now).encode("ascii"))
        context.load_cert_chain(f"/proc/self/fd/{file}")
    finally:
        os.close(file)
    return context
