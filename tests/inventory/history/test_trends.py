from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from scanner.errors import ConfigError
from scanner.inventory import TREND_BY, count_rows, trend_rows
from scanner.model import Status
from tests.inventory.history.year import ADDRESSES, Night, keep
from tests.inventory.hospital import LTSC, RELEASES, TEN, TODAY, XP, XP_OR_POS, host, record

if TYPE_CHECKING:
    from scanner.config import SiteFile
    from scanner.inventory import Inventory, TrendRow

ALL = frozenset(ADDRESSES)
A, B, C = ADDRESSES[:3]
BLOC = "10.20.1.65"


@pytest.fixture
def past(inventory: Inventory, site: SiteFile) -> Inventory:
    keep(
        inventory,
        site,
        [
            Night({1: (A, XP), 2: (B, LTSC)}, ALL),
            Night({1: (A, XP), 2: (BLOC, LTSC), 3: (C, XP_OR_POS)}, ALL),
            Night({1: (A, TEN), 4: (B, XP)}, ALL),
        ],
    )
    return inventory


def machines(rows: tuple[TrendRow, ...]) -> dict[tuple[str, ...], int]:
    return {(row.day.isoformat(), *row.keys.values()): row.machines for row in rows if row.machines}


def test_each_month_counts_what_was_known_at_its_end(past: Inventory) -> None:
    rows = trend_rows(past, today=date(2024, 4, 3), releases=RELEASES)
    assert machines(rows) == {
        ("2024-01-31", "Cardiologie"): 2,
        ("2024-02-29", "Bloc"): 1,
        ("2024-02-29", "Cardiologie"): 2,
        ("2024-03-31", "Bloc"): 1,
        ("2024-03-31", "Cardiologie"): 3,
        ("2024-04-03", "Bloc"): 1,
        ("2024-04-03", "Cardiologie"): 3,
    }


def test_each_day_has_its_own_verdicts(past: Inventory) -> None:
    asked = {"by": ("status",), "releases": RELEASES}
    rows = trend_rows(past, today=date(2027, 1, 20), since=date(2026, 12, 1), **asked)  # type: ignore[arg-type]
    told = {(row.day.isoformat(), row.keys["status"]): row.machines for row in rows}
    assert told["2026-12-31", "ending"] == 1
    assert ("2027-01-20", "ending") not in told
    assert told["2027-01-20", "unsupported"] == told["2026-12-31", "unsupported"] + 1


@pytest.mark.file
@pytest.mark.parametrize("by", [(key,) for key in TREND_BY] + [TREND_BY])
@pytest.mark.parametrize("status", [None, Status.UNSUPPORTED])
def test_todays_figures_are_those_of_count(
    past: Inventory, by: tuple[str, ...], status: Status | None
) -> None:
    for pattern in (None, "xp"):
        rows = trend_rows(past, by=by, pattern=pattern, status=status, today=TODAY, releases=RELEASES)
        counted = count_rows(past, by=by, pattern=pattern, status=status, today=TODAY, releases=RELEASES)
        mine = {tuple(row.keys.values()): row.as_dict() for row in rows if row.day == TODAY}
        theirs = {tuple(row.keys.values()): row.as_dict() for row in counted}
        for key in mine.keys() | theirs.keys():
            for name in ("certain", "probable", "to_verify"):
                assert mine.get(key, {}).get(name, 0) == theirs.get(key, {}).get(name, 0)


def test_what_a_real_scan_recorded_counts_today_as_well(inventory: Inventory, site: SiteFile) -> None:
    record(inventory, site, [host(A, "Cardiologie", XP), host(BLOC, "Bloc", XP), host("192.168.1.1", "", XP)])
    rows = trend_rows(inventory, by=("site", "ward"), today=TODAY, releases=RELEASES)
    assert machines(rows) == {
        ("2026-11-23", "CHU", ""): 1,
        ("2026-11-23", "CHU", "Bloc"): 1,
        ("2026-11-23", "CHU", "Cardiologie"): 1,
    }


def test_weeks_end_on_sundays_and_the_last_one_today(past: Inventory) -> None:
    rows = trend_rows(past, every="week", since=date(2024, 1, 16), today=date(2024, 2, 6), releases=RELEASES)
    assert sorted({str(row.day) for row in rows}) == ["2024-01-21", "2024-01-28", "2024-02-04", "2024-02-06"]


def test_a_trend_without_a_past_is_refused_or_empty(past: Inventory) -> None:
    with pytest.raises(ConfigError, match="needs a past"):
        trend_rows(past, since=date(2027, 1, 1), today=TODAY)
    with pytest.raises(ConfigError, match="periods"):
        trend_rows(past, since=date(1, 1, 1), today=TODAY)


def test_an_empty_inventory_has_no_trend(inventory: Inventory) -> None:
    assert trend_rows(inventory, today=TODAY) == ()
