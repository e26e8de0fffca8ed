"""What somebody types about a finding, and what it decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scanner.dashboard.asking import LONGEST, day_of
from scanner.inventory import Decision, State, networks_named, next_states
from scanner.language import Message
from scanner.wire import printable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from scanner.inventory import Finding, Inventory

_NO_DAY: Final = Message("this is no day: write it as 2027-03-31")
_OF_A_WAIVER: Final = Message("this belongs to a waiver: choose the state waived")
_OF_AN_ISOLATION: Final = Message("this belongs to an isolation: choose the state isolated")
_TOO_LONG: Final = Message("longer than {most} characters", {"most": str(LONGEST)})


@dataclass(frozen=True, slots=True)
class Typed:
    """The fields of the form, as they were typed."""

    state: str = ""
    owner: str = ""
    due: str = ""
    until: str = ""
    measure: str = ""
    isolated_in: str = ""
    """Subnets and wards, one a line."""
    note: str = ""


def typed_in(form: Mapping[str, str]) -> Typed:
    """What was sent; a field that is not there is empty."""
    return Typed(**{name: form.get(name, "") for name in Typed.__slots__})


def typed_as_is(finding: Finding) -> Typed:
    """The form of somebody who has not typed anything yet."""
    now = finding.standing
    dates = (str(now.due or ""), str(now.until or ""))
    return Typed(now.state.value, now.owner, *dates, now.measure, "\n".join(now.isolated_in))


def decision_of(
    typed: Typed, finding: Finding, inventory: Inventory, today: date
) -> tuple[Decision, dict[str, Message]]:
    """What the form decides, and what is wrong with it by field; what stays as it is is left out."""
    read = _Reading(typed, finding)
    state = _state(read)
    after = state or finding.standing.state
    decision = Decision(
        state,
        read.text("owner"),
        _due(read),
        _until(read, after, today),
        _measure(read, after),
        _places(read, after, inventory),
        _note(read, state),
    )
    return decision, read.wrong


class _Reading:
    """What was typed beside what was, and what is wrong with it by field."""

    def __init__(self, typed: Typed, finding: Finding) -> None:
        self.typed, self.before = typed, finding.standing
        self.as_is = typed_as_is(finding)
        self.wrong: dict[str, Message] = {}

    def text(self, name: str) -> str | None:
        """A text on one line; None where it is as it was."""
        text = " ".join(getattr(self.typed, name).split())
        if len(text) > LONGEST:
            self.wrong[name] = _TOO_LONG
            return None
        text = printable(text, LONGEST)
        return None if text == getattr(self.as_is, name) else text

    def day(self, name: str) -> date | None:
        """A day; None where there is none, or it is wrong."""
        try:
            return day_of(getattr(self.typed, name))
        except ValueError:
            self.wrong[name] = _NO_DAY
            return None

    def demand_as_it_was(self, name: str, words: Message) -> None:
        """What belongs to another state may stand in the form as it was, and goes with that state."""
        typed, before = (getattr(form, name).split() for form in (self.typed, self.as_is))
        if typed and typed != before:
            self.wrong[name] = words


def _state(read: _Reading) -> State | None:
    if read.typed.state not in {each.value for each in next_states(read.before.state)}:
        read.wrong["state"] = Message("it cannot become that: set it to open first")
        return None
    state = State(read.typed.state)
    return None if state is read.before.state else state


def _due(read: _Reading) -> date | None:
    found = read.day("due")
    if found is None and read.before.due is not None:
        read.wrong.setdefault("due", Message("a day that was set can be changed, and not taken away"))
    return None if found == read.before.due else found


def _until(read: _Reading, after: State, today: date) -> date | None:
    if after is not State.WAIVED:
        read.demand_as_it_was("until", _OF_A_WAIVER)
        return None
    found = read.day("until")
    if found is None:
        read.wrong.setdefault("until", Message("a waiver has a last day"))
    elif found < today:
        read.wrong["until"] = Message("a waiver cannot end before today")
    return None if found == read.before.until else found


def _measure(read: _Reading, after: State) -> str | None:
    if after is not State.WAIVED:
        read.demand_as_it_was("measure", _OF_A_WAIVER)
        return None
    if not read.typed.measure.strip():
        read.wrong["measure"] = Message("a waiver has something that makes up for it")
    return read.text("measure")


def _places(read: _Reading, after: State, inventory: Inventory) -> tuple[str, ...] | None:
    if after is not State.ISOLATED:
        read.demand_as_it_was("isolated_in", _OF_AN_ISOLATION)
        return None
    if len(read.typed.isolated_in) > LONGEST:
        read.wrong["isolated_in"] = _TOO_LONG
        return None
    found: list[str] = []
    for line in filter(None, map(str.strip, read.typed.isolated_in.splitlines())):
        networks = networks_named(inventory, line)
        if not networks:
            words = Message("this is neither a subnet nor a ward with subnets: {place}", {"place": line})
            read.wrong.setdefault("isolated_in", words)
        found += networks
    unique = tuple(dict.fromkeys(found))
    return None if unique == read.before.isolated_in else unique


def _note(read: _Reading, state: State | None) -> str:
    text = read.text("note") or ""
    if state is State.CLOSED and not text:
        read.wrong.setdefault("note", Message("say why it is closed"))
    return text
