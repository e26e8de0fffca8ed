"""Numbers, days and charts."""

from __future__ import annotations

from datetime import date

import pytest

from scanner.dashboard.charts import chart, scale
from scanner.dashboard.numbers import day, number, percent


def test_numbers_are_written_as_in_their_language() -> None:
    assert [number(1_638_400, "en"), number(0, "en"), number(None, "en")] == ["1,638,400", "0", "?"]
    assert number(1_638_400, "fr") == "1\u202f638\u202f400"


@pytest.mark.parametrize(
    ("part", "whole", "told"),
    [
        (0, 0, "\N{EN DASH}"),
        (0, 7, "0%"),
        (7, 7, "100%"),
        (1, 8, "12.5%"),
        (1, 1_000_000, "0.1%"),
        (999_999, 1_000_000, "99.9%"),
    ],
)
def test_a_share_is_never_all_or_nothing_unless_it_is(part: int, whole: int, told: str) -> None:
    assert percent(part, whole, "en") == told
    assert percent(part, whole, "fr") == told.replace(".", ",").replace("%", "\u202f%")


def test_a_day_has_its_month_in_words() -> None:
    assert day(date(2026, 11, 7), "en") == "7 November 2026"


@pytest.mark.parametrize("most", [0, 1, 3, 4, 5, 9, 41, 100, 999, 1_000_000])
def test_a_scale_is_round_and_holds_the_most(most: int) -> None:
    lines = scale(most)
    assert lines[0] == 0
    assert lines[-1] >= most
    assert 2 <= len(lines) <= 5
    assert str(lines[1]).rstrip("0") in {"1", "2", "5"}


@pytest.mark.parametrize("stacked", [True, False])
def test_bars_stay_within_their_chart(*, stacked: bool) -> None:
    columns = [(f"c{place}", [("a", place * 10), ("b", 7)]) for place in range(30)]
    found = chart(columns, stacked=stacked)
    assert all(bar.y >= 0 and bar.y + bar.height <= found.ground + 0.2 for bar in found.bars)
    assert all(found.left <= bar.x and bar.x + bar.width <= found.right + 0.2 for bar in found.bars)
    assert sum(bar.value for bar in found.bars) == sum(value for _, parts in columns for _, value in parts)
    assert chart([], stacked=stacked).bars == ()
