"""Numbers, shares and days as people of a language write them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner.language import Message

if TYPE_CHECKING:
    from datetime import date, datetime

_NARROW: Final = "\u202f"
"""The space that French has within numbers and before the sign of the percentage; no line breaks there."""
_WRITTEN: Final = {"fr": (_NARROW, ",", _NARROW + "%")}
"""By language: between thousands, before decimals, after a percentage."""
_ENGLISH: Final = (",", ".", "%")
_NONE: Final = "\N{EN DASH}"
_MONTHS: Final = (
    *(Message("January"), Message("February"), Message("March"), Message("April"), Message("May")),
    *(Message("June"), Message("July"), Message("August"), Message("September"), Message("October")),
    *(Message("November"), Message("December")),
)


def number(value: int | None, language: str) -> str:
    """A whole number: ``1,638,400``; what is not known is a question mark."""
    thousands, *_ = _WRITTEN.get(language, _ENGLISH)
    return "?" if value is None else f"{value:,}".replace(",", thousands)


def percent(part: int, whole: int, language: str) -> str:
    """A share: ``12.4%``; a dash where it is of nothing.

    What is not none is not told as nothing, nor what is not all as everything.
    """
    if not whole:
        return _NONE
    _, point, sign = _WRITTEN.get(language, _ENGLISH)
    tenths = round(1000 * part / whole)
    if 0 < part < whole:
        tenths = min(max(tenths, 1), 999)
    text = f"{tenths // 10}" if tenths in (0, 1000) else f"{tenths // 10}{point}{tenths % 10}"
    return text + sign


def day(value: date, language: str) -> str:
    """A day: ``27 November 2026``."""
    return f"{value.day} {_MONTHS[value.month - 1].render(language)} {value.year}"


def moment(value: datetime, language: str) -> str:
    """A moment, in UTC, to the minute."""
    return f"{day(value, language)}, {value:%H:%M} UTC"
