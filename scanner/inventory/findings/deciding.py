"""What people decide about findings: all that is asked for, or nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from sqlalchemy import func, select

from scanner.errors import ConfigError
from scanner.inventory.findings.keeping import Step, keep, take_turn
from scanner.inventory.findings.rows import finding_of
from scanner.inventory.findings.states import decided
from scanner.inventory.tables import FINDING_CHANGES, FINDINGS, SCANS
from scanner.inventory.transactions import writing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from sqlalchemy.engine import Connection

    from scanner.inventory.findings.states import Decision
    from scanner.inventory.store import Inventory

_AT_ONCE: Final = 1000


class ChangedError(ConfigError):
    """What is decided about is not as it was when it was looked at."""


def decide(  # noqa: PLR0913 - who decides what of which, and when
    inventory: Inventory,
    findings: Sequence[int],
    decision: Decision,
    *,
    author: str,
    today: date,
    at: datetime | None = None,
    seen: int | None = None,
) -> int:
    """Keep a decision about findings, each with its line of history; one that says nothing new writes none.

    Args:
        inventory: the inventory.
        findings: their ids.
        decision: what is decided of all of them.
        author: who decides.
        today: the day; a waiver cannot end before.
        at: the moment that is written down; now, if it is not said.
        seen: id of the newest of their changes that who decides had seen, where that matters.

    Returns:
        How many findings got a line.

    Raises:
        ChangedError: one of them was changed since: nothing is written.
        ConfigError: there is no such finding, or one of them cannot become what is asked: nothing is changed.
        InventoryError: the inventory cannot be written; nothing is changed.
    """
    _demand_author(author)
    wanted, number, moment = sorted(set(findings)), 0, at or datetime.now(UTC)
    with writing(inventory) as connection:
        take_turn(connection)
        scan = connection.scalar(select(func.max(SCANS.c.id))) or 0
        for start in range(0, len(wanted), _AT_ONCE):
            ids = wanted[start : start + _AT_ONCE]
            rows = connection.execute(select(FINDINGS).where(FINDINGS.c.id.in_(ids)).order_by(FINDINGS.c.id))
            known = [finding_of(row) for row in rows]
            _demand_all(ids, [finding.id for finding in known])
            if seen is not None:
                _demand_unchanged(connection, ids, seen)
            steps = []
            for finding in known:
                try:
                    after = decided(finding.standing, decision, today=today, scan=scan)
                except ConfigError as error:
                    raise ConfigError(
                        "finding {finding}: {why}", finding=finding.id, why=str(error)
                    ) from error
                if after != finding.standing or decision.note:
                    steps.append(Step(finding.id, finding.standing, after))
            keep(connection, steps, at=moment, author=author, note=decision.note)
            number += len(steps)
    return number


def _demand_unchanged(connection: Connection, findings: Sequence[int], seen: int) -> None:
    columns = FINDING_CHANGES.c
    last = select(func.max(columns.id)).where(columns.finding_id.in_(list(findings)))
    if (connection.scalar(last) or 0) != seen:
        raise ChangedError("somebody changed it meanwhile: nothing was written")


def _demand_author(author: str) -> None:
    if not author.strip():
        raise ConfigError("say with --by who decides: this account has no name")


def _demand_all(wanted: Sequence[int], known: Sequence[int]) -> None:
    missing = sorted(set(wanted) - set(known))
    if missing:
        raise ConfigError(
            "there is no finding {finding}: vetuste findings lists those that there are", finding=missing[0]
        )
