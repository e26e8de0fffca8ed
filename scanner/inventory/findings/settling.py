"""Settling findings: opening, closing and re-opening them by what is known of machines today."""

from __future__ import annotations

import hashlib
from array import array
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from heapq import merge
from itertools import groupby
from typing import TYPE_CHECKING, Final

from sqlalchemy import func, select, update

from scanner.inventory.findings.causes import causes
from scanner.inventory.findings.keeping import Step, keep, take_turn
from scanner.inventory.findings.machines import Machine, Machines
from scanner.inventory.findings.rows import Finding, finding_of
from scanner.inventory.findings.signs import signs_of
from scanner.inventory.findings.states import BY_RULE, Standing, State, settled
from scanner.inventory.tables import ASSETS, FINDINGS, OBSERVATIONS, SETTLEMENTS
from scanner.inventory.transactions import reading, writing
from scanner.inventory.verdicts import Verdicts
from scanner.inventory.wards import wards_of
from scanner.language import Message

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from sqlalchemy.engine import Connection

    from scanner.inventory.store import Inventory
    from scanner.model import Release

_AT_ONCE: Final = 2000
"""Machines that are settled in one transaction: a scan waits no longer than that."""

_CARRIED: Final = frozenset({State.PLANNED, State.ISOLATED})
"""What was decided of the machine, whatever the dates call its system."""


@dataclass(slots=True)
class Settled:
    """How many findings changed."""

    opened: int = 0
    closed: int = 0
    reopened: int = 0


@dataclass(frozen=True, slots=True)
class _Task:
    """Which machines are to be looked at, and up to where."""

    terms: str
    observation: int
    assets: array[int]


def settle_findings(
    inventory: Inventory,
    *,
    today: date,
    releases: Mapping[str, Release] | None = None,
    anew: bool = False,
    at: datetime | None = None,
) -> Settled:
    """Open what is new, close what is gone, open again what shows again.

    Machines are looked at of which something was heard since the last time; on another day also those whose
    verdict is another then, or whose waiver ended; all of them with other dates, or where a site decided
    otherwise. Each batch is a transaction of its own, and what is settled stays: after a kill, the next run
    finishes.

    Args:
        inventory: the inventory.
        today: the day that verdicts and waivers are judged by.
        releases: today's releases, by id; the packaged ones otherwise.
        anew: whether all machines are looked at in any case.
        at: the moment that is written down; now, if it is not said.

    Raises:
        InventoryError: the inventory cannot be read or written; the batches before are kept.
    """
    verdicts, total = Verdicts(today, releases), Settled()
    with reading(inventory) as connection:
        machines = Machines(verdicts, {ward.key: ward for ward in wards_of(connection)})
        task = _task(connection, machines, anew=anew)
    for start in range(0, len(task.assets), _AT_ONCE):
        with writing(inventory) as connection:
            take_turn(connection)
            steps = _steps(connection, task.assets[start : start + _AT_ONCE], machines)
            keep(connection, steps, at=at or datetime.now(UTC))
        _count(total, steps)
    with writing(inventory) as connection:
        take_turn(connection)
        row = {"day": today, "terms": task.terms, "observation": task.observation}
        connection.execute(update(SETTLEMENTS).values(row))
    return total


def is_settled(inventory: Inventory, *, today: date, releases: Mapping[str, Release] | None = None) -> bool:
    """Whether there is nothing to settle: nothing was heard since, and nothing judges otherwise.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    with reading(inventory) as connection:
        machines = Machines(Verdicts(today, releases), {ward.key: ward for ward in wards_of(connection)})
        last = connection.execute(select(SETTLEMENTS)).first()
        newest = connection.scalar(select(func.max(OBSERVATIONS.c.id))) or 0
        return last is not None and (last.day, last.terms, last.observation) == (
            today,
            _terms(machines),
            newest,
        )


def _task(connection: Connection, machines: Machines, *, anew: bool) -> _Task:
    terms = _terms(machines)
    newest = connection.scalar(select(func.max(OBSERVATIONS.c.id))) or 0
    last = connection.execute(select(SETTLEMENTS)).first()
    if anew or last is None or last.terms != terms or newest < last.observation:
        assets = array("q", connection.scalars(select(ASSETS.c.id).order_by(ASSETS.c.id)))
    else:
        other = _displaced(connection)
        if last.day != machines.verdicts.today:
            other |= _of_another_day(connection, machines, last.day)
        heard = select(OBSERVATIONS.c.asset_id).where(OBSERVATIONS.c.id > last.observation).distinct()
        ordered = heard.order_by(OBSERVATIONS.c.asset_id).execution_options(yield_per=_AT_ONCE)
        # An import tells of a million: each is a number, and nothing more.
        both = groupby(merge(connection.scalars(ordered), sorted(other)))
        assets = array("q", (asset for asset, _ in both))
    return _Task(terms, newest, assets)


def _displaced(connection: Connection) -> set[int]:
    """Those of which a finding is open, and that cannot be told from others any more."""
    theirs = select(FINDINGS.c.asset_id).join(ASSETS, ASSETS.c.id == FINDINGS.c.asset_id)
    wanted = theirs.where(FINDINGS.c.state == State.OPEN.value, ASSETS.c.displaced.is_not(None))
    return set(connection.scalars(wanted))


def _of_another_day(connection: Connection, machines: Machines, before: date) -> set[int]:
    """The machines that another day says something else of."""
    columns = ASSETS.c
    place = (columns.site_id, columns.ward_id, columns.identity_id)
    groups = [(row[0], row[1], row[2]) for row in connection.execute(select(*place).group_by(*place))]
    then = Machines(Verdicts(before, machines.verdicts.releases), machines.wards)
    statuses = zip(
        groups, then.statuses(connection, groups), machines.statuses(connection, groups), strict=True
    )
    ended = (FINDINGS.c.state == State.WAIVED.value) & (FINDINGS.c.until < machines.verdicts.today)
    found = set(connection.scalars(select(FINDINGS.c.asset_id).where(ended)))
    for (site, ward, identity), one, other in statuses:
        if one is not other:
            here = (columns.site_id == site, columns.ward_id.is_not_distinct_from(ward))
            found.update(connection.scalars(select(columns.id).where(*here, columns.identity_id == identity)))
    return found


def _terms(machines: Machines) -> str:
    """A digest of all that decides, besides the day and what was heard."""
    verdicts = machines.verdicts
    parts = (
        [(release.id, release.product, release.end) for release in verdicts.releases.values()],
        sorted((ward.key[0], ward.name, ward.settings) for ward in machines.wards.values()),
        [
            (each.name, each.status, each.evidence, sorted(each.shown), sorted(each.gone))
            for each in causes().values()
        ],
    )
    return hashlib.blake2b(repr(parts).encode(), digest_size=16).hexdigest()


def _steps(connection: Connection, assets: Sequence[int], machines: Machines) -> list[Step]:
    rows = connection.execute(select(FINDINGS).where(FINDINGS.c.asset_id.in_(list(assets))))
    known: dict[int, dict[str, Finding]] = {}
    for row in rows:
        known.setdefault(row.asset_id, {})[row.cause] = finding_of(row)
    signs = signs_of(connection, (each for theirs in known.values() for each in theirs.values()))
    return [
        step
        for machine in machines.read(connection, assets)
        for step in _of_machine(machine, known.get(machine.id, {}), signs, machines.verdicts.today)
    ]


def _of_machine(
    machine: Machine, known: Mapping[str, Finding], signs: Mapping[int, Message], today: date
) -> list[Step]:
    steps = []
    for cause in causes().values():
        facts, finding = machine.facts(cause), known.get(cause.name)
        if finding is None:
            if facts.shown:
                after, reason = _opened(known) if cause.status else (Standing(), None)
                steps.append(Step(machine.id, None, after, reason, cause.name))
            continue
        facts = replace(facts, seen=signs.get(finding.id))
        if (outcome := settled(finding.standing, facts, today)) is not None:
            steps.append(Step(finding.id, finding.standing, *outcome))
    return steps


def _opened(known: Mapping[str, Finding]) -> tuple[Standing, Message | None]:
    """How a new finding about support begins: as the one before it, where there is one."""
    before = [
        each
        for name, each in known.items()
        if each.is_live and (found := causes().get(name)) and found.status
    ]
    if not before:
        return Standing(), None
    last = max(before, key=lambda each: each.changed)
    reason = Message("it follows finding {finding}", {"finding": str(last.id)})
    if last.standing.state in _CARRIED:
        return last.standing, reason
    return last.standing.moved(State.OPEN, BY_RULE), reason


def _count(total: Settled, steps: Sequence[Step]) -> None:
    for step in steps:
        if step.before is None:
            total.opened += 1
        elif step.after.state is State.CLOSED:
            total.closed += 1
        else:
            total.reopened += 1
