"""Other people's programs on their way to a host: the rules of the door hold whatever they do."""

from __future__ import annotations

import asyncio
import base64
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

import pytest
import uvloop

from scanner.addresses import AddressSet, number_of
from scanner.model import Endpoint, Outcome
from scanner.targets import Scope
from scanner.transport.clock import Clock, ClockError
from scanner.transport.gate import Gate, HostDoor
from scanner.transport.limits import Limits, Terms
from scanner.transport.loopback import is_our_own
from scanner.transport.relay import LOOPBACK, Ending, Relay
from scanner.transport.switchboard import Switchboard
from tests.transport.test_conversation import door_to, drip, endless, hang_up, noise, peer, reset, silent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.transport.test_conversation import Peer

Program: TypeAlias = Callable[[int], Awaitable[None]]
"""What connects to the relay's port."""

ANSWERED = Ending(Outcome.ANSWERED)
LOGS_ON = b"NTLMSSP\0\3\0\0\0"


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while said := await reader.read(1 << 16):
        writer.write(said)


async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 ready\r\n")
    await reader.read()


class Heard:
    """A host that remembers what it was told, connection by connection."""

    def __init__(self) -> None:
        self.calls: list[bytes] = []
        self.at_once = self.most_at_once = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.calls.append(b"")
        mine = len(self.calls) - 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            while said := await reader.read(1 << 16):
                self.calls[mine] += said
                writer.write(b"ok")
        finally:
            self.at_once -= 1


@asynccontextmanager
async def relay_to(
    port: int, door: HostDoor | None = None, *, connections: int = 4, size: int = 1 << 16
) -> AsyncIterator[Relay]:
    door = door or door_to()
    async with (
        Switchboard(4, connect_seconds=0.5, answer_seconds=0.5, datagram_seconds=0.5) as board,
        Relay("deep.test", Endpoint(LOOPBACK, port), door, board, connections, size) as relay,
    ):
        yield relay


async def say(port: int, *words: bytes, apart: float = 0.0) -> bytes:
    """Say something, and hear it to the end of the connection, or to silence."""
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    heard = b""
    try:
        for word in words:
            writer.write(word)
            await writer.drain()
            await asyncio.sleep(apart)
        async with asyncio.timeout(1.0):
            while not (words and heard.endswith((words[-1], b"ok"))):
                if not (chunk := await reader.read(1 << 16)):
                    break
                heard += chunk
    except OSError:  # TimeoutError is one
        pass
    finally:
        writer.close()
    return heard


def ended(host: Peer, *words: bytes, size: int = 1 << 16) -> tuple[list[Ending], HostDoor, bytes]:
    """How one connection to a host ended, its door, and what the program heard."""

    async def run() -> tuple[list[Ending], HostDoor, bytes]:
        async with peer(host) as port, relay_to(port, size=size) as relay:
            heard = await say(relay.port, *words, apart=0.02)
            async with asyncio.timeout(10):
                while not relay.endings:  # noqa: ASYNC110 - the relay has no event for tests
                    await asyncio.sleep(0.01)
            return relay.endings, relay.door, heard

    return uvloop.run(run())


def test_words_go_both_ways_and_the_ledger_counts_them() -> None:
    endings, door, heard = ended(echo, b"hello ", b"world")
    assert (endings, heard) == ([ANSWERED], b"hello world")
    (attempt,) = door.gate.ledger
    assert (attempt.probe, attempt.outcome, attempt.sent, attempt.received) == (
        "deep.test",
        Outcome.ANSWERED,
        11,
        11,
    )
    assert door.connections == door.gate.attempts == 1


def test_a_host_may_speak_first() -> None:
    endings, door, heard = ended(greet)
    assert (endings, heard) == ([ANSWERED], b"220 ready\r\n")
    assert door.gate.ledger[0].sent == 0


@pytest.mark.parametrize(
    ("host", "outcome"),
    [
        (silent, Outcome.STALLED),
        (reset, Outcome.RESET),
        (hang_up, Outcome.ANSWERED),
        (noise, Outcome.ANSWERED),
        (endless, Outcome.EXCESSIVE),
        (drip, Outcome.ANSWERED),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_whatever_a_host_does_is_one_outcome(host: Peer, outcome: Outcome) -> None:
    endings, door, _ = ended(host, b"hello\n")
    assert [each.outcome for each in endings] == [outcome]
    assert [each.outcome for each in door.gate.ledger] == [outcome]


def test_a_closed_port_is_closed_for_the_program_too() -> None:
    with socket.create_server((LOOPBACK, 0)) as listening:
        port = listening.getsockname()[1]

    async def run() -> list[Ending]:
        async with relay_to(port) as relay:
            assert await say(relay.port, b"hello") == b""
            return relay.endings

    assert [each.outcome for each in uvloop.run(run())] == [Outcome.REFUSED]


@pytest.mark.parametrize("abrupt", [False, True], ids=["closed", "reset"])
def test_a_port_scan_stays_on_this_machine(*, abrupt: bool) -> None:
    """nmap's connect scan hangs up by a reset; neither that nor a polite close reaches the host."""

    async def run() -> tuple[Heard, Relay]:
        host = Heard()
        async with peer(host) as port, relay_to(port) as relay:
            for _ in range(5):
                with socket.create_connection((LOOPBACK, relay.port)) as scanning:
                    if abrupt:
                        scanning.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                await asyncio.sleep(0.02)
            await asyncio.sleep(0.3)
            return host, relay

    host, relay = uvloop.run(run())
    assert (host.calls, relay.endings, relay.attempts) == ([], [], 0)
    assert relay.door.gate.attempts == relay.door.connections == 0


@pytest.mark.parametrize(
    "words",
    [
        (b"\0\0\0\x40\xffSMBs" + LOGS_ON + b"rest",),
        (b"harmless NTLM", b"SSP\0\3\0", b"\0\0rest"),
        tuple(bytes([byte]) for byte in b"x" + LOGS_ON + b"y"),
        (b"Authorization: NTLM " + base64.b64encode(LOGS_ON + b"\x18\0\x18\0") + b"\r\n",),
    ],
    ids=["whole", "in pieces", "byte by byte", "Base64"],
)
def test_what_would_log_on_does_not_leave(words: tuple[bytes, ...]) -> None:
    host = Heard()
    endings, door, _ = ended(host, *words)
    assert [each.outcome for each in endings] == [Outcome.WITHHELD]
    assert LOGS_ON not in host.calls[0]
    assert base64.b64encode(LOGS_ON)[:12] not in host.calls[0]
    assert not host.calls[0].endswith(words[-1])
    assert door.gate.ledger[0].outcome is Outcome.WITHHELD


def test_the_other_messages_of_ntlm_pass() -> None:
    host = Heard()
    ended(host, b"NTLMSSP\0\1\0\0\0", base64.b64encode(b"NTLMSSP\0\1\0\0\0"))
    assert host.calls == [b"NTLMSSP\0\1\0\0\0" + base64.b64encode(b"NTLMSSP\0\1\0\0\0")]


def test_no_more_bytes_leave_than_were_declared() -> None:
    host = Heard()
    endings, door, _ = ended(host, b"x" * 100, b"y" * 100, size=150)
    assert [each.outcome for each in endings] == [Outcome.EXCESSIVE]
    assert host.calls == [b"x" * 100]
    assert door.gate.ledger[0].sent == 100


def several(
    host: Peer, number: int, *, connections: int, door: HostDoor | None = None
) -> tuple[Relay, list[bytes]]:
    """Connections of a program that makes many at once."""

    async def run() -> tuple[Relay, list[bytes]]:
        async with peer(host) as port, relay_to(port, door, connections=connections) as relay:
            heard = await asyncio.gather(*(say(relay.port, b"hello\n") for _ in range(number)))
            await asyncio.sleep(0.3)
            return relay, heard

    return uvloop.run(run())


def test_no_more_connections_than_were_declared_and_one_at_a_time() -> None:
    host = Heard()
    relay, _ = several(host, 6, connections=3)
    assert len(host.calls) == host.most_at_once * 3 == 3
    assert relay.attempts == relay.door.connections == 3
    assert sorted(each.outcome for each in relay.endings) == [Outcome.ANSWERED] * 3 + [Outcome.WITHHELD] * 3


def test_after_one_that_was_not_answered_no_other_is_made() -> None:
    relay, _ = several(reset, 3, connections=3)
    assert [each.outcome for each in relay.endings] == [Outcome.RESET] + [Outcome.WITHHELD] * 2
    assert relay.door.connections == 1


def limited(connections: int, interval: float = 0.0) -> HostDoor:
    limits = Limits("office", None, interval, connections, None, 1)
    gate = Gate(Scope.of(None, AddressSet()), lambda _: Terms(limits))
    return gate.host(number_of(LOOPBACK))


def test_a_host_gets_no_more_than_its_connections() -> None:
    host = Heard()
    relay, _ = several(host, 4, connections=4, door=limited(2))
    assert len(host.calls) == 2
    assert Ending(Outcome.WITHHELD, "2 connections were made") in relay.endings


def test_they_keep_their_distance() -> None:
    relay, _ = several(echo, 3, connections=3, door=limited(3, interval=0.2))
    times = [attempt.at.timestamp() for attempt in relay.door.gate.ledger]
    assert all(after - before >= 0.19 for before, after in pairwise(times))


def test_what_is_forbidden_meanwhile_is_withheld() -> None:
    host = Heard()
    door = limited(4)
    door.gate.unsigned = frozenset({"biomedical"})
    relay, _ = several(host, 1, connections=1, door=door)
    assert (relay.endings, host.calls) == ([Ending(Outcome.WITHHELD, "not signed by biomedical")], [])


def test_a_clock_that_jumps_ends_the_scan(monkeypatch: pytest.MonkeyPatch) -> None:
    def jumped(_: Clock) -> None:
        raise ClockError(seconds=3600)

    class Always:
        def __contains__(self, _: object) -> bool:
            return True

    monkeypatch.setattr(Clock, "demand_steady", jumped)
    terms = Terms(Limits("office", None, 0, 4, None, 1), window=Always())  # type: ignore[arg-type] # a window
    door = Gate(Scope.of(None, AddressSet()), lambda _: terms).host(number_of(LOOPBACK))
    with pytest.raises(ClockError):
        several(echo, 1, connections=1, door=door)


def test_nothing_is_carried_after_its_end() -> None:
    """The context ends while a program speaks: its connection is cut, and the host is hung up on."""

    async def run() -> tuple[Heard, int, bytes]:
        host = Heard()
        async with peer(host) as port:
            async with relay_to(port) as relay:
                reader, writer = await asyncio.open_connection(LOOPBACK, relay.port)
                writer.write(b"hello")
                assert await reader.read(2) == b"ok"
            writer.write(b"more")
            left = await reader.read()
            await asyncio.sleep(0.05)
            assert host.at_once == 0
            with pytest.raises(OSError, match=r"refused|Connect call failed"):
                await asyncio.open_connection(LOOPBACK, relay.port)
            writer.close()
            return host, len(relay.door.gate.ledger), left

    host, entered, left = uvloop.run(run())
    assert (host.calls, entered, left) == ([b"hello"], 1, b"")


def test_who_does_not_wait_is_not_called_for() -> None:
    """A program that gave up before its turn came costs the host nothing."""

    async def run() -> Heard:
        host = Heard()
        async with peer(host) as port, relay_to(port) as relay:
            first_reader, first = await asyncio.open_connection(LOOPBACK, relay.port)
            first.write(b"hello")
            await first_reader.read(2)
            _, second = await asyncio.open_connection(LOOPBACK, relay.port)
            second.write(b"never")
            await second.drain()
            await asyncio.sleep(0.3)
            second.close()
            await asyncio.sleep(0.1)
            first.close()
            await asyncio.sleep(0.3)
            return host

    assert uvloop.run(run()).calls == [b"hello"]


STRANGER = """
import socket, sys
with socket.create_connection(("127.0.0.1", int(sys.argv[1])), 5) as stranger:
    stranger.sendall(b"hello")
    stranger.settimeout(5)
    try:
        print(stranger.recv(10))
    except ConnectionError:
        print(b"")
"""


@pytest.mark.namespaces
def test_nobody_else_of_this_machine_gets_through() -> None:
    """Needs root, to be somebody else."""

    async def run() -> tuple[bytes, Heard]:
        host = Heard()
        async with peer(host) as port, relay_to(port) as relay:
            stranger = await asyncio.create_subprocess_exec(
                *("setpriv", "--reuid=65534", "--clear-groups", "/usr/bin/env", "python3"),
                *("-c", STRANGER, str(relay.port)),
                stdout=subprocess.PIPE,
                env={"PATH": "/usr/bin:/bin"},
            )
            said, _ = await stranger.communicate()
            assert await say(relay.port, b"hello") == b"ok"
            return said, host

    said, host = uvloop.run(run())
    assert said.strip() == b"b''"
    assert host.calls == [b"hello"]


def test_the_kernel_tells_whose_a_socket_is() -> None:
    with socket.create_server((LOOPBACK, 0)) as listening:
        here = listening.getsockname()
        with socket.create_connection(here) as ours:
            assert is_our_own(ours.getsockname(), here)
            assert not is_our_own((LOOPBACK, 1), here)
            assert not is_our_own(None, here)
    assert os.geteuid() >= 0
    assert sys.platform == "linux"
