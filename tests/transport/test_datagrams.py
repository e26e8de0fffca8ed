"""Conversations over UDP: one turn a datagram, one line of the ledger each, whatever comes back."""

from __future__ import annotations

import socket
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Self

import uvloop

from scanner.errors import LimitError, PeerClosedError, ProtocolError
from scanner.model import Outcome, Transport
from scanner.probes import Learnt, Probe, Send
from tests.transport.test_conversation import ADDRESS, door_to, meet_at

if TYPE_CHECKING:
    from collections.abc import Callable

    from scanner.model import Observation
    from scanner.probes import Conversation, Peer
    from scanner.transport.gate import HostDoor


def answer_to(number: bytes) -> Callable[[bytes], int | None]:
    def framing(datagram: bytes) -> int | None:
        if datagram[:1] == b"!":
            raise ProtocolError("no answer begins so")
        return len(datagram) if datagram[:1] == number else None

    return framing


def ask_twice(_: Peer) -> Conversation:
    """The second question is asked whatever became of the first."""
    for number in (b"1", b"2"):
        try:
            heard = yield Send(number + b" who?", answer_to(number), limit=100)
        except (LimitError, PeerClosedError):
            continue
        yield Learnt({f"test.{number.decode()}": heard[1:].decode("latin-1")})


class Server:
    """A socket in a thread of its own: it answers each datagram with some, from itself or from elsewhere."""

    def __init__(self, answers: Callable[[bytes], list[bytes]], *, from_elsewhere: bool = False) -> None:
        self.answers, self.heard = answers, 0
        self.socket, self.other = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        self.socket.bind((ADDRESS, 0))
        self.port: int = self.socket.getsockname()[1]
        self.mouth = self.other if from_elsewhere else self.socket
        self.thread = threading.Thread(target=self.serve)

    def serve(self) -> None:
        while True:
            data, asker = self.socket.recvfrom(1 << 16)
            if data == b"end":
                return
            self.heard += 1
            for answer in self.answers(data):
                self.mouth.sendto(answer, asker)

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.other.sendto(b"end", (ADDRESS, self.port))
        self.thread.join()
        self.socket.close()
        self.other.close()


def hold_at(port: int, connections: int = 64) -> tuple[Observation, HostDoor]:
    """One conversation, and the host's door after it."""
    door = door_to()
    door.connections = 64 - connections
    probe = Probe("test", Transport.UDP, (port,), ("test.1", "test.2"), ask_twice, rank=1, exchanges=2)
    seen = uvloop.run(meet_at(probe, door))
    assert len(door.gate.ledger) == door.gate.attempts == seen.connections
    return seen, door


def hold(answers: Callable[[bytes], list[bytes]], connections: int = 64) -> tuple[Observation, HostDoor]:
    with Server(answers) as server:
        seen, door = hold_at(server.port, connections)
    assert server.heard == len(door.gate.ledger)
    return seen, door


def test_each_datagram_takes_a_turn_and_stands_in_the_ledger() -> None:
    seen, door = hold(lambda asked: [asked[:1] + b" me"])
    assert (seen.outcome, seen.connections) == (Outcome.ANSWERED, 2)
    assert seen.evidence == {"test.1": (" me",), "test.2": (" me",)}
    assert [(line.outcome, line.sent, line.received) for line in door.gate.ledger] == [
        (Outcome.ANSWERED, 6, 4)
    ] * 2


def test_where_nothing_comes_back_it_is_silent() -> None:
    seen, door = hold(lambda _: [])
    assert (seen.outcome, seen.evidence, seen.connections) == (Outcome.SILENT, {}, 2)
    assert door.missed


def test_a_closed_port_is_told_by_the_kernel() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as nobody:
        nobody.bind((ADDRESS, 0))
        port = nobody.getsockname()[1]
    seen, _ = hold_at(port)
    assert (seen.outcome, seen.evidence) == (Outcome.REFUSED, {})


def test_one_lost_answer_leaves_the_other() -> None:
    seen, _ = hold(lambda asked: [asked] if asked[:1] == b"2" else [])
    assert (seen.outcome, seen.evidence) == (Outcome.ANSWERED, {"test.2": (" who?",)})


def test_what_answers_something_else_is_passed_over() -> None:
    seen, _ = hold(lambda asked: [b"", b"x", asked[:1] + bytes(200), asked[:1] + b" me"])
    assert (seen.outcome, seen.evidence) == (Outcome.ANSWERED, {"test.1": (" me",), "test.2": (" me",)})


def test_a_flood_of_what_answers_nothing_ends_the_wait() -> None:
    seen, _ = hold(lambda _: [b"x"] * 40)
    assert (seen.outcome, seen.evidence) == (Outcome.EXCESSIVE, {})


def test_what_can_be_no_answer_is_another_protocol() -> None:
    seen, _ = hold(lambda _: [b"!" * 8])
    assert (seen.outcome, seen.evidence) == (Outcome.FOREIGN, {})


def test_a_host_gets_no_more_datagrams_than_its_limits_allow() -> None:
    seen, _ = hold(lambda asked: [asked[:1] + b" me"], connections=1)
    assert (seen.connections, seen.evidence) == (1, {"test.1": (" me",)})


def test_a_host_that_is_named_to_be_asked_more_is_and_keeps_what_it_gets_as_any_host() -> None:
    door = door_to()
    door.connections = 64
    probe = Probe("test", Transport.UDP, (1,), ("test.1", "test.2"), ask_twice, rank=1, exchanges=2)
    with Server(lambda asked: [asked[:1] + b" me"]) as server:
        seen = uvloop.run(meet_at(replace(probe, ports=(server.port,)), door, counted=False))
    assert (seen.outcome, seen.connections, door.connections) == (Outcome.ANSWERED, 0, 64)
    assert len(door.gate.ledger) == door.gate.attempts == server.heard == 2


def test_datagrams_of_others_are_not_heard() -> None:
    with Server(lambda asked: [asked[:1] + b" me"], from_elsewhere=True) as server:
        seen, _ = hold_at(server.port)
    assert (seen.outcome, seen.evidence) == (Outcome.SILENT, {})
