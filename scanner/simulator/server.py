"""The simulated hospital on its sockets: thousands of connections, one process, one core."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

from scanner.simulator import netbios, steering
from scanner.simulator.answers import End
from scanner.simulator.dialogue import DIRECT, NETBIOS, Dialogue
from scanner.simulator.machine import filetime
from scanner.simulator.misbehaviour import Odd
from scanner.simulator.personalities import personality

if TYPE_CHECKING:
    from collections.abc import Callable

    from scanner.simulator.machine import Machine
    from scanner.simulator.plan import Hospital

SERVICES: Final = (DIRECT, NETBIOS)
_LONGEST: Final = 1 << 17
_LINGER_NOT: Final = struct.pack("ii", 1, 0)
_HONEST: Final = "w2000"
"""What a machine that misbehaves would be if it behaved."""


def _clock() -> int:
    return filetime(time.time())


class Line(asyncio.Protocol):
    """One connection with a machine of the hospital."""

    __slots__ = ("_buffer", "_dialogue", "_hospital", "_service", "_transport")

    _transport: asyncio.Transport
    _dialogue: Dialogue

    def __init__(self, hospital: Hospital, service: int) -> None:
        self._hospital = hospital
        self._service = service
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Be the machine that was called: its address is the local end of the connection."""
        self._transport = cast("asyncio.Transport", transport)
        machine = self._hospital.machine(transport.get_extra_info("sockname")[0])
        if machine is None or (machine.personality.netbios_only and self._service == DIRECT):
            self._reset()
            return
        if machine.personality.behaviour:
            self._misbehave(machine)
            return
        self._dialogue = Dialogue(machine, self._service, _clock, os.urandom)

    def data_received(self, data: bytes) -> None:
        """Answer each whole message."""
        data = self._buffer + data if self._buffer else data
        while size := netbios.length(data):
            if size > _LONGEST:
                self._reset()
                return
            if len(data) < size:
                break
            if not self._say(data[:size]):
                return
            data = data[size:]
        self._buffer = data

    def _say(self, frame: bytes) -> bool:
        answer = self._dialogue.answer(frame)
        if answer:
            self._transport.write(answer)
        if self._dialogue.end is End.OPEN:
            return True
        if self._dialogue.end is End.RESET:
            self._reset()
        else:
            self._transport.close()
        return False

    def _reset(self) -> None:
        sock = self._transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
        self._transport.abort()

    def _misbehave(self, machine: Machine) -> None:
        honest = Dialogue(
            replace(machine, personality=personality(_HONEST)), self._service, _clock, os.urandom
        )
        variant = machine.guid[0]
        odd = Odd(self._transport, machine.personality.behaviour, variant, honest.answer, self._reset)
        self._transport.set_protocol(odd)


async def serve(
    hospital: Hospital, ports: tuple[int, int] = (0, 0), ready: Callable[[tuple[int, ...]], Any] | None = None
) -> None:
    """Be the hospital until cancelled.

    Args:
        hospital: who is where.
        ports: what stands for 445 and for 139; 0 takes a free one.
        ready: called with the ports once every address answers, or does not.

    Raises:
        ConfigError: a port cannot be used.
    """
    loop = asyncio.get_running_loop()
    groups: list[steering.Group] = []
    servers: list[asyncio.Server] = []
    try:
        for service, port in zip(SERVICES, ports, strict=True):
            group = steering.listen(hospital.scatter, port)
            groups.append(group)
            for listener in group.listeners:
                factory = partial(Line, hospital, service)
                servers.append(await loop.create_server(factory, sock=listener, backlog=steering.BACKLOG))
        if ready is not None:
            ready(tuple(group.port for group in groups))
        await asyncio.get_running_loop().create_future()
    finally:
        for server in servers:
            server.close()
        for group in groups:
            group.close()
