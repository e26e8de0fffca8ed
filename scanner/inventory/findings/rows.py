"""What readers of findings get."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from scanner.inventory.findings.states import SETTLED, Standing, State

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from scanner.language import Message


@dataclass(frozen=True, slots=True)
class Finding:
    """One machine and one cause."""

    id: int
    asset: int
    cause: str
    standing: Standing
    opened: datetime
    changed: datetime
    note: str = ""
    """The last that somebody wrote."""

    @property
    def is_live(self) -> bool:
        """Whether something is left to be done, or borne."""
        return self.standing.state not in SETTLED

    def is_overdue(self, today: date) -> bool:
        """Whether it should be done by now."""
        due = self.standing.due
        return self.is_live and due is not None and due < today


@dataclass(frozen=True, slots=True)
class FindingChange:
    """One line of a finding's history."""

    at: datetime
    author: str
    """Empty: the rules."""
    before: Mapping[str, Any]
    """What changed, as it was."""
    after: Mapping[str, Any]
    reason: Message | None
    """Why the rules changed it."""
    note: str
    id: int = field(default=0, compare=False)
    """Later changes have larger ones."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which findings are wanted; an empty one wants those that are not closed."""

    states: frozenset[State] = frozenset()
    """Empty: every state but closed."""
    causes: frozenset[str] = frozenset()
    owner: str = ""
    """Whole, whatever the case."""
    due_before: date | None = None
    """Due before this day."""
    ids: frozenset[int] | None = field(default=None)

    def fits(self, finding: Finding) -> bool:
        """Whether it is wanted."""
        standing = finding.standing
        return (
            (standing.state in self.states if self.states else standing.state is not State.CLOSED)
            and (not self.causes or finding.cause in self.causes)
            and (not self.owner or self.owner.casefold() == standing.owner.casefold())
            and (self.due_before is None or (standing.due is not None and standing.due < self.due_before))
            and (self.ids is None or finding.id in self.ids)
        )


def finding_of(row: Any, note: str = "") -> Finding:  # noqa: ANN401 - a row of the table
    """The finding in a row."""
    return Finding(row.id, row.asset_id, row.cause, standing_of(row), row.opened, row.changed, note)


def standing_of(row: Any) -> Standing:  # noqa: ANN401 - a row of the table
    """How the finding of a row stands."""
    isolated_in = tuple(json.loads(row.isolated_in))
    rest = (row.due, row.until, row.measure, isolated_in, row.known_scan)
    return Standing(State(row.state), row.owner, *rest)


def columns_of(standing: Standing) -> dict[str, object]:
    """The columns in which a standing is stored."""
    return {
        "state": standing.state.value,
        "owner": standing.owner,
        "due": standing.due,
        "until": standing.until,
        "measure": standing.measure,
        "isolated_in": json.dumps(list(standing.isolated_in)),
        "known_scan": standing.known_scan,
    }
