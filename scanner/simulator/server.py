"""The simulated hospital on its sockets: thousands of connections, one process, one core."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import time
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

from scanner.simulator import datagrams, steering
from scanner.simulator.answers import End
from scanner.simulator.dialogue import Dialogue
from scanner.simulator.machine import filetime
from scanner.simulator.misbehaviour import Odd
from scanner.simulator.personalities import personality
from scanner.simulator.services import SERVICES

if TYPE_CHECKING:
    from collections.abc import Callable

    from scanner.simulator.machine import Machine
    from scanner.simulator.plan import Hospital
    from scanner.simulator.speaker import Speaker

_LONGEST: Final = 1 << 17
_LINGER_NOT: Final = struct.pack("ii", 1, 0)
_HONEST: Final = "w2000"
"""What a machine that misbehaves would be if it behaved."""
_TCP: Final = {service.port: service for service in SERVICES if service.speaker is not None}


def _clock() -> int:
    return filetime(time.time())


class Line(asyncio.Protocol):
    """One connection with a machine of the hospital."""

    __slots__ = ("_buffer", "_hospital", "_service", "_speaker", "_transport")

    _transport: asyncio.Transport
    _speaker: Speaker

    def __init__(self, hospital: Hospital, port: int) -> None:
        self._hospital = hospital
        self._service = _TCP[port]
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Be the machine that was called: its address is the local end of the connection."""
        self._transport = cast("asyncio.Transport", transport)
        machine = self._hospital.machine(transport.get_extra_info("sockname")[0])
        if machine is not None and machine.personality.behaviour:
            self._misbehave(machine)
            return
        speaker = self._service.speaker
        if machine is None or speaker is None or not self._service.spoken(machine.personality):
            self._reset()
            return
        self._speaker = speaker(machine, self._service.port, _clock, os.urandom)
        self._transport.write(self._speaker.greeting())

    def data_received(self, data: bytes) -> None:
        """Answer each whole message."""
        data = self._buffer + data if self._buffer else data
        while data:
            size = self._speaker.length(data)
            whole = 0 < size <= len(data)
            if size > _LONGEST or (len(data) > _LONGEST and not whole):
                self._reset()
                return
            if not whole:
                break
            if not self._say(data[:size]):
                return
            data = data[size:]
        self._buffer = data

    def _say(self, message: bytes) -> bool:
        answer = self._speaker.answer(message)
        if answer:
            self._transport.write(answer)
        if self._speaker.end is End.OPEN:
            return True
        if self._speaker.end is End.RESET:
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
            replace(machine, personality=personality(_HONEST)), self._service.port, _clock, os.urandom
        )
        variant = machine.guid[0]
        odd = Odd(self._transport, machine.personality.behaviour, variant, honest.answer, self._reset)
        self._transport.set_protocol(odd)


async def serve(
    hospital: Hospital,
    ports: tuple[int, ...] = (),
    ready: Callable[[tuple[int, ...]], Any] | None = None,
) -> None:
    """Be the hospital until cancelled.

    Args:
        hospital: who is where.
        ports: what stands for the registered ports, in the order of the services; 0, and what is left out,
            takes a free one.
        ready: called with all ports once every address answers, or does not.

    Raises:
        ConfigError: a port cannot be used.
    """
    loop = asyncio.get_running_loop()
    found: list[int] = []
    with ExitStack() as until_cancelled:
        for service, port in zip(SERVICES, (*ports, *[0] * (len(SERVICES) - len(ports))), strict=True):
            if service.speaker is None:
                hearing = datagrams.listen(port)
                until_cancelled.callback(hearing.close)
                loop.add_reader(hearing, datagrams.hear, hearing, hospital, service, _clock)
                until_cancelled.callback(loop.remove_reader, hearing)
                found.append(hearing.getsockname()[1])
                continue
            group = steering.listen(hospital.scatter, port)
            until_cancelled.callback(group.close)
            for listener in group.listeners:
                factory = partial(Line, hospital, service.port)
                server = await loop.create_server(factory, sock=listener, backlog=steering.BACKLOG)
                until_cancelled.callback(server.close)
            found.append(group.port)
        if ready is not None:
            ready(tuple(found))
        await loop.create_future()
