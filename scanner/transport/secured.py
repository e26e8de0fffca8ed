"""Speaking inside TLS with whoever is there: old or new, with whatever certificate.

Nothing is verified and nothing secret is said: the certificate is evidence, not a reason to trust.
"""

from __future__ import annotations

import asyncio
import ssl
import warnings
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Final

from scanner.errors import LimitError, PeerClosedError, ProtocolError
from scanner.probes import Send

if TYPE_CHECKING:
    from scanner.transport.connection import Connection

VERSIONS: Final = {"TLSv1": 0x0301, "TLSv1.1": 0x0302, "TLSv1.2": 0x0303, "TLSv1.3": 0x0304}
"""As OpenSSL names them, and as they stand on the wire ([RFC 8446] 4.1.2)."""
_LEGACY_SERVER: Final = 0x4
"""SSL_OP_LEGACY_SERVER_CONNECT (SSL_CTX_set_options(3)): servers older than [RFC 5746]."""
_CHUNK: Final = 1 << 14
_RECORD: Final = 1 << 15
"""More than a record of TLS has ([RFC 5246] 6.2.3): what is heard at one time."""


@cache
def context() -> ssl.SSLContext:
    """A client that accepts every version, cipher and certificate that this machine's OpenSSL still knows."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE  # what is verified nowhere need not be believed: it is evidence
    made.set_ciphers("ALL:@SECLEVEL=0")
    made.options |= _LEGACY_SERVER
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # old systems speak nothing newer
        made.minimum_version = ssl.TLSVersion.TLSv1
    return made


class Secured:
    """The inside of a connection on which TLS has begun."""

    __slots__ = ("_buffer", "_connection", "_incoming", "_outgoing", "_seconds", "_tls")

    def __init__(self, connection: Connection, server_name: str, seconds: float) -> None:
        self._connection = connection
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context().wrap_bio(self._incoming, self._outgoing, server_hostname=server_name or None)
        self._buffer = b""
        self._seconds = seconds

    async def begin(self, most: int) -> bytes:
        """Shake hands: the version, two bytes, and the peer's certificate, if it has one.

        Args:
            most: bytes of the handshake that are listened to.

        Raises:
            ProtocolError: no TLS came about.
            PeerClosedError, LimitError, TimeoutError, OSError: as :meth:`Connection.exchange`.
        """
        before = self._connection.received
        async with asyncio.timeout(self._seconds):
            while True:
                try:
                    self._tls.do_handshake()
                except ssl.SSLWantReadError:
                    if self._connection.received > before + most:
                        raise LimitError(f"a handshake of more than {most} bytes") from None
                    await self._turn()
                except ssl.SSLError as error:
                    await self._flush()  # the alert, which says why
                    raise ProtocolError(f"no TLS: {error.reason or 'refused'}") from None
                else:
                    break
            await self._flush()
        version = VERSIONS.get(self._tls.version() or "", 0)
        return version.to_bytes(2, "big") + (self._tls.getpeercert(binary_form=True) or b"")

    async def exchange(self, send: Send) -> bytes:
        """As :meth:`Connection.exchange`, inside."""
        try:
            async with asyncio.timeout(self._seconds):
                if send.data:
                    self._tls.write(send.data)
                while (length := self._whole(send)) is None:
                    await self._hear()
        except ssl.SSLError as error:
            raise ProtocolError(f"TLS broke: {error.reason or 'refused'}") from None
        message, self._buffer = self._buffer[:length], self._buffer[length:]
        return message

    def _whole(self, send: Send) -> int | None:
        length = send.until(self._buffer) if self._buffer else None
        if length is None and len(self._buffer) > send.limit:
            raise LimitError(f"more than {send.limit} bytes without a whole message")
        return length

    async def _hear(self) -> None:
        try:
            heard = self._tls.read(_CHUNK)
        except ssl.SSLWantReadError:
            await self._turn()
            return
        except ssl.SSLZeroReturnError:
            heard = b""
        if not heard:
            raise PeerClosedError(f"after {len(self._buffer)} bytes")
        self._buffer += heard

    async def _turn(self) -> None:
        """Say what TLS has to say, and hear what comes."""
        said = Send(self._outgoing.read(), until=_anything, limit=_RECORD)
        self._incoming.write(await self._connection.exchange(said))

    async def _flush(self) -> None:
        if self._outgoing.pending:
            with suppress(OSError):
                await self._connection.say(self._outgoing.read())

    def parting(self) -> bytes:
        """What says that nothing more comes ([RFC 8446] 6.1)."""
        with suppress(ssl.SSLError, ValueError):  # never secured, or broken: there is nobody to say it to
            self._tls.unwrap()
        return self._outgoing.read()


def _anything(received: bytes) -> int | None:
    return len(received) or None
