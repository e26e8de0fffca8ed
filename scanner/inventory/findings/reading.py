"""Reading findings: a list in the order of places, a list by risk, the history of one."""

from __future__ import annotations

import json
from array import array
from typing import TYPE_CHECKING, Final, TypeAlias

from sqlalchemy import func, select

from scanner.errors import ConfigError
from scanner.inventory.assets import read_assets, wanted_asset
from scanner.inventory.findings.machines import Machines
from scanner.inventory.findings.risk import risk_of
from scanner.inventory.findings.rows import Finding, FindingChange, Wanted, finding_of
from scanner.inventory.findings.states import SETTLED, State
from scanner.inventory.patterns import releases_meant
from scanner.inventory.rows import Filters
from scanner.inventory.tables import ASSETS, FINDING_CHANGES, FINDINGS
from scanner.inventory.transactions import reading
from scanner.inventory.verdicts import Verdicts
from scanner.inventory.wards import wards_of
from scanner.language import Message

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from sqlalchemy import ColumnElement, Select
    from sqlalchemy.engine import Connection

    from scanner.inventory.rows import Asset
    from scanner.inventory.store import Inventory
    from scanner.inventory.wards import Ward
    from scanner.model import Release

_AT_ONCE: Final = 500
"""Machines that are read in one transaction."""
_RANKED_AT_ONCE: Final = 2000
_ID_BITS: Final = 44
"""Bits of a sort key that are the machine's id; a score goes above them."""

Ours: TypeAlias = "tuple[Asset, tuple[Finding, ...]]"
"""A machine and its findings, by cause."""


def findings_rows(
    inventory: Inventory,
    filters: Filters | None = None,
    wanted: Wanted | None = None,
    *,
    today: date,
    releases: Mapping[str, Release] | None = None,
) -> Iterator[tuple[Asset, Finding]]:
    """Findings in the order of site, ward and address, and of causes.

    They are read a batch at a time as they are iterated, each as it was when its batch was read.

    Args:
        inventory: the inventory, open for as long as this is iterated.
        filters: of which machines; of all otherwise.
        wanted: which of their findings; all that are not closed otherwise.
        today: the day that verdicts are for.
        releases: today's releases, by id; the packaged ones otherwise.

    Raises:
        ConfigError: the OS pattern means no release.
        InventoryError: the inventory cannot be read.
    """
    filters, wanted = filters or Filters(), wanted or Wanted()
    verdicts = Verdicts(today, releases)
    meant = releases_meant(filters.os, verdicts.releases) if filters.os else None
    with reading(inventory) as connection:
        wards = [ward for ward in wards_of(connection) if ward.matches(filters)]
    for ward in wards:
        with reading(inventory) as connection:
            ids = array("q", connection.scalars(_in_ward(ward, wanted)))
        for asset, findings in _batches(inventory, ids, {ward.key: ward}, verdicts, evidence=False):
            if wanted_asset(asset, filters, meant):
                yield from ((asset, finding) for finding in findings if wanted.fits(finding))


def ranked_assets(
    inventory: Inventory,
    filters: Filters | None = None,
    *,
    today: date,
    releases: Mapping[str, Release] | None = None,
) -> Iterator[Asset]:
    """Machines that something is to be done about, with evidence and findings: the most pressing first.

    Those of which every finding is waived come last; those whose findings are closed or replaced are left
    out. Of all of them only an integer is in memory: the score and the id, by which equal scores are sorted.

    Args: as those of :func:`findings_rows`.

    Raises:
        ConfigError: the OS pattern means no release.
        InventoryError: the inventory cannot be read.
    """
    filters = filters or Filters()
    verdicts = Verdicts(today, releases)
    meant = releases_meant(filters.os, verdicts.releases) if filters.os else None
    with reading(inventory) as connection:
        wards = {ward.key: ward for ward in wards_of(connection) if ward.matches(filters)}
    ids = _ranked(inventory, Machines(verdicts, wards))
    for asset, _ in _batches(inventory, ids, wards, verdicts, evidence=True):
        if wanted_asset(asset, filters, meant):
            yield asset


def ranked_ids(
    inventory: Inventory, *, today: date, releases: Mapping[str, Release] | None = None
) -> array[int]:
    """The ids of all machines that :func:`ranked_assets` gives, in its order.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    with reading(inventory) as connection:
        wards = {ward.key: ward for ward in wards_of(connection)}
    return _ranked(inventory, Machines(Verdicts(today, releases), wards))


def _ranked(inventory: Inventory, machines: Machines) -> array[int]:
    live = FINDINGS.c.state.not_in([state.value for state in SETTLED])
    with reading(inventory) as connection:
        some = array("q", connection.scalars(select(FINDINGS.c.asset_id).where(live).distinct()))
        pressing = (live, FINDINGS.c.state != State.WAIVED.value)
        unwaived = set(connection.scalars(select(FINDINGS.c.asset_id).where(*pressing).distinct()))
    keys: list[int] = []
    for start in range(0, len(some), _RANKED_AT_ONCE):
        with reading(inventory) as connection:
            for each in machines.read(connection, some[start : start + _RANKED_AT_ONCE]):
                place = each.ward.where.criticality
                score = risk_of(each.verdict, each.certainty, each.told, place, machines.verdicts.today).score
                keys.append((_WAIVED if each.id not in unwaived else 0) - score << _ID_BITS | each.id)
    keys.sort()
    return array("q", (key & (1 << _ID_BITS) - 1 for key in keys))


_WAIVED: Final = 100_000
"""What makes a waived machine come after every other."""


def _batches(
    inventory: Inventory,
    ids: Sequence[int],
    wards: Mapping[tuple[int, int | None], Ward],
    verdicts: Verdicts,
    *,
    evidence: bool,
) -> Iterator[Ours]:
    for start in range(0, len(ids), _AT_ONCE):
        part = ids[start : start + _AT_ONCE]
        with reading(inventory) as connection:
            assets = read_assets(connection, part, wards, verdicts, evidence=evidence)
            findings = findings_of(connection, FINDINGS.c.asset_id.in_(list(part)))
        for asset in assets:
            ours = tuple(findings.get(asset.id, ()))
            yield asset.with_findings(ours), ours


def _in_ward(ward: Ward, wanted: Wanted) -> Select[tuple[int]]:
    site_id, ward_id = ward.key
    theirs = select(FINDINGS.c.asset_id).where(*_conditions(wanted))
    return (
        select(ASSETS.c.id)
        .where(
            ASSETS.c.site_id == site_id,
            ASSETS.c.ward_id.is_not_distinct_from(ward_id),
            ASSETS.c.id.in_(theirs),
        )
        .order_by(func.length(ASSETS.c.packed), ASSETS.c.packed, ASSETS.c.id)
    )


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    """What the database can sort out by itself; the rest is sorted out after."""
    columns = FINDINGS.c
    states = wanted.states or frozenset(State) - {State.CLOSED}
    conditions: list[ColumnElement[bool]] = [columns.state.in_([state.value for state in sorted(states)])]
    if wanted.causes:
        conditions.append(columns.cause.in_(sorted(wanted.causes)))
    if wanted.due_before is not None:
        conditions.append(columns.due < wanted.due_before)
    return conditions


def findings_of(connection: Connection, which: ColumnElement[bool]) -> dict[int, list[Finding]]:
    """Findings with their last notes, by machine, each in the order of causes' names."""
    newest = (
        select(FINDING_CHANGES.c.finding_id, func.max(FINDING_CHANGES.c.id).label("id"))
        .join(FINDINGS, FINDINGS.c.id == FINDING_CHANGES.c.finding_id)
        .where(which, FINDING_CHANGES.c.note != "")
        .group_by(FINDING_CHANGES.c.finding_id)
        .subquery()
    )
    noted = select(FINDING_CHANGES.c.finding_id, FINDING_CHANGES.c.note).join(
        newest, newest.c.id == FINDING_CHANGES.c.id
    )
    notes = {row.finding_id: row.note for row in connection.execute(noted)}
    rows = connection.execute(select(FINDINGS).where(which).order_by(FINDINGS.c.cause, FINDINGS.c.id))
    found: dict[int, list[Finding]] = {}
    for row in rows:
        found.setdefault(row.asset_id, []).append(finding_of(row, notes.get(row.id, "")))
    return found


def finding_history(inventory: Inventory, finding: int) -> tuple[Finding, tuple[FindingChange, ...]]:
    """One finding, and every change of it, oldest first.

    Raises:
        ConfigError: there is no such finding.
        InventoryError: the inventory cannot be read.
    """
    with reading(inventory) as connection:
        found = findings_of(connection, FINDINGS.c.id == finding)
        if not found:
            raise ConfigError(
                "there is no finding {finding}: vetuste findings lists those that there are", finding=finding
            )
        columns = FINDING_CHANGES.c
        lines = select(FINDING_CHANGES).where(columns.finding_id == finding).order_by(columns.id)
        changes = tuple(
            FindingChange(
                row.at,
                row.author,
                json.loads(row.before),
                json.loads(row.after),
                Message(*json.loads(row.reason)) if row.reason else None,
                row.note,
                row.id,
            )
            for row in connection.execute(lines)
        )
    (ours,) = found.values()
    return ours[0], changes
