"""The report for a board: two pages, in plain words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from scanner.inventory import State, Wanted, count_rows, findings_rows, trend_rows
from scanner.inventory.alike import alike_rows
from scanner.inventory.areas import ROLL_UP, branches
from scanner.inventory.rows import Filters
from scanner.lifecycle import months_after
from scanner.model import Status
from scanner.reports.asked import scans_of
from scanner.reports.counts import all_of, worst_first
from scanner.reports.ends import calendar
from scanner.reports.rendering import render
from scanner.reports.workstations import indicator

if TYPE_CHECKING:
    from datetime import date

    from scanner.inventory import CountRow, Inventory, TrendRow
    from scanner.reports.asked import Asked
    from scanner.reports.counts import Counted

    _History: TypeAlias = dict[date, tuple[list[TrendRow], list[TrendRow]]]

WARDS: Final = 15
PRODUCTS: Final = 10
MONTHS: Final = 12


def management(inventory: Inventory, asked: Asked) -> str:
    """The report as HTML.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    today, sites = asked.today, asked.sites
    unsupported = Status.UNSUPPORTED
    wards = count_rows(inventory, by=("site", "ward"), status=unsupported, sites=sites, today=today)
    products = count_rows(inventory, by=("os",), status=unsupported, sites=sites, today=today)
    statuses = count_rows(inventory, by=("status",), sites=sites, today=today)
    alike = tuple(alike_rows(inventory, sites=sites, today=today))
    scans = scans_of(inventory, asked)
    history = _history(inventory, asked)
    return render(
        "management.html",
        asked.language,
        today,
        asked=asked,
        sites=sorted({row.keys["site"] for row in wards}),
        last=max((scan.ended or scan.started for scan in scans), default=None),
        whole=all_of(wards),
        wards=worst_first(wards, WARDS),
        products=worst_first(products, PRODUCTS),
        statuses={row.keys["status"]: row.certain + row.probable + row.to_verify for row in statuses},
        trend=_trend(history),
        branches=_branches(inventory, asked, history),
        calendar=calendar(alike, today),
        done=_done(inventory, asked),
        indicator=indicator(alike),
    )


@dataclass(frozen=True, slots=True)
class Standing:
    """How things stood at the end of a month."""

    day: date
    without: int
    """Without support: certain and probable."""
    to_verify: int
    machines: int


@dataclass(frozen=True, slots=True)
class Branch:
    """A group, an establishment or a site: machines without support, and how it stood at first."""

    names: tuple[str, ...]
    """From the group down to what it is."""
    counted: Counted
    before: Standing | None
    """At the first day of the trend; None: there is no trend."""


def _history(inventory: Inventory, asked: Asked) -> _History:
    """The last months, the month of the first scan at the earliest: without support, and everything."""
    scans = scans_of(inventory, asked)
    if not scans:
        return {}
    first = min(scan.started for scan in scans).date()
    since = min(asked.today, max(first, months_after(asked.today, -MONTHS)))
    found: _History = {}
    for place, status in enumerate((Status.UNSUPPORTED, None)):
        rows = trend_rows(
            inventory, by=ROLL_UP, status=status, sites=asked.sites, since=since, today=asked.today
        )
        for row in rows:
            found.setdefault(row.day, ([], []))[place].append(row)
    return found


def _trend(history: _History) -> tuple[Standing, ...]:
    return tuple(_standing(day, *history[day]) for day in sorted(history))


def _standing(day: date, without: list[TrendRow], everything: list[TrendRow]) -> Standing:
    return Standing(
        day,
        sum(row.certain + row.probable for row in without),
        sum(row.to_verify for row in without),
        sum(row.machines for row in everything),
    )


def _branches(inventory: Inventory, asked: Asked, history: _History) -> list[Branch]:
    rows = count_rows(inventory, by=ROLL_UP, status=Status.UNSUPPORTED, sites=asked.sites, today=asked.today)
    first = min(history, default=None)
    found: list[Branch] = []
    for names in branches(_of(row) for row in rows):

        def mine(row: CountRow | TrendRow, names: tuple[str, ...] = names) -> bool:
            return _of(row)[: len(names)] == names

        before = None
        if first is not None:
            before = _standing(first, *(list(filter(mine, each)) for each in history[first]))
        found.append(Branch(names, all_of(filter(mine, rows)), before))
    return found


def _of(row: CountRow | TrendRow) -> tuple[str, ...]:
    return tuple(row.keys[key] for key in ROLL_UP)


@dataclass(frozen=True, slots=True)
class Done:
    """What was done about findings since a day."""

    since: date
    opened: int
    closed: int
    """Closed, or replaced by another machine."""
    left: int
    """Those that something is left to be done about, or borne."""
    overdue: int
    waived: int


def _done(inventory: Inventory, asked: Asked) -> Done:
    since = asked.since or months_after(asked.today, -1)
    opened = closed = left = overdue = waived = 0
    everything = Wanted(states=frozenset(State))
    for _, finding in findings_rows(inventory, Filters(sites=asked.sites), everything, today=asked.today):
        opened += finding.opened.date() >= since
        closed += not finding.is_live and finding.changed.date() >= since
        left += finding.is_live
        overdue += finding.is_overdue(asked.today)
        waived += finding.standing.state is State.WAIVED
    return Done(since, opened, closed, left, overdue, waived)
