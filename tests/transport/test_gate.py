from __future__ import annotations

import asyncio
import time
from itertools import pairwise

import pytest
import uvloop
from hypothesis import given
from hypothesis import strategies as st

from scanner.addresses import AddressSet, number_of
from scanner.errors import LimitError
from scanner.probes import probes
from scanner.targets import Scope
from scanner.transport.gate import ForbiddenError, Gate
from scanner.transport.limits import PROFILES, REFUSED_PORTS, Limits, Terms
from scanner.transport.pacing import Pacer

HOST = number_of("127.0.0.1")


def gate_with(limits: Limits, **ports: tuple[int, ...]) -> Gate:
    terms = Terms(limits, ports=ports)
    return Gate(Scope.of(None, AddressSet()), lambda _: terms)


def turns(rate: float, number: int) -> list[float]:
    """When the turns of many waiters came."""

    async def take() -> list[float]:
        pacer, times = Pacer(rate), []

        async def one() -> None:
            await pacer.turn()
            times.append(time.monotonic())

        await asyncio.gather(*(one() for _ in range(number)))
        return times

    return uvloop.run(take())


@pytest.mark.parametrize(("rate", "number"), [(50, 20), (500, 300), (5000, 2000)])
def test_no_second_holds_more_than_the_law_allows(rate: int, number: int) -> None:
    """At most rate + max(1, rate/10) in any second, and no burst: the same law for a tenth of a second."""
    times = turns(rate, number)
    for window in (1.0, 0.1):
        allowed = rate * window + max(1, rate * window / 10)
        start = 0
        for end, moment in enumerate(times):
            while moment - times[start] >= window:
                start += 1
            assert end - start + 1 <= allowed + (window < 1) * max(1, rate * 0.02)


def test_a_host_gets_its_number_of_connections_and_no_more() -> None:
    async def knock() -> int:
        door = gate_with(Limits("test", None, 0, 4, None, 1)).host(HOST)
        for _ in range(4):
            await door.admit()
        with pytest.raises(LimitError):
            await door.admit()
        return door.gate.attempts

    assert uvloop.run(knock()) == 4


def test_one_host_is_asked_at_intervals() -> None:
    async def knock() -> list[float]:
        door = gate_with(Limits("test", None, 0.05, 4, None, 1)).host(HOST)
        times = []
        for _ in range(4):
            await door.admit()
            times.append(time.monotonic())
        return times

    times = uvloop.run(knock())
    assert all(after - before >= 0.049 for before, after in pairwise(times))


@given(st.ip_addresses(v=4))
def test_no_door_opens_out_of_scope(address: object) -> None:
    forbidden = AddressSet.of(["10.0.0.0/9"])
    gate = Gate(Scope.of(None, forbidden), lambda _: Terms(PROFILES["lab"]))
    number = number_of(str(address))
    if gate.scope.permits(number):
        assert gate.host(number).address == str(address)
    else:
        with pytest.raises(ForbiddenError):
            gate.host(number)


@given(
    st.sampled_from(sorted(PROFILES)), st.lists(st.integers(1, 65535), min_size=1, max_size=2, unique=True)
)
def test_ports_are_those_of_the_profile_and_refused_ones_only_where_named(
    profile: str, named: list[int]
) -> None:
    (smb,) = (probe for probe in probes() if probe.name == "smb")
    plain, moved = gate_with(PROFILES[profile]), gate_with(PROFILES[profile], smb=tuple(named))
    assert plain.services(smb, plain.terms_of(HOST)).ports == ((445, 445), (139, 139))
    services = moved.services(smb, moved.terms_of(HOST)).ports
    assert services == tuple(zip(named, (445, 139), strict=False))
    assert not {port for port, _ in plain.services(smb, plain.terms_of(HOST)).ports} & REFUSED_PORTS


@pytest.mark.parametrize(
    ("limits", "numbers", "ward"),
    [
        (PROFILES["lab"], ["10.0.0.1", "198.51.100.1"], ""),
        (PROFILES["office"], ["10.0.0.1"], ""),
        (PROFILES["lab"], ["10.0.0.1"], "another"),
    ],
    ids=["out of scope", "watched", "of another ward"],
)
def test_many_at_once_are_admitted_where_each_may_be_asked(
    limits: Limits, numbers: list[str], ward: str
) -> None:
    terms = Terms(limits)
    gate = Gate(Scope.of(None, AddressSet()), lambda _: terms)
    asked = [number_of(text) for text in numbers]
    with pytest.raises(ForbiddenError):
        asyncio.run(gate.admit_many(Terms(limits, ward) if ward else terms, asked))
    assert gate.attempts == 0
    lab = Terms(PROFILES["lab"])
    free = Gate(Scope.of(None, AddressSet()), lambda _: lab)
    asyncio.run(free.admit_many(lab, asked[:1]))
    assert free.attempts == 1
