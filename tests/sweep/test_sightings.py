"""What half-open looks tell: nothing is a host but who answered what was asked."""

from __future__ import annotations

import errno

from hypothesis import given
from hypothesis import strategies as st

from scanner.model import Outcome
from scanner.sweep.sightings import Sightings, answer_of
from scanner.transport.raw import Heard
from tests.probes.test_segments import SEVEN, packet

FAILED, OPEN, CLOSED, UNREACHABLE = 1, 16, 17, 18


def heard(kind: int, number: int = 7, port: int = 445, more: bytes = b"@") -> Heard:
    return Heard(kind, number, port, more)


def test_an_open_port_says_how_it_accepts() -> None:
    answer = answer_of(heard(OPEN, more=packet(127, 8192, SEVEN)))
    assert (answer.outcome, answer.ttl) == (Outcome.ANSWERED, 127)
    assert answer.form == "ttl=128 win=8192 opts=mss,nop,ws8,nop,nop,sok df=1"


@given(st.integers(0, 255), st.binary(max_size=120))
def test_any_record_is_an_answer(kind: int, more: bytes) -> None:
    assert answer_of(heard(kind, more=more)).outcome in set(Outcome)


def test_what_this_machine_may_not_send_is_no_fault_of_its_network() -> None:
    for code, outcome in ((errno.EACCES, Outcome.UNREACHABLE), (errno.ENETUNREACH, Outcome.FAILED)):
        assert answer_of(heard(FAILED, more=bytes([code]))).outcome is outcome


def test_who_refuses_is_there_and_who_is_unreachable_is_not() -> None:
    sightings = Sightings()
    for number, kind in enumerate((OPEN, CLOSED, UNREACHABLE)):
        sightings.take(heard(kind, number))
    assert sightings.divide(range(4), set()) == ([0, 1], [2, 3])


def test_of_what_could_not_be_sent_nothing_is_said() -> None:
    sightings = Sightings()
    sightings.take(heard(FAILED, 1, more=bytes([errno.ENETUNREACH])))
    assert sightings.unsent([(1, 445), (2, 445)]) == [(1, 445)]
    assert sightings.unsent([(1, 445)]) == [], "it is told once"
    assert sightings.divide([1, 2], {1}) == ([], [2])


def test_who_answers_late_is_found_and_said_once() -> None:
    sightings = Sightings()
    assert sightings.divide([1, 2], set()) == ([], [1, 2])
    for _ in range(3):
        sightings.take(heard(OPEN, 1))
    sightings.take(heard(UNREACHABLE, 2))
    assert sightings.close() == [1]
    assert sightings.close() == []


@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from([OPEN, CLOSED, UNREACHABLE]))))
def test_each_address_is_alive_or_dark(told: list[tuple[int, int]]) -> None:
    sightings = Sightings()
    for number, kind in told:
        sightings.take(heard(kind, number))
    first: dict[int, int] = {}
    for number, kind in told:
        first.setdefault(number, kind)
    alive, dark = sightings.divide(range(10), set())
    assert sorted(alive + dark) == list(range(10))
    assert set(alive) == {number for number, kind in first.items() if kind != UNREACHABLE}
    assert set(sightings.found) == set(alive)
