"""What a look by ARP makes of answers, of failures, and of routers that answer for everybody."""

from __future__ import annotations

import asyncio
import errno
from typing import TYPE_CHECKING

import pytest

from scanner.addresses import AddressSet, number_of
from scanner.model import Outcome
from scanner.sweep.methods import arp
from scanner.sweep.methods.arp import ArpLook
from scanner.targets import Scope
from scanner.transport.gate import Gate
from scanner.transport.limits import PROFILES, Terms
from scanner.transport.raw import Heard
from scanner.transport.switchboard import Switchboard

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scanner.model import Observation

MAC, OTHER = bytes.fromhex("000c29112233"), bytes.fromhex("000c29112234")
HEARD, FAILED = 19, 1
SEGMENT = 2


class Segment:
    """A raw part: each request meets what the test has for it."""

    def __init__(self, answers: Callable[[int, int], Sequence[Heard]]) -> None:
        self.answers = answers
        self.asked: list[tuple[int, int]] = []

    async def send(self, orders: Sequence[tuple[int, int]]) -> None:
        self.asked += orders
        for order in orders:
            for heard in self.answers(*order):
                asyncio.get_running_loop().call_soon(self.look.take, heard)

    look: ArpLook


def look_at(
    monkeypatch: pytest.MonkeyPatch,
    answers: Callable[[int, int], Sequence[Heard]],
    *addresses: str,
    up: bool = True,
    routers: frozenset[str] = frozenset(),
) -> tuple[list[Sequence[Observation]], Gate, Segment]:
    monkeypatch.setattr(arp, "segment_of", lambda _: SEGMENT)
    monkeypatch.setattr(arp, "link_is_up", lambda _: up)
    gate = Gate(Scope.of(None, AddressSet()), lambda _: Terms(PROFILES["lab"]))
    segment = Segment(answers)

    async def ask() -> list[Sequence[Observation]]:
        async with Switchboard(1, 0.02, 1, 1) as switchboard:
            segment.look = ArpLook(segment, switchboard, routers)  # type: ignore[arg-type]  # it sends as one does
            return [await segment.look.look(gate.host(number_of(address))) for address in addresses]

    return asyncio.run(ask()), gate, segment


def test_the_first_answer_of_whom_was_asked_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    def answers(number: int, port: int) -> list[Heard]:
        return [
            Heard(HEARD, number + 1, port, MAC),
            Heard(HEARD, number, port + 1, MAC),
            Heard(HEARD, number, port, MAC[:5]),
            Heard(HEARD, number, port, b"\xff" * 6),
            Heard(77, number, port, MAC),
            Heard(HEARD, number, port, OTHER),
            Heard(HEARD, number, port, MAC),
        ]

    ((seen,),), gate, segment = look_at(monkeypatch, answers, "10.0.0.1")
    assert seen.outcome is Outcome.ANSWERED
    assert seen.evidence == {"neighbour.mac": ("00:0c:29:11:22:34",)}
    assert [(each.probe, each.outcome) for each in gate.ledger] == [("arp", Outcome.ANSWERED)]
    assert segment.asked == [(number_of("10.0.0.1"), SEGMENT)]


def test_silence_is_asked_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    (seen,), gate, segment = look_at(monkeypatch, lambda *_: [], "10.0.0.1")
    assert [each.outcome for each in seen] == [Outcome.SILENT] * 2
    assert len(segment.asked) == len(gate.ledger) == gate.attempts == 2


@pytest.mark.parametrize(("up", "code"), [(True, errno.ENODEV), (True, errno.ENETDOWN), (False, None)])
def test_a_link_that_went_away_is_no_silence(
    monkeypatch: pytest.MonkeyPatch, code: int | None, *, up: bool
) -> None:
    def answers(number: int, port: int) -> list[Heard]:
        return [] if code is None else [Heard(FAILED, number, port, bytes([code]))]

    (seen,), gate, _ = look_at(monkeypatch, answers, "10.0.0.1", up=up)
    assert [each.outcome for each in seen] == [Outcome.FAILED]
    assert gate.attempts == len(gate.ledger)


def test_an_interface_without_arp_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    def answers(number: int, port: int) -> list[Heard]:
        return [Heard(FAILED, number, port, bytes([errno.EADDRNOTAVAIL]))]

    assert look_at(monkeypatch, answers, "10.0.0.1", "fd00::1")[0] == [(), ()]


def test_a_router_that_answers_for_others_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def answers(number: int, port: int) -> list[Heard]:
        return [Heard(HEARD, number, port, OTHER if number & 0xFF == 30 else MAC)]

    addresses = [f"10.0.0.{n}" for n in range(1, 12)]
    found, gate, _ = look_at(monkeypatch, answers, *addresses)
    assert [len(seen) for seen in found] == [1] * 8 + [0] * 3
    assert len(gate.ledger) == 11
    known = frozenset({"00:0c:29:11:22:33"})
    found, _, _ = look_at(monkeypatch, answers, "10.0.0.1", "10.0.0.30", routers=known)
    assert [len(seen) for seen in found] == [0, 1]
