"""The report for a board: two pages, in plain words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scanner.inventory import State, Wanted, count_rows, findings_rows, trend_rows
from scanner.inventory.alike import alike_rows
from scanner.inventory.rows import Filters
from scanner.lifecycle import months_after
from scanner.model import Status
from scanner.reports.asked import scans_of
from scanner.reports.counts import all_of, worst_first
from scanner.reports.ends import calendar
from scanner.reports.rendering import render
from scanner.reports.workstations import indicator

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from scanner.inventory import Inventory, TrendRow
    from scanner.reports.asked import Asked

WARDS: Final = 15
PRODUCTS: Final = 10
MONTHS: Final = 12


def management(inventory: Inventory, asked: Asked) -> str:
    """The report as HTML.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    today, site = asked.today, asked.site
    unsupported = Status.UNSUPPORTED
    wards = count_rows(inventory, by=("site", "ward"), status=unsupported, site=site, today=today)
    products = count_rows(inventory, by=("os",), status=unsupported, site=site, today=today)
    statuses = count_rows(inventory, by=("status",), site=site, today=today)
    alike = tuple(alike_rows(inventory, site=site, today=today))
    scans = scans_of(inventory, asked)
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
        trend=_trend(inventory, asked),
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


def _trend(inventory: Inventory, asked: Asked) -> tuple[Standing, ...]:
    """The last months, the month of the first scan at the earliest."""
    scans = scans_of(inventory, asked)
    if not scans:
        return ()
    first = min(scan.started for scan in scans).date()
    since = min(asked.today, max(first, months_after(asked.today, -MONTHS)))

    def rows(status: Status | None) -> dict[date, list[TrendRow]]:
        found = trend_rows(inventory, by=("site",), status=status, since=since, today=asked.today)
        return _by_day(row for row in found if asked.site.casefold() in ("", row.keys["site"].casefold()))

    without, everything = rows(Status.UNSUPPORTED), rows(None)
    return tuple(
        Standing(
            day,
            sum(row.certain + row.probable for row in without.get(day, ())),
            sum(row.to_verify for row in without.get(day, ())),
            sum(row.machines for row in everything[day]),
        )
        for day in sorted(everything)
    )


def _by_day(rows: Iterable[TrendRow]) -> dict[date, list[TrendRow]]:
    found: dict[date, list[TrendRow]] = {}
    for row in rows:
        found.setdefault(row.day, []).append(row)
    return found


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
    for _, finding in findings_rows(inventory, Filters(site=asked.site), everything, today=asked.today):
        opened += finding.opened.date() >= since
        closed += not finding.is_live and finding.changed.date() >= since
        left += finding.is_live
        overdue += finding.is_overdue(asked.today)
        waived += finding.standing.state is State.WAIVED
    return Done(since, opened, closed, left, overdue, waived)
