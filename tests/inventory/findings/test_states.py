"""What may be decided, and what the rules make of it, whatever stood before."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.errors import ConfigError
from scanner.inventory.findings.states import (
    BY_RULE,
    Decision,
    Facts,
    Standing,
    State,
    decided,
    differences,
    settled,
)
from scanner.language import Message

TODAY = date(2026, 11, 23)
DAYS = st.dates(TODAY - timedelta(days=400), TODAY + timedelta(days=400))
GONE, SEEN = Message("gone"), Message("seen")


@st.composite
def standings(draw: st.DrawFn) -> Standing:
    state = draw(st.sampled_from(State))
    standing = Standing(
        state, draw(st.sampled_from(["", "DSI"])), draw(st.none() | DAYS), known_scan=draw(st.integers(-1, 3))
    )
    if state is State.WAIVED:
        return replace(standing, until=draw(DAYS), measure="VLAN")
    if state is State.ISOLATED:
        return replace(standing, isolated_in=draw(st.sampled_from([(), ("10.9.0.0/24",)])))
    return standing


FACTS = st.builds(
    Facts,
    shown=st.booleans(),
    gone=st.none() | st.just(GONE),
    told_by=st.integers(0, 4),
    seen=st.none() | st.just(SEEN),
)


@given(standings(), FACTS, DAYS)
def test_rules_only_open_and_close_and_take_nothing_else_away(
    before: Standing, facts: Facts, today: date
) -> None:
    outcome = settled(before, facts, today)
    if outcome is None:
        return
    after, reason = outcome
    assert after.state in {State.OPEN, State.CLOSED}
    assert after.state is not before.state
    assert (after.owner, after.due, after.known_scan) == (before.owner, before.due, BY_RULE)
    assert (after.until, after.measure, after.isolated_in) == (None, "", ())
    assert reason.text
    assert settled(after, replace(facts, gone=None, shown=False), today) is None


@given(standings(), DAYS)
def test_a_machine_of_which_nothing_was_heard_keeps_what_was_decided_but_for_waivers_that_ended(
    before: Standing, today: date
) -> None:
    outcome = settled(before, Facts(), today)
    over = before.state is State.WAIVED and before.until is not None and before.until < today
    assert (outcome is not None) == over


@given(
    standings(),
    st.builds(
        Decision,
        state=st.none() | st.sampled_from(State),
        owner=st.none() | st.just("biomedical"),
        due=st.none() | DAYS,
        until=st.none() | DAYS,
        measure=st.none() | st.sampled_from(["", "jump host"]),
        isolated_in=st.none() | st.just(("10.8.0.0/24",)),
        note=st.sampled_from(["", "because"]),
    ),
)
def test_a_decision_leaves_a_whole_finding_or_nothing(before: Standing, decision: Decision) -> None:
    try:
        after = decided(before, decision, today=TODAY, scan=7)
    except ConfigError:
        return
    assert after.state is (decision.state or before.state)
    assert (after.state is State.WAIVED) == (after.until is not None) == bool(after.measure)
    assert after.state is State.ISOLATED or not after.isolated_in
    assert after.known_scan == (before.known_scan if decision.state is None else 7)
    if before.state in {State.CLOSED, State.REPLACED} and after.state is not before.state:
        assert after.state in {State.OPEN, State.CLOSED}
    if decision.state is State.CLOSED:
        assert decision.note


@given(standings(), standings())
def test_what_changed_says_all_that_changed(before: Standing, after: Standing) -> None:
    one, other = differences(before, after)
    assert one.keys() == other.keys()
    assert bool(other) == (replace(before, known_scan=0) != replace(after, known_scan=0))
    assert differences(None, after)[1]["state"] == after.state


@pytest.mark.parametrize(
    ("before", "decision", "told"),
    [
        (Standing(), Decision(State.WAIVED), "--until and --measure"),
        (Standing(), Decision(State.WAIVED, until=TODAY), "--until and --measure"),
        (Standing(), Decision(State.WAIVED, until=date(2026, 1, 1), measure="m"), "before today"),
        (Standing(), Decision(until=TODAY), "belong to a waiver"),
        (Standing(), Decision(State.PLANNED, isolated_in=("10.0.0.0/8",)), "belongs to an isolation"),
        (Standing(), Decision(State.CLOSED), "why it is closed"),
        (Standing(State.CLOSED), Decision(State.PLANNED), "set it to open first"),
        (Standing(State.REPLACED), Decision(State.ISOLATED), "set it to open first"),
    ],
)
def test_what_cannot_be_is_refused_in_plain_words(before: Standing, decision: Decision, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        decided(before, decision, today=TODAY, scan=1)
