"""One TCP connection: opened in one SYN, spoken on within limits, closed politely."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
from functools import cache, partial
from typing import TYPE_CHECKING, Final, NamedTuple

from scanner.errors import LimitError, PeerClosedError, ProbeError
from scanner.model import Outcome
from scanner.transport.switchboard import READABLE, WRITABLE, Switchboard

if TYPE_CHECKING:
    from scanner.model import Endpoint
    from scanner.probes import Send

_CHUNK: Final = 1 << 14

_UNASKED: Final = 1 << 16
"""Most bytes kept of what a peer says before it is asked."""

_OUTCOMES: Final = {
    errno.ECONNREFUSED: Outcome.REFUSED,
    errno.ECONNRESET: Outcome.RESET,
    errno.EPIPE: Outcome.RESET,
    errno.ENOTCONN: Outcome.RESET,
    errno.EHOSTUNREACH: Outcome.UNREACHABLE,
    errno.ENETUNREACH: Outcome.UNREACHABLE,
    errno.EHOSTDOWN: Outcome.UNREACHABLE,
    errno.ENOPROTOOPT: Outcome.UNREACHABLE,  # ICMP "protocol unreachable"
    errno.EACCES: Outcome.UNREACHABLE,  # ICMP "prohibited", and a broadcast address
    errno.EPERM: Outcome.UNREACHABLE,  # this machine's own firewall
    errno.ETIMEDOUT: Outcome.SILENT,
    errno.EALREADY: Outcome.SILENT,  # still connecting when its time was over
}

_FROM_THE_NETWORK: Final = frozenset(
    {0, errno.EINPROGRESS, errno.ECONNREFUSED, errno.ECONNRESET, errno.EACCES, errno.EPERM}
)
"""What a connect may return at once without this machine's own network being at fault."""


class Ended(NamedTuple):
    """How an attempt to connect failed: a value, since most attempts of a sweep do."""

    outcome: Outcome
    detail: str
    local: bool = False
    """Whether this machine, not the network, is the cause: no route, no descriptor, no port."""


@cache
def _ended(code: int, *, local: bool) -> Ended:
    outcome = Outcome.FAILED if local else _OUTCOMES.get(code, Outcome.FAILED)
    return Ended(outcome, os.strerror(code), local)


def outcome_of(error: OSError) -> Outcome:
    """What an error of a connected socket means for the conversation."""
    return _OUTCOMES.get(error.errno or 0, Outcome.FAILED)


class Connection:
    """A connected socket, and what arrived on it beyond the last whole message."""

    __slots__ = ("_buffer", "_ended", "_send", "_socket", "_switchboard", "_waiter")

    def __init__(self, connected: socket.socket, switchboard: Switchboard) -> None:
        self._socket = connected
        self._switchboard = switchboard
        self._buffer = b""
        self._send: Send | None = None
        self._waiter: asyncio.Future[bytes] | None = None
        self._ended: Exception | None = None
        switchboard.watch(connected.fileno(), READABLE, self._readable)

    @classmethod
    async def open(cls, endpoint: Endpoint, switchboard: Switchboard) -> Connection | Ended:
        """Connect with one SYN, or tell why not: nobody answered, the port is closed, there is no way."""
        try:
            raw = _socket_for(endpoint.address)
        except OSError as error:
            return _ended(error.errno or 0, local=True)
        opened: Connection | Ended | None = None
        try:
            opened = await _connect(raw, (endpoint.address, endpoint.port), switchboard) or cls(
                raw, switchboard
            )
        finally:  # the scan may be stopped while this waits
            if not isinstance(opened, cls):
                switchboard.drop(raw.fileno())
                raw.close()
        return opened

    async def exchange(self, send: Send) -> bytes:
        """Say something, and hear one whole message.

        Raises:
            ProtocolError: what comes can be no message (raised by the framing).
            PeerClosedError: the peer closed before the message was whole.
            LimitError: the message is longer than what is listened to.
            TimeoutError: it was not whole in time.
            OSError: the connection broke.
        """
        self._send = send
        waiter = self._waiter = asyncio.get_running_loop().create_future()
        self._switchboard.answering.start(waiter, TimeoutError())
        try:
            if send.data:
                await self._say(send.data)
            if self._buffer:
                self._hear(b"")
            if self._ended is not None:
                self._fail(self._ended)
            answer: bytes = await waiter
        finally:
            self._waiter = None
            if not waiter.done():
                waiter.cancel()  # saying failed before anyone waited
            elif not waiter.cancelled():
                waiter.exception()
        return answer

    async def _say(self, data: bytes) -> None:
        sent = self._socket.send(data)
        if sent < len(data):  # a peer that does not read may leave no room
            sending = asyncio.get_running_loop().sock_sendall(self._socket, data[sent:])
            await asyncio.wait_for(sending, self._switchboard.answering.seconds)

    def _readable(self) -> None:
        try:
            chunk = self._socket.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError as error:
            self._end(error)
            return
        if chunk:
            self._hear(chunk)
        else:
            self._end(PeerClosedError(f"after {len(self._buffer)} bytes"))

    def _end(self, error: Exception) -> None:
        """Nothing more will come; what did come is still heard."""
        self._switchboard.forget(self._socket.fileno())
        self._ended = error
        self._fail(error)

    def _hear(self, chunk: bytes) -> None:
        self._buffer = buffer = self._buffer + chunk if self._buffer else chunk
        if self._waiter is None or self._send is None:
            if len(buffer) > _UNASKED:
                self._switchboard.forget(self._socket.fileno())  # the kernel's window holds the peer back
            return
        try:
            length = self._send.until(buffer)
            if length is None and len(buffer) > self._send.limit:
                raise LimitError(f"more than {self._send.limit} bytes without a whole message")
        except ProbeError as error:
            self._fail(error)
            return
        if length is not None and not self._waiter.done():
            self._buffer = buffer[length:]
            self._waiter.set_result(buffer[:length])

    def _fail(self, error: Exception) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(error)

    def close(self) -> None:
        """Close with a FIN: what is unread is dropped first, since a kernel answers it with a reset."""
        self._switchboard.drop(self._socket.fileno())
        if self._ended is None:
            with contextlib.suppress(OSError):  # nothing unread, or nothing left to be polite to
                while len(self._socket.recv(_CHUNK)) == _CHUNK:
                    pass
        self._socket.close()


def _socket_for(address: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    raw = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    # Should this process be held up beyond the timeout, the kernel repeats the SYN once, not six times.
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_SYNCNT, 1)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return raw


async def _connect(raw: socket.socket, address: tuple[str, int], switchboard: Switchboard) -> Ended | None:
    code = raw.connect_ex(address)
    local = code not in _FROM_THE_NETWORK
    if code == errno.EINPROGRESS:
        waiter: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        switchboard.watch(raw.fileno(), WRITABLE, partial(_settle, waiter))
        switchboard.connecting.start(waiter)
        await waiter
        code = raw.connect_ex(address)  # the socket itself knows best whether it is connected
    return None if code in {0, errno.EISCONN} else _ended(code, local=local)


def _settle(waiter: asyncio.Future[bytes]) -> None:
    if not waiter.done():
        waiter.set_result(b"")
