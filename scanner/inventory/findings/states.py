"""How a finding stands, what people may decide, and what the rules make of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from scanner.errors import ConfigError
from scanner.language import Message

if TYPE_CHECKING:
    from datetime import date


class State(StrEnum):
    """What becomes of a finding."""

    OPEN = "open"
    PLANNED = "planned"
    """Somebody does it by a day."""
    ISOLATED = "isolated"
    """The machine is cut off; it may answer where that is allowed, and nowhere else."""
    REPLACED = "replaced"
    """Another machine does its work; it is not to be seen again."""
    WAIVED = "waived"
    """It is borne until a day, with something that makes up for it."""
    CLOSED = "closed"


SETTLED: Final = frozenset({State.CLOSED, State.REPLACED})
"""States in which nothing is left to be done."""

BY_RULE: Final = -1
"""The ``known_scan`` of what the rules closed: whatever shows the cause opens it again."""

_NEXT: Final = {state: frozenset(State) - {state} for state in State} | {
    State.REPLACED: frozenset({State.OPEN, State.CLOSED}),
    State.CLOSED: frozenset({State.OPEN}),
}
"""What may be decided in each state, besides staying there."""


def next_states(state: State) -> tuple[State, ...]:
    """What a finding may be set to in a state, staying there included, in the order of states."""
    return tuple(each for each in State if each is state or each in _NEXT[state])


@dataclass(frozen=True, slots=True)
class Standing:
    """How a finding stands: the columns that change."""

    state: State = State.OPEN
    owner: str = ""
    due: date | None = None
    until: date | None = None
    """The last day of a waiver."""
    measure: str = ""
    """What makes up for it until then."""
    isolated_in: tuple[str, ...] = ()
    """Networks where an isolated machine may still be seen."""
    known_scan: int = BY_RULE
    """The newest scan when the state was decided."""

    def moved(self, state: State, known_scan: int) -> Standing:
        """In another state, without what belonged to the one before."""
        return Standing(state, self.owner, self.due, known_scan=known_scan)


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody decides; None leaves as it is."""

    state: State | None = None
    owner: str | None = None
    due: date | None = None
    until: date | None = None
    measure: str | None = None
    isolated_in: tuple[str, ...] | None = None
    note: str = ""

    def __bool__(self) -> bool:
        return self != Decision()


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a machine, as far as it concerns one cause."""

    shown: bool = False
    gone: Message | None = None
    """Why the cause holds no longer; neither shown nor gone: nothing tells."""
    told_by: int = 0
    """The scan whose evidence tells."""
    seen: Message | None = None
    """Where it showed itself after it was isolated or replaced, and may not."""
    lost: Message | None = None
    """Why the machine cannot be told from others any more."""


def settled(before: Standing, facts: Facts, today: date) -> tuple[Standing, Message] | None:
    """What the rules make of a finding, and why; None where it stays.

    That a machine was not seen, or not asked, closes nothing; that it cannot be told from others any more
    closes what nobody decided anything of.
    """
    if before.state is State.CLOSED:
        if facts.shown and facts.told_by > before.known_scan:
            return before.moved(State.OPEN, BY_RULE), Message("the cause shows again")
        return None
    gone = facts.gone or (facts.lost if before.state is State.OPEN else None)
    if gone is not None:
        return before.moved(State.CLOSED, BY_RULE), gone
    if before.state in {State.ISOLATED, State.REPLACED} and facts.seen is not None:
        return before.moved(State.OPEN, BY_RULE), facts.seen
    if before.state is State.WAIVED and before.until is not None and before.until < today:
        ended = Message("the waiver ended on {date}", {"date": before.until.isoformat()})
        return before.moved(State.OPEN, BY_RULE), ended
    return None


def decided(before: Standing, decision: Decision, *, today: date, scan: int) -> Standing:
    """What a decision makes of a finding.

    Args:
        before: how it stands.
        decision: what somebody wants.
        today: the day; a waiver that ended before it is none.
        scan: id of the newest scan, 0 without any.

    Raises:
        ConfigError: it cannot go from its state to that one, or something is missing for it.
    """
    state = decision.state or before.state
    if state is not before.state and state not in _NEXT[before.state]:
        raise ConfigError(
            "it is {before}, and cannot become {state}: set it to open first",
            before=before.state,
            state=state,
        )
    after = before if state is before.state else before.moved(state, scan)
    if decision.state is not None:
        after = replace(after, known_scan=scan)
    given = {
        name: value
        for name in ("owner", "due", "until", "measure", "isolated_in")
        if (value := getattr(decision, name)) is not None
    }
    after = replace(after, **given)
    _demand_whole(after, decision, today)
    return after


def _demand_whole(after: Standing, decision: Decision, today: date) -> None:
    if after.state is State.WAIVED:
        if after.until is None or not after.measure:
            raise ConfigError("a waiver has an end and what makes up for it: give --until and --measure")
        if after.until < today:
            raise ConfigError("a waiver cannot end before today: give another --until")
    elif after.until is not None or after.measure:
        raise ConfigError("--until and --measure belong to a waiver: give --state waived with them")
    if after.isolated_in and after.state is not State.ISOLATED:
        raise ConfigError("--isolated-in belongs to an isolation: give --state isolated with it")
    if decision.state is State.CLOSED and not decision.note:
        raise ConfigError("say with --note why it is closed")


def differences(before: Standing | None, after: Standing) -> tuple[dict[str, object], dict[str, object]]:
    """What changed, as JSON has it: the values before and after, by column."""
    names = [field.name for field in fields(Standing) if field.name != "known_scan"]
    one = {} if before is None else {name: _plain(getattr(before, name)) for name in names}
    other = {name: _plain(getattr(after, name)) for name in names}
    changed = [name for name in names if one.get(name, _EMPTY[name]) != other[name]]
    if before is None and "state" not in changed:
        changed.insert(0, "state")
    return {name: one[name] for name in changed if name in one}, {name: other[name] for name in changed}


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return list(value)
    return value if isinstance(value, str) or value is None else str(value)


_EMPTY: Final = {field.name: _plain(field.default) for field in fields(Standing)}
