"""Findings a page at a time: what is due first, or the most pressing, and no more read than is shown."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final, TypeAlias

from sqlalchemy import func, select, tuple_

from scanner.inventory.assets import read_assets
from scanner.inventory.findings.asked import Asked, Question, any_state
from scanner.inventory.findings.reading import findings_of
from scanner.inventory.findings.states import SETTLED
from scanner.inventory.tables import FINDING_CHANGES, FINDINGS, OBSERVATIONS, SETTLEMENTS
from scanner.inventory.transactions import reading
from scanner.inventory.verdicts import Verdicts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from sqlalchemy import ColumnElement
    from sqlalchemy.engine import Connection

    from scanner.inventory.findings.rows import Finding
    from scanner.inventory.rows import Asset
    from scanner.inventory.store import Inventory
    from scanner.inventory.wards import Ward
    from scanner.model import Release

COUNTED: Final = 1000
"""So many findings are counted where the index alone does not tell; more are "more"."""
_LOOKED_AT: Final = 1000
"""Machines of an order that are asked about at once."""

Place: TypeAlias = "tuple[bool, bool, date | None, int]"
"""Where a finding comes: what is left to do first, then by the day it is due (else last), then by id."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some findings with their machines."""

    rows: tuple[tuple[Asset, Finding], ...]
    number: int
    """How many are wanted on all pages, exactly up to :data:`COUNTED`; one more stands for "more"."""
    exact: bool
    after: Place | None = None
    """Where the next page begins; None: this is the last."""


def place_of(finding: Finding) -> Place:
    """Where a finding comes among those that are due."""
    standing = finding.standing
    return standing.state in SETTLED, standing.due is None, standing.due, finding.id


def findings_page(  # noqa: PLR0913 - a question, and how much of its answer
    inventory: Inventory,
    question: Question,
    *,
    today: date,
    after: Place | None = None,
    most: int = 50,
    releases: Mapping[str, Release] | None = None,
) -> Page:
    """Findings by the day that they are due: what is overdue comes first.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    with reading(inventory) as connection:
        asked = Asked(connection, question)
        ids = list(_by_due(connection, asked, after, most + 1))
        all_here = after is None and len(ids) <= most
        number, exact = (len(ids), True) if all_here else _number(connection, asked)
        rows = _rows(connection, ids[:most], asked.wards, Verdicts(today, releases))
    following = place_of(rows[-1][1]) if len(ids) > most and rows else None
    return Page(rows, number, exact, following)


def findings_in_order(  # noqa: PLR0913 - as above
    inventory: Inventory,
    question: Question,
    ranked: Sequence[int],
    *,
    today: date,
    start: int = 0,
    most: int = 50,
    releases: Mapping[str, Release] | None = None,
) -> tuple[Page, int | None]:
    """Findings in a given order of machines, which are given with their evidence.

    Args:
        inventory: the inventory.
        question: which findings.
        ranked: ids of machines, in their order.
        today: the day that verdicts are for.
        start: the place in ``ranked`` where the page begins.
        most: so many machines are on a page.
        releases: today's releases, by id; the packaged ones otherwise.

    Returns:
        The page, and the place where the next one begins; None: this is the last.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    with reading(inventory) as connection:
        asked = Asked(connection, question)
        number, exact = _number(connection, asked)
        few = asked.all_machines(connection) if exact and not asked.plain else None
        places = list(islice(_places(connection, asked, ranked, start, few), most + 1))
        machines = [ranked[place] for place in places[:most]]
        mine = FINDINGS.c.asset_id.in_(machines)
        found = findings_of(connection, mine)
        fit = {each: [f for f in theirs if question.wanted.fits(f)] for each, theirs in found.items()}
        assets = read_assets(connection, machines, asked.wards, Verdicts(today, releases), evidence=True)
    rows = tuple((asset, finding) for asset in assets for finding in fit.get(asset.id, ()))
    return Page(rows, number, exact), places[most] if len(places) > most else None


def _places(
    connection: Connection, asked: Asked, ranked: Sequence[int], start: int, few: set[int] | None
) -> Iterator[int]:
    """The places in an order, from one on, of machines with a finding that is wanted."""
    for first in range(start, len(ranked), _LOOKED_AT):
        part = ranked[first : first + _LOOKED_AT]
        has = asked.has(connection, part) if few is None else few
        yield from (first + at for at, each in enumerate(part) if each in has)


def findings_version(inventory: Inventory) -> tuple[int, int]:
    """What is another pair as soon as findings may come in another order: the newest change, and observation.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    with reading(inventory) as connection:
        change = connection.scalar(select(func.max(FINDING_CHANGES.c.id))) or 0
        return change, connection.scalar(select(func.max(OBSERVATIONS.c.id))) or 0


def settled_on(inventory: Inventory) -> date | None:
    """The day as of which findings were opened and closed last; None: never.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    with reading(inventory) as connection:
        day: date | None = connection.scalar(select(SETTLEMENTS.c.day))
    return day


def _by_due(connection: Connection, asked: Asked, after: Place | None, most: int) -> Iterator[int]:
    """Ids in the order of their places: each state is an index in that order, and they are merged."""
    left = 0 if asked.nothing else most
    for settled in (False, True):
        states = [state for state in asked.states if (state in SETTLED) is settled]
        for undated in (False, True):
            if left <= 0 or not states or (after is not None and (settled, undated) < after[:2]):
                continue
            begin = after if after is not None and (settled, undated) == after[:2] else None
            found: list[tuple[date | None, int]] = []
            which = (
                [any_state(states)] if asked.narrow else [FINDINGS.c.state == each.value for each in states]
            )
            for state in which:
                found += _of_group(connection, [state, *asked.rest], begin, undated=undated, most=left)
            found.sort(key=lambda each: (each[0] is None, str(each[0]), each[1]))
            yield from (number for _, number in found[:left])
            left -= len(found)


def _of_group(
    connection: Connection,
    conditions: Sequence[ColumnElement[bool]],
    begin: Place | None,
    *,
    undated: bool,
    most: int,
) -> list[tuple[date | None, int]]:
    columns = FINDINGS.c
    wanted = select(columns.due, columns.id).where(*conditions).limit(most)
    if undated:
        wanted = wanted.where(columns.due.is_(None)).order_by(columns.id)
        wanted = wanted if begin is None else wanted.where(columns.id > begin[3])
    else:
        wanted = wanted.where(columns.due.is_not(None)).order_by(columns.due, columns.id)
        if begin is not None:
            wanted = wanted.where(tuple_(columns.due, columns.id) > tuple_(begin[2], begin[3]))
    return [(row.due, row.id) for row in connection.execute(wanted)]


def _number(connection: Connection, asked: Asked) -> tuple[int, bool]:
    if asked.nothing:
        return 0, True
    state = [each.value for each in asked.states]
    if asked.plain:
        total = select(func.count()).select_from(FINDINGS).where(FINDINGS.c.state.in_(state))
        return connection.scalar(total) or 0, True
    which = any_state(asked.states) if asked.narrow else FINDINGS.c.state.in_(state)
    some = select(FINDINGS.c.id).where(which, *asked.rest).limit(COUNTED + 1).subquery()
    number = connection.scalar(select(func.count()).select_from(some)) or 0
    return number, number <= COUNTED


def _rows(
    connection: Connection,
    ids: Sequence[int],
    wards: Mapping[tuple[int, int | None], Ward],
    verdicts: Verdicts,
) -> tuple[tuple[Asset, Finding], ...]:
    found = findings_of(connection, FINDINGS.c.id.in_(list(ids)))
    known = {finding.id: finding for theirs in found.values() for finding in theirs}
    assets = {each.id: each for each in read_assets(connection, list(found), wards, verdicts, evidence=False)}
    inside = (known[number] for number in ids if number in known)
    return tuple((assets[each.asset], each) for each in inside if each.asset in assets)
