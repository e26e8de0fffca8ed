"""The first page: what share has no support, of how many, where it goes, and what nobody knows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final, TypeAlias

from scanner.dashboard.charts import chart
from scanner.dashboard.counted import SLOW, coverage_of, ends_of, products_of, wards_of
from scanner.dashboard.pages import Page
from scanner.dashboard.past import KINDS, changes_of, scans_of, trend_of
from scanner.dashboard.rendering import render
from scanner.dashboard.rolling import roll_up, total_of
from scanner.inventory import Kind, breakers_rows
from scanner.language import Message
from scanner.model import Status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from scanner.dashboard.charts import Chart
    from scanner.dashboard.house import House
    from scanner.dashboard.past import SiteChanges
    from scanner.dashboard.rolling import Total
    from scanner.dashboard.visitor import Visitor
    from scanner.inventory import BreakerRow, CoverageRow, ScanRow

    _Period: TypeAlias = tuple[date, dict[Status, int]]
    _Kinds: TypeAlias = list[tuple[Kind, int]]

_MOST: Final = 10
"""Products that are shown."""
_LATE: Final = timedelta(days=31)
"""A last scan that is older is late."""
_QUARTERS: Final = 20
"""Five years."""


@dataclass(frozen=True, slots=True)
class Last:
    """The last scan of a site."""

    scan: ScanRow
    days: int
    late: bool


@dataclass(frozen=True, slots=True)
class Quarter:
    """Machines that lose their support in three months: at the earliest, and at the latest."""

    year: int
    number: int
    first: int
    last: int


def overview(request: Request) -> Response:
    """The first page."""
    house: House = request.app.state.house
    visitor: Visitor = request.state.visitor
    every = request.query_params.get("products") == "all"
    wards = wards_of(house)
    mine = wards.seen_by(visitor)
    products = products_of(house, None if every else Status.UNSUPPORTED).seen_by(visitor)
    total = total_of(mine)
    calendar = quarters(ends_of(house).seen_by(visitor), house.today)
    untouched, trend, changes = _history(house, visitor, total)
    return render(
        request,
        "overview.html",
        at=wards.at,
        total=total,
        rolled=roll_up(mine),
        products=_largest(products),
        every=every,
        breakers=_breakers(house, visitor),
        last=_last(house, {ward.site for ward in mine}),
        untouched=untouched,
        trend=trend,
        trend_chart=None if trend is None else _trend_chart(trend),
        calendar=calendar,
        calendar_chart=_calendar_chart(calendar, visitor.language),
        changes=changes,
        waiting=changes is None,
        kinds=KINDS,
        statuses=tuple(Status),
    )


def quarters(ends: Mapping[tuple[date | None, date | None], tuple[int, ...]], today: date) -> list[Quarter]:
    """The end-of-support calendar: five years, from the quarter of today on."""
    begin = _quarter(today)
    first, last = [0] * _QUARTERS, [0] * _QUARTERS
    for days, (machines,) in ends.items():
        for counts, day in zip((first, last), days, strict=True):
            if day is not None and (place := _quarter(day) - begin) < _QUARTERS:
                counts[place] += machines
    return [
        Quarter((begin + place) // 4, (begin + place) % 4 + 1, first[place], last[place])
        for place in range(_QUARTERS)
    ]


def _quarter(day: date) -> int:
    return day.year * 4 + (day.month - 1) // 3


def _largest(products: Mapping[str, tuple[int, ...]]) -> tuple[list[tuple[str, tuple[int, ...]]], int]:
    """The products of which there are most, in the order of ``count``; and how many more there are."""
    in_order = sorted(products.items(), key=lambda each: (*(-number for number in each[1]), each[0]))
    return in_order[:_MOST], max(len(in_order) - _MOST, 0)


def _breakers(house: House, visitor: Visitor) -> list[BreakerRow]:
    return [row for row in breakers_rows(house.inventory) if visitor.sees(row.site, row.ward)]


def _last(house: House, sites: set[str]) -> list[Last]:
    """The last scan of each site, the one longest ago first."""
    newest: dict[str, ScanRow] = {}
    for scan in scans_of(house):
        if scan.site in sites:
            newest.setdefault(scan.site, scan)
    ages = [(scan, max(house.now() - scan.started, timedelta())) for scan in newest.values()]
    return sorted((Last(scan, age.days, age > _LATE) for scan, age in ages), key=lambda each: -each.days)


def _history(
    house: House, visitor: Visitor, total: Total
) -> tuple[dict[str, int | None] | None, list[_Period] | None, list[tuple[SiteChanges, _Kinds]] | None]:
    """What is not to be touched, the trend, the changes: each None as long as it is being worked out.

    They are worked out one after the other: where one is not there, nobody waits for the next.
    """
    covered = coverage_of(house)
    trend = trend_of(house, SLOW if covered is not None else 0)
    changes = changes_of(house, SLOW if trend is not None else 0)
    return (
        None if covered is None else _untouched(covered, visitor),
        None if trend is None else _periods(trend.seen_by(visitor), house.today, total),
        None
        if changes is None
        else [(each, kinds) for each in changes if (kinds := _kinds(each.kinds(visitor)))],
    )


def _untouched(rows: Sequence[CoverageRow], visitor: Visitor) -> dict[str, int | None]:
    """What is not to be touched; None: no site file says."""
    mine = [row for row in rows if visitor.sees(row.keys["site"], row.keys["ward"])]
    found: dict[str, int | None] = {"fragile": sum(row.fragile for row in mine)}
    for name in ("excluded", "passive"):
        numbers = [getattr(row, name) for row in mine]
        found[name] = None if None in numbers else sum(numbers)
    return found


def _kinds(kinds: Mapping[Kind, int]) -> list[tuple[Kind, int]]:
    return [(kind, kinds[kind]) for kind in Kind if kinds.get(kind)]


def _periods(
    figures: Mapping[tuple[date, Status], tuple[int, ...]], today: date, total: Total
) -> list[_Period]:
    """The periods; the last one ends today, and has the figures of today."""
    days = sorted({day for day, _ in figures} - {today})
    past = [(day, {status: sum(figures.get((day, status), (0,))) for status in Status}) for day in days]
    return [*past, (today, {status: total.machines(status) for status in Status})]


def _trend_chart(periods: Sequence[_Period]) -> Chart:
    columns = [
        (day.isoformat()[:10], [(status.value, numbers[status]) for status in Status])
        for day, numbers in periods
    ]
    return chart(columns, stacked=True)


def _calendar_chart(calendar: Sequence[Quarter], language: str) -> Chart:
    letter = Message("Q{number}")
    return chart(
        [
            (
                f"{Message(letter.text, {'number': str(each.number)}).render(language)} {each.year}",
                [("depends", each.first), ("unsupported", each.last)],
            )
            for each in calendar
        ],
        stacked=False,
    )


PAGES: Final = (Page("/", overview, title=Message("Overview"), rank=1),)
