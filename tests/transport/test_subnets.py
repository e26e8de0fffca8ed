"""Who is asked again, and when enough are silent: the law of the design (section 5), by arithmetic."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.addresses import AddressMap, AddressSet, number_of
from scanner.model import Endpoint, Observation, Outcome
from scanner.targets import Scope
from scanner.transport.gate import Gate
from scanner.transport.limits import PROFILES, Terms
from scanner.transport.rounds import too_many
from scanner.transport.subnets import RECENT, Subnet, Subnets
from scanner.transport.turns import EVERY
from tests.transport.clock import WHEN


def gate_of(*named: str, profile: str = "clinical") -> Gate:
    terms = Terms(PROFILES[profile])
    wards = AddressMap((AddressSet.of([net]), net) for net in named) if named else None
    return Gate(Scope.of(None, AddressSet()), lambda _: terms, subnets=Subnets(wards))


def answered(gate: Gate, address: str, outcome: Outcome = Outcome.ANSWERED) -> Subnet:
    door = gate.host(number_of(address))
    door.subnet.heard(door, [Observation(Endpoint(address, 445), "smb", WHEN, outcome)])
    return door.subnet


def test_the_narrowest_subnet_of_the_site_file_counts() -> None:
    gate = gate_of("10.0.0.0/16", "10.0.1.0/24")
    assert answered(gate, "10.0.1.7").name == "10.0.1.0/24"
    assert answered(gate, "10.0.2.7").name == "10.0.0.0/16"
    assert answered(gate, "10.0.3.7") is answered(gate, "10.0.4.7")


@pytest.mark.parametrize(
    ("address", "name"), [("10.9.8.7", "10.9.8.0/24"), ("fd00:1:2:3:4::5", "fd00:1:2:3::/64")]
)
def test_without_a_site_file_neighbours_are_a_subnet(address: str, name: str) -> None:
    assert answered(gate_of(), address).name == name


def test_where_nothing_is_watched_nobody_is_asked_again() -> None:
    subnet = answered(gate_of(profile="lab"), "127.0.0.1")
    assert not subnet.due
    assert subnet.witness(0.0) is None


def test_whoever_was_asked_longest_ago_within_a_minute_comes_first() -> None:
    gate = gate_of()
    for last in (1, 2, 3):
        subnet = answered(gate, f"10.0.0.{last}")
    for number, asked in enumerate((-RECENT - 1, -30.0, -1.0), 1):
        subnet.witnesses[number_of(f"10.0.0.{number}")].asked = asked
    first = subnet.witness(0.0)
    assert first is not None
    assert first.door.address == "10.0.0.2"
    del subnet.witnesses[number_of("10.0.0.2")], subnet.witnesses[number_of("10.0.0.3")]
    oldest = subnet.witness(0.0)
    assert oldest is not None
    assert oldest.door.address == "10.0.0.1"


def test_whoever_had_all_his_connections_is_not_asked_again() -> None:
    gate = gate_of()
    subnet = answered(gate, "10.0.0.1")
    subnet.witnesses[number_of("10.0.0.1")].door.connections = PROFILES["clinical"].connections
    assert subnet.witness(0.0) is None


@pytest.mark.parametrize("outcome", [Outcome.SILENT, Outcome.UNREACHABLE, Outcome.WITHHELD, Outcome.FAILED])
def test_silence_is_no_answer(outcome: Outcome) -> None:
    subnet = answered(gate_of(), "10.0.0.1", outcome)
    assert (subnet.answered, len(subnet.witnesses)) == (0, 0)


@given(st.integers(3, 5000), st.integers(0, 8))
def test_three_or_two_in_a_hundred_but_never_more_than_five(alive: int, fell: int) -> None:
    gate = gate_of("10.0.0.0/16")
    subnet = answered(gate, "10.0.0.1")
    subnet.answered = alive
    witness = subnet.witnesses[number_of("10.0.0.1")]
    subnet.fallen = dict.fromkeys(range(fell), witness)
    assert too_many(subnet) == (fell >= min(5, max(3, math.ceil(alive * 2 / 100))))


def test_what_loss_explains_is_not_put_down_to_us() -> None:
    subnet = answered(gate_of(), "10.0.0.1")
    subnet.fallen = dict.fromkeys(range(3), subnet.witnesses[number_of("10.0.0.1")])
    assert too_many(subnet)
    subnet.looks, subnet.congestion.loss.before = 100, 0.1
    assert not too_many(subnet)


def test_a_subnet_is_looked_at_before_the_first_host_and_after_every_five() -> None:
    subnet = answered(gate_of(), "10.0.0.1")
    assert subnet.due
    subnet.turns.begun = EVERY - 1
    assert not subnet.due
