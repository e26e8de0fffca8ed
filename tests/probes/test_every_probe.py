"""What holds for every probe, over every conversation that its own tests list."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.errors import ProbeError
from scanner.model import Transport
from scanner.probes import probes
from tests.probes.damage import damaged_conversation
from tests.probes.told import all_told

if TYPE_CHECKING:
    from scanner.probes import Probe
    from tests.probes.conversation import Heard
    from tests.probes.told import Told

TOLD = all_told()
DAMAGED = 300
each_conversation = pytest.mark.parametrize("told", TOLD.values(), ids=TOLD)
each_probe = pytest.mark.parametrize("probe", probes(), ids=lambda probe: probe.name)


def check(told: Told, heard: Heard) -> None:
    """What must hold whatever was answered."""
    assert heard.error is None or isinstance(heard.error, ProbeError)
    for key, value in heard.evidence.items():
        assert value, key
        for text in (value,) if isinstance(value, str) else value:
            assert text.isprintable(), key
            assert 0 < len(text) <= 256, key
    told.probe.redact(tuple(heard.raw))


@each_probe
def test_it_has_conversations_to_replay(probe: Probe) -> None:
    assert [told for told in TOLD.values() if told.probe.name == probe.name and told.evidence]


@each_probe
def test_it_says_what_it_may_cost(probe: Probe) -> None:
    assert probe.logs
    assert probe.trouble
    assert probe.exchanges >= probe.connections >= 1
    assert 0 <= probe.reveals <= len(probe.ports)
    assert len(set(probe.ports)) == len(probe.ports)
    assert len(set(probe.keys)) == len(probe.keys)


@each_conversation
def test_it_learns_all_of_it(told: Told) -> None:
    heard = told.hold()
    assert heard.evidence == told.evidence
    assert (type(heard.error) if heard.error else None) == told.error
    check(told, heard)


@each_conversation
def test_it_learns_the_same_byte_by_byte_and_with_trailing_bytes(told: Told) -> None:
    if told.probe.transport is Transport.UDP:
        return  # a datagram comes whole
    assert told.hold(slowly=True).evidence == told.evidence
    assert told.hold(garbage=b"\x00\xff\r\n trailing").evidence == told.evidence


@each_conversation
def test_cut_anywhere_it_ends_in_an_error_of_ours_at_worst(told: Told) -> None:
    for row, answers in enumerate(told.connections):
        for column, answer in enumerate(answers):
            if not isinstance(answer, bytes):
                continue
            for end in range(0, len(answer), max(1, len(answer) // 64)):
                cut = [*told.connections[:row], [*answers[:column], answer[:end]]]
                check(told, told.hold(cut))


@each_conversation
def test_damaged_anywhere_it_ends_in_an_error_of_ours_at_worst(told: Told) -> None:
    chance = random.Random(told.name)
    for _ in range(DAMAGED):
        check(told, told.hold(damaged_conversation(told.connections, chance)))


@each_probe
@given(raw=st.lists(st.binary(max_size=200), max_size=4).map(tuple))
def test_redacting_takes_any_bytes(probe: Probe, raw: tuple[bytes, ...]) -> None:
    assert len(probe.redact(raw)) == len(raw)
