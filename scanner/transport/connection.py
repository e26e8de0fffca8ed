"""Speaking over one connected socket, within limits, to a polite close."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final

from scanner.errors import LimitError, PeerClosedError, ProbeError
from scanner.transport.dialling import hang_up
from scanner.transport.switchboard import READABLE

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from scanner.probes import Send
    from scanner.transport.switchboard import Switchboard

_CHUNK: Final = 1 << 14

_UNASKED: Final = 1 << 16
"""Most bytes kept of what a peer says before it is asked."""


class Connection:
    """A connected socket, and what arrived on it beyond the last whole message."""

    __slots__ = (
        *("_buffer", "_demand_free", "_ended", "_send", "_socket", "_switchboard", "_waiter"),
        *("received", "sent"),
    )

    def __init__(
        self, connected: socket.socket, switchboard: Switchboard, demand_free: Callable[[], None]
    ) -> None:
        self._socket = connected
        self._demand_free = demand_free
        self._switchboard = switchboard
        self._buffer = b""
        self.sent = self.received = 0  # bytes of payload
        self._send: Send | None = None
        self._waiter: asyncio.Future[bytes] | None = None
        self._ended: Exception | None = None
        switchboard.watch(connected.fileno(), READABLE, self._readable)

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
                await self.say(send.data)
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

    async def say(self, data: bytes) -> None:
        """Say something to which no answer is awaited.

        Raises:
            OSError: the connection broke.
            TimeoutError: the peer takes nothing.
            HeldBackError: nothing may be sent for the time being.
        """
        self._demand_free()
        sent = self._socket.send(data)
        self.sent += len(data)
        if sent < len(data):  # a peer that does not read may leave no room
            sending = asyncio.get_running_loop().sock_sendall(self._socket, data[sent:])
            await asyncio.wait_for(sending, self._switchboard.answering.seconds)

    def _readable(self) -> None:
        ended: Exception
        try:
            chunk = self._socket.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError as error:
            ended = error
        else:
            if chunk:
                self._hear(chunk)
                return
            ended = PeerClosedError(f"after {len(self._buffer)} bytes")
        # Nothing more will come; what did come is still heard.
        self._switchboard.forget(self._socket.fileno())
        self._ended = ended
        self._fail(ended)

    def _hear(self, chunk: bytes) -> None:
        self.received += len(chunk)
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

    def close(self, last: bytes = b"") -> None:
        """Close politely: what is unread is dropped first, since a kernel answers it with a reset.

        Args:
            last: what is said in parting, where the peer still takes it.
        """
        self._switchboard.drop(self._socket.fileno())
        if self._ended is None:
            with contextlib.suppress(OSError):
                self.sent += self._socket.send(last) if last else 0
            with contextlib.suppress(OSError):  # nothing unread, or nothing left to be polite to
                while len(self._socket.recv(_CHUNK)) == _CHUNK:
                    pass
        hang_up(self._socket)
