"""One socket for echo requests, shared by all that ask, and who waits for which reply."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Final

from scanner.errors import ConfigError
from scanner.transport.echo import TOKEN, Reply, reply_of, request
from scanner.transport.switchboard import READABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scanner.transport.switchboard import Switchboard

SIZE: Final = len(request(4, 0, 0, bytes(TOKEN)))
"""Bytes of a request, and of its reply."""
_FAMILIES: Final = {4: socket.AF_INET, 6: socket.AF_INET6}
_PROTOCOLS: Final = {4: socket.IPPROTO_ICMP, 6: socket.IPPROTO_ICMPV6}
_ROOM: Final = 1 << 20
"""Bytes of replies that the kernel keeps until they are read."""
_LARGEST: Final = 2048
_AT_ONCE: Final = 256
"""Packets read before anything else has its turn."""
_FULL: Final = frozenset({errno.ENOBUFS, errno.EAGAIN})
_PATIENCE: Final = 100
_MOMENT: Final = 0.005
"""How often, and for how many seconds each time, a full queue of this machine is waited for."""


class NoEchoError(ConfigError):
    """This machine may not send ICMP echo: allow this user's group in net.ipv4.ping_group_range (vetuste doctor), or do without: --sweep connect, canaries with a port (10.20.0.1:443)."""  # noqa: E501 - one message, one line


class Echoes:
    """Echo requests of one IP version, under way."""

    def __init__(self, version: int, opened: socket.socket, switchboard: Switchboard) -> None:
        self._version = version
        self._socket = opened
        self._switchboard = switchboard
        self._identifier = os.getpid() & 0xFFFF if opened.type == socket.SOCK_RAW else None
        self._sequence = int.from_bytes(os.urandom(2))
        self._waiting: dict[tuple[bytes, int], tuple[bytes, asyncio.Future[bytes]]] = {}

    async def ask(self, address: str) -> bool:
        """Whether an address replies to one request, in the time that a connection would get.

        Raises:
            OSError: the request did not leave.
        """
        self._sequence = (self._sequence + 1) & 0xFFFF
        token = os.urandom(TOKEN)
        waiter: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        asked = self._packed(address), self._sequence
        self._waiting[asked] = token, waiter
        try:
            await self._send(request(self._version, self._identifier or 0, self._sequence, token), address)
            self._switchboard.connecting.start(waiter)
            return bool(await waiter)
        finally:
            self._waiting.pop(asked, None)

    async def _send(self, packet: bytes, address: str) -> None:
        for _ in range(_PATIENCE):
            try:
                self._socket.sendto(packet, (address, 0))
            except OSError as error:
                if error.errno not in _FULL:
                    raise
                await asyncio.sleep(_MOMENT)
            else:
                return
        raise OSError(errno.ENOBUFS, os.strerror(errno.ENOBUFS))

    def read(self) -> None:
        """Take what has come."""
        for _ in range(_AT_ONCE):
            try:
                packet, (origin, *_) = self._socket.recvfrom(_LARGEST)
            except OSError:  # nothing more, or an error of the network that concerns no reply
                return
            reply = reply_of(packet, self._version)
            if reply is not None:
                self.take(origin, reply)

    def take(self, origin: str, reply: Reply) -> None:
        """A reply came: it counts for whoever asked that address with that number, and repeats the token."""
        token, waiter = self._waiting.get((self._packed(origin), reply.sequence), (b"", None))
        is_ours = self._identifier in {None, reply.identifier}  # else the kernel has seen to it
        if waiter is not None and is_ours and reply.token == token and not waiter.done():
            waiter.set_result(token)

    def _packed(self, address: str) -> bytes:
        return socket.inet_pton(_FAMILIES[self._version], address.partition("%")[0])


@contextmanager
def echoes(version: int, switchboard: Switchboard) -> Iterator[Echoes]:
    """Ask for echo, unprivileged where that is allowed (icmp(7)).

    Raises:
        NoEchoError: this machine may not.
        OSError: it knows no such version of IP.
    """
    with _socket(version) as opened:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _ROOM)
        asking = Echoes(version, opened, switchboard)
        switchboard.watch(opened.fileno(), READABLE, asking.read)
        try:
            yield asking
        finally:
            switchboard.drop(opened.fileno())


def _socket(version: int) -> socket.socket:
    make = partial(socket.socket, _FAMILIES[version], proto=_PROTOCOLS[version])
    for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW):
        try:
            return make(type=kind | socket.SOCK_NONBLOCK)
        except PermissionError:
            continue
    raise NoEchoError
