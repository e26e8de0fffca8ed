"""The words of findings and scans, as pages say them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner.exports.remediation import STATES
from scanner.inventory import State, causes, told
from scanner.language import Message

if TYPE_CHECKING:
    from scanner.inventory import Finding, FindingChange

FIELDS: Final = {
    "state": Message("state"),
    "owner": Message("owner"),
    "due": Message("due"),
    "until": Message("waived until"),
    "measure": Message("what makes up for it"),
    "isolated_in": Message("isolated in"),
}
"""The columns of a finding, as its history names them."""
SCAN_STATES: Final = {
    "running": Message("running"),
    "done": Message("done"),
    "interrupted": Message("interrupted"),
    "failed": Message("failed"),
    "killed": Message("killed"),
}


def cause_of(finding: Finding, language: str) -> str:
    """Its cause in a language."""
    known = causes().get(finding.cause)
    return finding.cause if known is None else known.words.render(language)


def causes_by_name(language: str) -> dict[str, str]:
    """All causes in a language, the most pressing first."""
    return {name: cause.words.render(language) for name, cause in causes().items()}


def history_of(change: FindingChange, language: str) -> list[tuple[str, str, str]]:
    """What changed: its name, before, after; in a language."""
    return [
        (
            FIELDS[name].render(language) if name in FIELDS else name,
            _value(name, change.before.get(name), language),
            _value(name, after, language),
        )
        for name, after in change.after.items()
    ]


def why(change: FindingChange, language: str) -> str:
    """Why the rules changed it; empty where somebody decided."""
    return "" if change.reason is None else told(change.reason, language)


def _value(name: str, value: object, language: str) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value)) or "-"
    if name == "state" and value in set(State):
        return STATES[State(str(value))].render(language)
    return str(value or "-")
