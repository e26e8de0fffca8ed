"""Every conversation that the probes' tests list, held through the transport with a host that replays it.

The host is a thread with real sockets; it counts connections and reads exactly the bytes that the probe says.
What the transport makes of it, and writes into the ledger, must be what was listed and what the host counted.
"""

from __future__ import annotations

import socket
import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self

import pytest
import uvloop

from scanner.errors import LimitError, PeerClosedError, ProbeError
from scanner.model import Endpoint, Outcome, Transport
from scanner.probes import Peer, Reconnect, Secure, Send
from scanner.transport.conversation import hold
from scanner.transport.switchboard import Switchboard
from tests.probes.conversation import Replay
from tests.probes.told import all_told
from tests.transport.test_conversation import ADDRESS, door_to

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scanner.model import Observation
    from scanner.probes import Conversation, Step
    from scanner.transport.gate import HostDoor
    from tests.probes.conversation import Answer
    from tests.probes.told import Told

SOON = 0.4
"""Seconds for which an answer is waited for that never comes."""


def peer_of(told: Told, port: int) -> Peer:
    """The host as the probe knows it: some name it in what they say."""
    endpoint = Endpoint(ADDRESS, port, told.probe.transport, told.service or told.probe.ports[0])
    return Peer(endpoint, told.known, told.given)


def steps_of(told: Told, port: int = 9) -> list[Step]:
    """Everything that the probe does in a conversation."""
    taken: list[Step] = []

    def watched(peer: Peer) -> Conversation:
        conversation = told.probe.converse(peer)
        try:
            step = next(conversation)
            while True:
                taken.append(step)
                try:
                    answer = yield step
                except ProbeError as error:
                    step = conversation.throw(error)
                else:
                    step = conversation.send(answer)
        except StopIteration:
            return

    Replay(told.connections).hold_with(replace(told.probe, converse=watched), peer_of(told, port))
    return taken


def script_of(told: Told, port: int) -> list[list[tuple[bytes, Answer]]]:
    """By connection: what the host hears, and what it answers."""
    answers = [list(connection) for connection in told.connections]
    script: list[list[tuple[bytes, Answer]]] = [[]]
    for step in steps_of(told, port):
        if isinstance(step, Reconnect):
            script.append([])
        elif isinstance(step, Send):
            waiting = answers[len(script) - 1] if len(script) <= len(answers) else []
            script[-1].append((step.data, waiting.pop(0) if waiting else PeerClosedError()))
    return script


def can_be_replayed(told: Told) -> bool:
    """TLS needs a real peer, a connection that fails needs one that refuses it; some name their address."""
    listed = all(not isinstance(connection, ProbeError) for connection in told.connections)
    heard = Replay(told.connections).hold_with(told.probe, peer_of(told, 9))
    return (
        listed
        and heard.evidence == told.evidence
        and not any(isinstance(step, Secure) for step in steps_of(told))
    )


TOLD = {name: told for name, told in all_told().items() if can_be_replayed(told)}


@dataclass
class Host:
    """One that replays a script, over TCP or UDP."""

    told: Told
    heard: list[bytes] = field(default_factory=list)
    connections: int = 0
    trouble: list[BaseException] = field(default_factory=list)

    def __enter__(self) -> Self:
        self.transport = self.told.probe.transport
        kind = socket.SOCK_DGRAM if self.transport is Transport.UDP else socket.SOCK_STREAM
        self.socket = socket.socket(socket.AF_INET, kind)
        self.socket.bind((ADDRESS, 0))
        self.socket.settimeout(5)
        self.port: int = self.socket.getsockname()[1]
        if kind == socket.SOCK_STREAM:
            self.socket.listen()
        self.script = script_of(self.told, self.port)
        self.thread = threading.Thread(target=self._run)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.thread.join()
        self.socket.close()
        assert not self.trouble, self.trouble

    def _run(self) -> None:
        try:
            if self.transport is Transport.UDP:
                for data, answer in self.script[0]:
                    self._answer_datagram(data, answer)
            else:
                for turns in self.script:
                    connection, _ = self.socket.accept()
                    connection.settimeout(5)
                    self.connections += 1
                    with connection:
                        self._speak(connection, turns)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test shows it
            self.trouble.append(error)

    def _answer_datagram(self, data: bytes, answer: Answer) -> None:
        got, asker = self.socket.recvfrom(1 << 16)
        assert got == data
        self.heard.append(got)
        if isinstance(answer, bytes):
            self.socket.sendto(answer, asker)

    def _speak(self, connection: socket.socket, turns: Sequence[tuple[bytes, Answer]]) -> None:
        for data, answer in turns:
            got = b""
            while len(got) < len(data):
                chunk = connection.recv(len(data) - len(got))
                assert chunk, f"it hung up after {len(got)} of {len(data)} bytes"
                got += chunk
            assert got == data
            self.heard.append(got)
            if isinstance(answer, bytes):
                connection.sendall(answer)
            elif isinstance(answer, LimitError):
                break  # and say nothing more
            else:
                return
        while connection.recv(1 << 16):
            raise AssertionError("it says more than it did")


def held(told: Told, port: int) -> tuple[Observation, HostDoor]:
    door = door_to()
    endpoint = peer_of(told, port).endpoint
    given = {told.probe.name: told.given}
    door.terms = replace(door.terms, given=given)

    async def speak() -> Observation:
        async with Switchboard(1, connect_seconds=SOON, answer_seconds=SOON, datagram_seconds=SOON) as board:
            return await hold(told.probe, endpoint, door, board, told.known)

    return uvloop.run(speak()), door


@pytest.mark.parametrize("told", TOLD.values(), ids=TOLD)
def test_the_transport_holds_it_as_it_is_listed(told: Told) -> None:
    with Host(told) as host:
        seen, door = held(told, host.port)
    assert seen.evidence == {
        key: (value,) if isinstance(value, str) else value for key, value in told.evidence.items()
    }
    assert (seen.outcome is Outcome.ANSWERED) == (told.error is None or _answers_late(told))
    said = sum(map(len, host.heard))
    assert said == sum(attempt.sent for attempt in door.gate.ledger) <= told.probe.size
    assert len(host.heard) <= told.probe.exchanges
    if told.probe.transport is Transport.TCP:
        assert host.connections == len(door.gate.ledger) == door.connections <= told.probe.connections
    else:
        assert len(host.heard) == len(door.gate.ledger) == door.connections


def _answers_late(told: Told) -> bool:
    """Datagrams: what was lost does not undo what was answered."""
    return told.probe.transport is Transport.UDP and bool(told.evidence)


def test_every_probe_is_among_them() -> None:
    assert {told.probe.name for told in TOLD.values()} == {told.probe.name for told in all_told().values()}
