"""Conversations with peers that misbehave in every way: one recorded outcome each, nothing raised."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
import uvloop

from scanner.addresses import AddressSet, number_of
from scanner.errors import LimitError, PeerClosedError, ProtocolError
from scanner.model import Endpoint, Observation, Outcome, Transport
from scanner.probes import Conversation, Learnt, Probe, Reconnect, Send
from scanner.probes import Peer as Host
from scanner.targets import Scope
from scanner.transport.conversation import hold
from scanner.transport.gate import Gate, HostDoor
from scanner.transport.limits import PROFILES, Terms
from scanner.transport.switchboard import Switchboard

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

Peer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
ADDRESS = "127.0.0.1"


def line(buffer: bytes) -> int | None:
    if buffer[:1] == b"!":
        raise ProtocolError("a line does not begin so")
    end = buffer.find(b"\n")
    return None if end < 0 else end + 1


def greet(_: Host) -> Conversation:
    greeting = yield Send(b"hello\n", line, limit=1000)
    yield Learnt({"test.greeting": greeting.decode("latin-1").strip()})
    name = yield Send(b"name?\n", line, limit=1000)
    yield Learnt({"test.name": name.decode("latin-1").strip()})


def greet_twice(_: Host) -> Conversation:
    yield from greet(_)
    try:
        yield Reconnect()
        yield Send(b"again\n", line)
        yield Learnt({"test.again": "yes"})
    except (ProtocolError, PeerClosedError):
        yield Learnt({"test.again": "no"})
    except LimitError:
        return


def probe_at(port: int, converse: Callable[[Host], Conversation] = greet, connections: int = 1) -> Probe:
    keys = ("test.greeting", "test.name", "test.again")
    return Probe("test", Transport.TCP, (port,), keys, converse, rank=1, exchanges=3, connections=connections)


def door_to(address: str = ADDRESS, profile: str = "lab") -> HostDoor:
    gate = Gate(Scope.of(None, AddressSet()), lambda _: Terms(PROFILES[profile]))
    return gate.host(number_of(address))


@asynccontextmanager
async def peer(behaviour: Peer) -> AsyncIterator[int]:
    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await behaviour(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(behave, ADDRESS, 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def ask(
    port: int, converse: Callable[[Host], Conversation] = greet, connections: int = 1
) -> Observation:
    probe, door = probe_at(port, converse, connections), door_to()
    return await meet_at(probe, door)


async def meet_at(probe: Probe, door: HostDoor, *, counted: bool = True) -> Observation:
    async with Switchboard(1, connect_seconds=0.5, answer_seconds=0.3, datagram_seconds=0.3) as switchboard:
        return await hold(probe, _endpoint(door, probe), door, switchboard, counted=counted)


def _endpoint(door: HostDoor, probe: Probe) -> Endpoint:
    return Endpoint(door.address, probe.ports[0], probe.transport)


async def polite(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while question := await reader.readline():
        writer.write({b"hello\n": b"good evening\n", b"name?\n": b"PC-01\n"}.get(question, b"again!\n"))


async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read()


async def noise(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"!\x00\xff\x1b[31m" * 100)
    await writer.drain()


async def endless(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"x" * 65536)
        await writer.drain()


async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.02)


async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readline()
    raw: socket.socket = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readline()
    writer.write(b"good eve")


async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readline()
    writer.write(b"good evening\n")


@pytest.mark.parametrize(
    ("behaviour", "outcome", "learnt"),
    [
        (polite, Outcome.ANSWERED, {"test.greeting": ("good evening",), "test.name": ("PC-01",)}),
        (silent, Outcome.STALLED, {}),
        (noise, Outcome.FOREIGN, {}),
        (endless, Outcome.EXCESSIVE, {}),
        (drip, Outcome.STALLED, {}),
        (reset, Outcome.RESET, {}),
        (hang_up, Outcome.CLOSED, {}),
        (half, Outcome.CLOSED, {"test.greeting": ("good evening",)}),
    ],
)
def test_every_peer_ends_in_one_outcome(
    behaviour: Peer, outcome: Outcome, learnt: dict[str, tuple[str, ...]]
) -> None:
    async def meet() -> Observation:
        async with peer(behaviour) as port:
            return await ask(port)

    seen = uvloop.run(meet())
    assert seen.outcome is outcome
    assert seen.evidence == learnt
    assert seen.detail.isprintable()
    assert seen.connections == 1
    assert (seen.detail == "") == (outcome is Outcome.ANSWERED)


def test_a_closed_port_is_refused() -> None:
    with socket.socket() as unused:
        unused.bind((ADDRESS, 0))
        seen = uvloop.run(ask(unused.getsockname()[1]))
    assert seen.outcome is Outcome.REFUSED
    assert seen.evidence == {}


def test_a_full_queue_is_silent() -> None:
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
        listener.bind((ADDRESS, 0))
        listener.listen(0)
        for filler in (first, second):
            filler.settimeout(0)
            filler.connect_ex(listener.getsockname())
        seen = uvloop.run(ask(listener.getsockname()[1]))
    assert seen.outcome is Outcome.SILENT


def test_what_arrived_before_the_reset_is_heard() -> None:
    """A peer that answers and resets at once has answered."""

    async def answer_and_reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"good evening\nPC-01\n")
        await writer.drain()

    async def meet() -> Observation:
        async with peer(answer_and_reset) as port:
            return await ask(port)

    seen = uvloop.run(meet())
    assert seen.evidence == {"test.greeting": ("good evening",), "test.name": ("PC-01",)}


def test_a_second_connection_is_a_new_one() -> None:
    async def meet() -> Observation:
        async with peer(polite) as port:
            return await ask(port, greet_twice, 2)

    seen = uvloop.run(meet())
    assert seen.evidence["test.again"] == ("yes",)
    assert seen.connections == 2
    assert seen.outcome is Outcome.ANSWERED


def test_a_refused_second_connection_is_an_answer() -> None:
    """The probe concludes from it; the conversation ended well."""

    async def meet() -> Observation:
        served = 0

        async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal served
            served += 1
            if served == 1:
                await polite(reader, writer)

        async with peer(once) as port:
            return await ask(port, greet_twice, 2)

    seen = uvloop.run(meet())
    assert seen.evidence["test.again"] == ("no",)
    assert seen.outcome is Outcome.ANSWERED


def test_a_probe_cannot_connect_more_often_than_it_declares() -> None:
    async def meet() -> Observation:
        async with peer(polite) as port:
            return await ask(port, greet_twice, 1)

    seen = uvloop.run(meet())
    assert "test.again" not in seen.evidence
    assert seen.connections == 1


def test_a_probe_cannot_say_more_than_it_declares() -> None:
    def chatter(_: Host) -> Conversation:
        while True:
            yield Send(b"hello\n", line)

    heard = 0

    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal heard
        while await reader.readline():
            heard += 1
            writer.write(b"ok\n")

    async def meet() -> Observation:
        async with peer(count) as port:
            return await ask(port, chatter)

    uvloop.run(meet())
    assert heard == 3


def test_a_host_gets_no_more_connections_than_its_limits_allow() -> None:
    async def meet() -> tuple[Observation, int]:
        async with peer(polite) as port:
            probe, door = probe_at(port), door_to()
            door.connections = PROFILES["lab"].connections
            return await meet_at(probe, door), door.gate.attempts

    seen, attempts = uvloop.run(meet())
    assert seen.outcome is Outcome.WITHHELD
    assert attempts == 0


def test_the_scope_is_asked_at_every_attempt() -> None:
    async def meet() -> tuple[Observation, int]:
        async with peer(polite) as port:
            probe, door = probe_at(port), door_to()
            door.gate.scope = Scope.of(None, AddressSet.of([ADDRESS]))
            return await meet_at(probe, door), door.gate.attempts

    seen, attempts = uvloop.run(meet())
    assert seen.outcome is Outcome.WITHHELD
    assert attempts == 0


def test_a_place_is_given_back_whatever_happens() -> None:
    async def meet() -> list[Outcome]:
        outcomes = []
        async with Switchboard(1, 0.5, 0.3, 0.3) as switchboard:
            for behaviour in (hang_up, noise, polite):
                async with peer(behaviour) as port:
                    probe, door = probe_at(port), door_to()
                    outcomes.append((await hold(probe, _endpoint(door, probe), door, switchboard)).outcome)
        return outcomes

    assert uvloop.run(meet()) == [Outcome.CLOSED, Outcome.FOREIGN, Outcome.ANSWERED]
