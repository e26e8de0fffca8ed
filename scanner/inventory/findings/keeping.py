"""Writing findings: each change with its line of history, in one transaction."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, insert, select, update

from scanner.inventory.findings.rows import columns_of
from scanner.inventory.findings.states import differences
from scanner.inventory.tables import FINDING_CHANGES, FINDINGS, SETTLEMENTS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from scanner.inventory.findings.states import Standing
    from scanner.language import Message


@dataclass(frozen=True, slots=True)
class Step:
    """One finding from how it stood to how it stands."""

    finding: int
    """Its id; of a new one, that of its machine."""
    before: Standing | None
    """None: it is new."""
    after: Standing
    reason: Message | None = None
    cause: str = ""
    """Of a new one."""


def take_turn(connection: Connection) -> None:
    """Wait until nobody else settles or decides, for as long as this transaction lasts."""
    held = select(SETTLEMENTS.c.id).with_for_update()
    if connection.execute(held).first() is None:
        connection.execute(insert(SETTLEMENTS).values(id=1, terms="", observation=0))


def keep(
    connection: Connection, steps: Sequence[Step], *, at: datetime, author: str = "", note: str = ""
) -> None:
    """Write steps, and the history's line of each."""
    new = [step for step in steps if step.before is None]
    old = [step for step in steps if step.before is not None]
    lines = [(_add(connection, new, at), new), ([step.finding for step in old], old)]
    if old:
        change = update(FINDINGS).where(FINDINGS.c.id == bindparam("finding"))
        values = [{"finding": step.finding, "changed": at, **columns_of(step.after)} for step in old]
        names: dict[str, Any] = {name: bindparam(name) for name in values[0] if name != "finding"}
        connection.execute(change.values(names), values)
    rows = [
        {"finding_id": number, "at": at, "author": author, "note": note, **_line(step)}
        for numbers, group in lines
        for number, step in zip(numbers, group, strict=True)
    ]
    if rows:
        connection.execute(insert(FINDING_CHANGES), rows)


def _add(connection: Connection, steps: Sequence[Step], at: datetime) -> list[int]:
    """Write new findings; gives their ids, in the same order."""
    if not steps:
        return []
    rows = [
        {
            "asset_id": step.finding,
            "cause": step.cause,
            "opened": at,
            "changed": at,
            **columns_of(step.after),
        }
        for step in steps
    ]
    adding = insert(FINDINGS).returning(FINDINGS.c.id, sort_by_parameter_order=True)
    return list(connection.scalars(adding, rows))


def _line(step: Step) -> dict[str, str]:
    before, after = (json.dumps(part, ensure_ascii=False) for part in differences(step.before, step.after))
    reason = step.reason
    told = "" if reason is None else json.dumps([reason.text, dict(reason.values)], ensure_ascii=False)
    return {"before": before, "after": after, "reason": told}


def forget_findings(connection: Connection, assets: Sequence[int]) -> None:
    """Take away the findings of what turned out to be no machines."""
    theirs = select(FINDINGS.c.id).where(FINDINGS.c.asset_id.in_(list(assets)))
    connection.execute(delete(FINDING_CHANGES).where(FINDING_CHANGES.c.finding_id.in_(theirs)))
    connection.execute(delete(FINDINGS).where(FINDINGS.c.asset_id.in_(list(assets))))


def hand_over_findings(connection: Connection, asset: int, to: int) -> None:
    """Give one machine's findings to another, with which it turned out to be one.

    Where both have one of a cause, that of the machine which stays is the finding; the other's history comes
    before it.
    """
    theirs = {
        row.cause: row.id
        for row in connection.execute(
            select(FINDINGS.c.cause, FINDINGS.c.id).where(FINDINGS.c.asset_id == to)
        )
    }
    mine = select(FINDINGS.c.cause, FINDINGS.c.id).where(FINDINGS.c.asset_id == asset)
    for cause, number in connection.execute(mine).all():
        if cause not in theirs:
            connection.execute(update(FINDINGS).where(FINDINGS.c.id == number).values(asset_id=to))
            continue
        lines = update(FINDING_CHANGES).where(FINDING_CHANGES.c.finding_id == number)
        connection.execute(lines.values(finding_id=theirs[cause]))
        connection.execute(delete(FINDINGS).where(FINDINGS.c.id == number))
