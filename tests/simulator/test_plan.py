"""The plan of the hospital: exact numbers, a seed that decides, and the same arithmetic as the kernel's."""

from __future__ import annotations

from collections import Counter
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.errors import ConfigError
from scanner.simulator import Hospital
from scanner.simulator.mix import parse_mix, shared_out, whole_mix
from scanner.simulator.personalities import personalities, personality
from scanner.simulator.plan import FIRST_NETWORK, MOST_WARDS, Scatter, _ward
from scanner.simulator.steering import Instruction, steering

if TYPE_CHECKING:
    from collections.abc import Callable

small = st.builds(
    Hospital,
    hosts=st.integers(1, 300),
    wards=st.integers(2, 9),
    seed=st.integers(0, 1 << 32),
    mix=st.just({}),
)


ALU: dict[int, Callable[[int, int, int], int]] = {
    0x04: lambda a, k, _: a + k,
    0x0C: lambda a, _, x: a + x,
    0x14: lambda a, k, _: a - k,
    0x24: lambda a, k, _: a * k,
    0x54: lambda a, k, _: a & k,
    0x74: lambda a, k, _: a >> k,
    0x94: lambda a, k, _: a % k,
}


def run(program: tuple[Instruction, ...], destination: int) -> int:
    """The classic BPF machine, as far as the program needs it: unsigned 32-bit registers, forward jumps."""
    a = x = at = 0
    memory = [0] * 16
    while True:
        code, if_true, if_false, k = program[at]
        at += 1
        if code in ALU:
            a = ALU[code](a, k, x) & 0xFFFFFFFF
        elif code == 0x20:
            assert k == 0xFFF00010
            a = destination
        elif code == 0x60:
            a = memory[k]
        elif code == 0x61:
            x = memory[k]
        elif code == 0x02:
            memory[k] = a
        elif code == 0x35:
            at += if_true if a >= k else if_false
        else:
            assert code in {0x06, 0x16}
            return k if code == 0x06 else a


def test_the_default_hospital_is_the_one_that_was_ordered() -> None:
    hospital = Hospital()
    products = Counter(place.personality.product for place in hospital.places.values())
    assert len(hospital.places) == 15_000
    assert len(hospital.wards) == 125
    assert products["Windows XP"] == 8_000
    wards = Counter(place.ward for place in hospital.places.values())
    assert set(wards.values()) == {120}
    in_wards = Counter(
        place.ward for place in hospital.places.values() if place.personality.product == "Windows XP"
    )
    assert max(in_wards.values()) > 4 * min(in_wards.values())


def test_every_personality_is_in_the_default_hospital() -> None:
    assert {place.personality.key for place in Hospital().places.values()} == set(personalities())


@given(small)
def test_machines_stand_in_their_wards_and_nowhere_else(hospital: Hospital) -> None:
    for place in hospital.places.values():
        assert IPv4Address(place.address) in place.ward.subnet
        assert place.address.split(".")[3] not in {"0", "255"}
        assert place.listening == hospital.scatter.listens(int(IPv4Address(place.address)))
    wards = Counter(place.ward for place in hospital.places.values())
    assert sum(wards.values()) == hospital.hosts
    assert max(wards.values()) - min(wards[ward] for ward in hospital.wards) <= 1


@given(small, st.integers(1, 8))
@settings(max_examples=20)
def test_the_kernels_program_says_what_the_plan_says(hospital: Hospital, listeners: int) -> None:
    program = steering(hospital.scatter, listeners)
    first = FIRST_NETWORK << 8
    last = first + len(hospital.wards) * 256
    addresses = [*range(first - 300, last + 300), 0, 0x7F000001, 0x0A000001, 0xFFFFFFFF]
    heard = {str(IPv4Address(address)) for address in addresses if run(program, address) < listeners}
    assert heard == {place.address for place in hospital.places.values() if place.listening}
    assert {run(program, address) for address in addresses} <= set(range(listeners + 1))


@given(
    st.integers(1, MOST_WARDS), st.sampled_from([3, 9, 125, 253]), st.integers(0, 253), st.integers(0, 253)
)
def test_a_slot_has_one_address(wards: int, step: int, stride: int, offset: int) -> None:
    scatter = Scatter(wards, step, stride, offset, 100, 1)
    octets = [scatter.octet(wards - 1, slot) for slot in range(254)]
    assert sorted(octets) == list(range(1, 255))
    assert [scatter.slot(wards - 1, octet) for octet in octets] == list(range(254))


def test_a_seed_makes_the_same_hospital_again_and_another_seed_another() -> None:
    first, again, other = Hospital(500, 5, 7), Hospital(500, 5, 7), Hospital(500, 5, 8)
    assert first.places == again.places
    assert [first.machine(address) for address in first.places] == [
        again.machine(address) for address in again.places
    ]
    assert first.places.keys() != other.places.keys()
    kinds = [[place.personality.key for place in one.places.values()] for one in (first, other)]
    assert kinds[0] != kinds[1]


def test_names_are_unique_and_fit() -> None:
    hospital = Hospital()
    machines = [hospital.machine(address) for address in hospital.places]
    names = [machine.name for machine in machines if machine]
    assert len(set(names)) == len(names) == 15_000
    assert all(len(name) <= 15 and name.isascii() for name in names)
    guids = {machine.guid for machine in machines if machine and not machine.personality.samba}
    assert len(guids) == sum(not machine.personality.samba for machine in machines if machine)


def test_ward_names_are_unique_up_to_the_largest_hospital() -> None:
    wards = [_ward(index) for index in range(MOST_WARDS)]
    assert len({ward.name for ward in wards}) == MOST_WARDS
    assert len({ward.subnet for ward in wards}) == MOST_WARDS


@given(st.integers(0, 20_000), st.dictionaries(st.text(max_size=3), st.integers(0, 9_000), min_size=1))
def test_sharing_out_is_exact_and_fair(total: int, shares: dict[str, int]) -> None:
    given_out = shared_out(total, shares)
    whole = sum(shares.values())
    assert sum(given_out.values()) == (total if whole else 0)
    for name, number in given_out.items():
        assert abs(number - total * shares[name] / whole) < 1


@given(st.integers(20, 30_000), st.integers(0, 10), st.integers(0, 10))
@settings(max_examples=50)
def test_a_mix_keeps_what_is_wanted_and_adds_up(hosts: int, old: int, silent: int) -> None:
    mix = whole_mix(hosts, {"xp": old, "silent": silent})
    assert (mix["xp"], mix["silent"]) == (old, silent)
    assert sum(mix.values()) == hosts


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("xp", "xp is no name=number"),
        ("xp=", "xp= is no name=number"),
        ("xp=-1", "xp=-1 is no name=number"),
        ("xp=²", "xp=² is no name=number"),
        ("xp=1,xp=2", "xp stands twice"),
        ("w77=1", "no machine is called w77; the nearest is w7"),
    ],
)
def test_a_wrong_mix_is_one_clear_line(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_mix(text)
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("hosts", "wards", "mix"),
    [(0, 1, {}), (255, 1, {}), (10, 0, {}), (10, MOST_WARDS + 1, {}), (10, 1, {"xp": 11})],
)
def test_what_does_not_fit_is_refused(hosts: int, wards: int, mix: dict[str, int]) -> None:
    with pytest.raises(ConfigError):
        Hospital(hosts, wards, mix=mix)


def test_a_hospital_of_one_kind() -> None:
    hospital = Hospital(254, 1, mix={"xp": 254})
    assert {place.personality for place in hospital.places.values()} == {personality("xp")}
    assert len(hospital.places) == 254


def test_nobody_is_where_no_machine_is() -> None:
    assert Hospital(1, 1).machine("127.32.0.0") is None
