"""Speaking over UDP: one datagram, and the answer to it."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Final

from scanner.errors import LimitError, ProbeError
from scanner.transport.switchboard import READABLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from scanner.model import Endpoint
    from scanner.probes import Send
    from scanner.transport.switchboard import Switchboard

_LARGEST: Final = 1 << 16
_MOST: Final = 16
"""Datagrams looked at while one answer is awaited: a peer that sends others has had its say."""


class Datagrams:
    """A connected UDP socket: the kernel lets nobody else's datagrams in, and tells of closed ports."""

    __slots__ = (
        *("_demand_free", "_send", "_socket", "_strays", "_switchboard", "_waiter"),
        *("received", "sent"),
    )

    def __init__(self, endpoint: Endpoint, switchboard: Switchboard, demand_free: Callable[[], None]) -> None:
        """Make one; nothing is sent.

        Raises:
            OSError: this machine cannot: no descriptor, no route.
        """
        family = socket.AF_INET6 if ":" in endpoint.address else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            self._socket.connect((endpoint.address, endpoint.port))
        except OSError:
            self._socket.close()
            raise
        self._switchboard = switchboard
        self._demand_free = demand_free
        self._send: Send | None = None
        self._waiter: asyncio.Future[bytes] | None = None
        self._strays = 0
        self.sent = self.received = 0  # bytes of payload
        switchboard.watch(self._socket.fileno(), READABLE, self._readable)

    async def exchange(self, send: Send) -> bytes:
        """Send one datagram, and hear the one that answers it.

        Raises:
            ProtocolError: what comes can be no answer (raised by the framing).
            LimitError: too much came that answers nothing.
            TimeoutError: nothing came in time.
            OSError: the port is closed, or there is no way.
            HeldBackError: nothing may be sent for the time being.
        """
        self._demand_free()
        self._send, self._strays = send, 0
        waiter = self._waiter = asyncio.get_running_loop().create_future()
        self._switchboard.datagrams.start(waiter, TimeoutError())
        try:
            self._socket.send(send.data)
            self.sent += len(send.data)
            answer: bytes = await waiter
        finally:
            self._waiter = None
            if not waiter.done():
                waiter.cancel()
            elif not waiter.cancelled():
                waiter.exception()
        return answer

    def _readable(self) -> None:
        try:
            datagram = self._socket.recv(_LARGEST)
        except BlockingIOError:
            return
        except OSError as error:
            self._fail(error)
            return
        self.received += len(datagram)
        if self._waiter is None or self._waiter.done() or self._send is None:
            return
        self._strays += 1
        try:
            length = self._send.until(datagram) if len(datagram) <= self._send.limit else None
            if length is None and self._strays >= _MOST:
                raise LimitError(f"{_MOST} datagrams that answer nothing")
        except ProbeError as error:
            self._fail(error)
            return
        if length is not None:
            self._waiter.set_result(datagram[:length])

    def _fail(self, error: Exception) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(error)

    def close(self) -> None:
        """There is nothing to say at the end."""
        self._switchboard.drop(self._socket.fileno())
        self._socket.close()
