"""Silence waits until something answers after it; where the network was away it does not count."""

from __future__ import annotations

from datetime import timedelta

from scanner.addresses import AddressMap, AddressSet, number_of
from scanner.model import Endpoint, Observation, Outcome
from scanner.sweep.pending import Pending
from scanner.sweep.visit import Visit
from scanner.targets import Scope
from scanner.transport.gate import Gate, HostDoor
from scanner.transport.limits import PROFILES, Terms
from scanner.transport.subnets import Subnets
from tests.transport.clock import WHEN

ONE, OTHER = "10.0.0.0/24", "10.0.1.0/24"


class Ward:
    """Two subnets whose visits end one after the other, a second apart."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.pending = Pending(lambda visit: self.told.append(visit.door.address))
        terms = Terms(PROFILES["office"])
        named = AddressMap((AddressSet.of([net]), net) for net in (ONE, OTHER))
        self.gate = Gate(Scope.of(None, AddressSet()), lambda _: terms, subnets=Subnets(named))
        self.now = WHEN

    def visit(self, address: str, *outcomes: Outcome) -> HostDoor:
        door = self.gate.host(number_of(address))
        seen = []
        for outcome in outcomes:
            self.now += timedelta(seconds=1)
            seen.append(Observation(Endpoint(address, 445), "smb", self.now, outcome))
        if outcomes[-1] in {Outcome.ANSWERED, Outcome.REFUSED}:
            door.subnet.alive = self.now
        door.missed = outcomes[-1] in {Outcome.SILENT, Outcome.STALLED}
        door.subnet.heard(door, seen)
        self.pending.take(Visit(door, seen))
        return door


def test_an_answer_is_told_at_once_and_confirms_the_silence_before_it() -> None:
    ward = Ward()
    ward.visit("10.0.0.1", Outcome.SILENT)
    assert ward.told == []
    ward.visit("10.0.0.2", Outcome.ANSWERED)
    assert ward.told == ["10.0.0.1", "10.0.0.2"]


def test_an_answer_of_another_subnet_says_nothing_of_one_that_answered() -> None:
    ward = Ward()
    ward.visit("10.0.0.1", Outcome.REFUSED)
    ward.visit("10.0.0.2", Outcome.SILENT)
    ward.visit("10.0.1.1", Outcome.ANSWERED)
    assert ward.told == ["10.0.0.1", "10.0.1.1"]
    ward.visit("10.0.0.3", Outcome.REFUSED)
    assert ward.told == ["10.0.0.1", "10.0.1.1", "10.0.0.2", "10.0.0.3"]


def test_what_was_answered_before_the_silence_confirms_nothing() -> None:
    ward = Ward()
    ward.visit("10.0.0.9", Outcome.ANSWERED)
    before = ward.now
    ward.visit("10.0.0.1", Outcome.SILENT)
    ward.pending.heard(ward.gate.host(number_of("10.0.0.9")).subnet, before)
    assert ward.told == ["10.0.0.9"]


def test_a_network_that_was_away_makes_them_be_visited_again() -> None:
    ward = Ward()
    silent = [ward.visit(f"10.0.{net}.{last}", Outcome.SILENT) for net in (0, 1) for last in (1, 2)]
    assert ward.pending.forget() == silent
    ward.pending.finish()
    assert ward.told == []


def test_a_stopped_subnet_takes_its_last_silence_with_it() -> None:
    ward = Ward()
    first = ward.visit("10.0.0.1", Outcome.ANSWERED)
    ward.visit("10.0.0.2", Outcome.STALLED)
    ward.pending.drop(first.subnet)
    ward.pending.finish()
    assert ward.told == ["10.0.0.1"]


def test_where_all_is_dark_no_more_waits_than_a_few() -> None:
    ward = Ward()
    for number in range(1000):
        ward.visit(f"10.0.{number // 250}.{number % 250}", Outcome.SILENT)
    assert 1000 - 64 <= len(ward.told) < 1000
    ward.pending.finish()
    assert len(ward.told) == 1000
