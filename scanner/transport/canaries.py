"""Canaries: hosts that a site file names, asked between probes whether all is well where they live."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Final

from scanner.errors import ConfigError
from scanner.model import Attempt, Endpoint, Outcome, Transport
from scanner.transport.echo import answers, request
from scanner.transport.looking import look
from scanner.transport.switchboard import READABLE

if TYPE_CHECKING:
    from scanner.transport.gate import HostDoor
    from scanner.transport.switchboard import Switchboard

_APART: Final = 1.0
"""Least seconds between two questions to one canary."""
TRIES: Final = 3
"""Questions that stay without an answer before a canary counts as silent: one packet in ten may get lost."""


class NoEchoError(ConfigError):
    """This machine may not send ICMP echo, so no canary can be asked by it: give canaries a port (10.20.0.1:443), or allow this user's group in net.ipv4.ping_group_range (vetuste doctor)."""  # noqa: E501 - one message, one line


@dataclass(slots=True)
class Canary:
    """One canary."""

    door: HostDoor
    port: int | None
    asked: float = float("-inf")

    @property
    def endpoint(self) -> Endpoint:
        """What is asked."""
        transport = Transport.ICMP if self.port is None else Transport.TCP
        return Endpoint(self.door.address, self.port or 0, transport)

    async def sings(self, switchboard: Switchboard) -> bool:
        """Ask, unless it was asked a moment ago; so many times before it counts as silent.

        Raises:
            ForbiddenError: nothing may be sent to it now.
            NoEchoError: this machine may not send what it is asked by.
        """
        if time.monotonic() - self.asked < _APART:
            return True
        async with self.door.line:
            for _ in range(TRIES):
                if await self._ask(switchboard):
                    self.asked = time.monotonic()
                    return True
        return False

    async def _ask(self, switchboard: Switchboard) -> bool:
        if self.port is not None:
            return await look(self.door, self.endpoint, switchboard, "canary", counted=False)
        await self.door.admit(counted=False)
        at = datetime.now(UTC)
        heard = await _echo(self.door.address, switchboard)
        outcome = Outcome.ANSWERED if heard else Outcome.SILENT
        size = len(request(4, 0, 0))
        self.door.gate.ledger.append(Attempt(self.endpoint, "canary", at, outcome, size, size * heard))
        return heard


async def _echo(address: str, switchboard: Switchboard) -> bool:
    version = 6 if ":" in address else 4
    identifier, sequence = os.getpid() & 0xFFFF, int(time.monotonic() * 1000) & 0xFFFF
    opened, sorted_by_kernel = _socket(version)
    waiter: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def readable() -> None:
        try:
            packet, (origin, *_) = opened.recvfrom(2048)
        except OSError:
            return
        named = None if sorted_by_kernel else identifier
        if origin.partition("%")[0] == address and answers(packet, version, named, sequence):
            _settle(waiter)

    with opened:
        switchboard.watch(opened.fileno(), READABLE, readable)
        switchboard.connecting.start(waiter, TimeoutError())
        try:
            opened.sendto(request(version, identifier, sequence), (address, 0))
            await waiter
        except OSError:  # TimeoutError is one; so is no route
            return False
        finally:
            switchboard.drop(opened.fileno())
    return True


def _settle(waiter: asyncio.Future[bytes]) -> None:
    if not waiter.done():
        waiter.set_result(b"")


def _socket(version: int) -> tuple[socket.socket, bool]:
    """A socket for echo, unprivileged where that is allowed, and whether the kernel sorts replies."""
    family = socket.AF_INET if version == 4 else socket.AF_INET6  # noqa: PLR2004 - the IP version
    protocol = socket.IPPROTO_ICMP if version == 4 else socket.IPPROTO_ICMPV6  # noqa: PLR2004 - the same
    make = partial(socket.socket, family, proto=protocol)
    for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW):
        try:
            return make(type=kind | socket.SOCK_NONBLOCK), kind == socket.SOCK_DGRAM
        except PermissionError:
            continue
    raise NoEchoError
