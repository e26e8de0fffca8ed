"""How numbers, shares, days and names are printed, and where plots stand."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.language import translate
from scanner.reports.plots import BARS, LABELS, bars, line
from scanner.reports.typography import DASH, LONGEST, Typography, css_text, name

ENGLISH, FRENCH = Typography("en"), Typography("fr")


def test_numbers_have_the_spaces_of_their_language() -> None:
    assert FRENCH.number(8000) == "8\u202f000"
    assert FRENCH.number(1234567) == "1\u202f234\u202f567"
    assert ENGLISH.number(8000) == "8,000"
    assert (FRENCH.decimal(0.51), ENGLISH.decimal(0.51), FRENCH.decimal(50)) == ("0,51", "0.51", "50")


@pytest.mark.parametrize(
    ("part", "whole", "english"),
    [(1, 8, "12.5%"), (0, 7, "0.0%"), (7, 7, "100.0%"), (1, 100_000, "0.1%"), (99_999, 100_000, "99.9%"),
     (1, 3, "33.3%"), (2, 3, "66.7%"), (1, 1600, "0.1%"), (0, 0, DASH)],
)  # fmt: skip
def test_shares_are_rounded_and_no_part_is_nothing_or_all(part: int, whole: int, english: str) -> None:
    assert ENGLISH.share(part, whole) == english
    assert FRENCH.share(part, whole) == english.replace(".", ",").replace("%", "\u202f%")


def test_days_have_the_names_of_their_months() -> None:
    assert ENGLISH.day(date(2026, 11, 27)) == "27\u00a0November\u00a02026"
    assert FRENCH.day(date(2026, 11, 27)) == f"27\u00a0{translate('November', 'fr')}\u00a02026"
    assert FRENCH.day(date(2026, 1, 1)).startswith("1er\u00a0")
    assert ENGLISH.day(None) == DASH


@given(st.text())
def test_a_name_is_short_and_obeyed_by_nobody(text: str) -> None:
    printed = name(text)
    assert len(printed) <= LONGEST
    assert printed.isprintable()


@given(st.text())
def test_a_text_of_a_style_sheet_stays_between_its_quotes(text: str) -> None:
    written = css_text(text)
    assert written.isascii()
    assert not set(written) & set("\"'<>;{}\n")


@given(st.lists(st.tuples(st.text(), st.tuples(*[st.integers(0, 10**7)] * 3))))
def test_bars_are_as_long_as_their_numbers(rows: list[tuple[str, tuple[int, ...]]]) -> None:
    drawn = bars(rows)
    most = max((sum(numbers) for _, numbers in rows), default=0) or 1
    for bar, (_, numbers) in zip(drawn, rows, strict=True):
        assert bar.numbers == numbers
        assert bar.end - LABELS == pytest.approx(BARS * sum(numbers) / most, abs=0.05)
        assert len(bar.pieces) == sum(number > 0 for number in numbers)


def test_a_line_falls_and_rises_with_its_numbers() -> None:
    low, high, middle = line([("a", 0), ("b", 10), ("c", 5)])
    assert low.y > middle.y > high.y
    assert low.x < high.x < middle.x
    assert line([]) == ()
    assert line([("only", 0)])[0].number == 0
