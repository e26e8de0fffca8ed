"""Numbers, shares and days as a language prints them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scanner.language import Message
from scanner.wire import printable

if TYPE_CHECKING:
    from datetime import date

NARROW: Final = "\u202f"
"""The space in French numbers and before French signs: it is narrow, and no line ends at it."""
NO_BREAK: Final = "\u00a0"
DASH: Final = "\u2013"
"""What stands where there is nothing to say."""
LONGEST: Final = 120
"""Characters of a name that are printed; the files beside a report have the whole of it."""

MONTHS: Final = (
    *(Message("January"), Message("February"), Message("March"), Message("April"), Message("May")),
    *(Message("June"), Message("July"), Message("August"), Message("September"), Message("October")),
    *(Message("November"), Message("December")),
)


@dataclass(frozen=True, slots=True)
class Typography:
    """How one language writes."""

    language: str

    def number(self, value: int) -> str:
        """``8 000`` or ``8,000``."""
        text = f"{value:,}"
        return text.replace(",", NARROW) if self._french else text

    def decimal(self, value: float) -> str:
        """``0,51`` or ``0.51``."""
        text = f"{value:g}"
        return text.replace(".", ",") if self._french else text

    def share(self, part: int, whole: int) -> str:
        """``12,3 %`` or ``12.3%``, rounded half up; a share that is not nothing is never 0, nor all 100."""
        if not whole:
            return DASH
        tenths = (2000 * part + whole) // (2 * whole)
        if 0 < part < whole:
            tenths = min(max(tenths, 1), 999)
        text = f"{tenths // 10}.{tenths % 10}"
        return f"{text.replace('.', ',')}{NARROW}%" if self._french else f"{text}%"

    def day(self, day: date | None) -> str:
        """``27 novembre 2026`` or ``27 November 2026``."""
        if day is None:
            return DASH
        number = "1er" if self._french and day.day == 1 else str(day.day)
        return NO_BREAK.join((number, self.month(day), str(day.year)))

    def month(self, day: date) -> str:
        """The name of its month."""
        return MONTHS[day.month - 1].render(self.language)

    @property
    def _french(self) -> bool:
        return self.language == "fr"


def name(text: str, most: int = LONGEST) -> str:
    """A name as it may be printed: no control characters, and no longer than somebody reads."""
    return cut(printable(text, limit=most + 1), most)


def cut(text: str, most: int) -> str:
    """A text of ours, no longer than so many characters."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def css_text(text: str) -> str:
    """A text between quotes of a style sheet: whatever is no letter of ASCII is written as its number."""
    return "".join(sign if sign.isascii() and sign.isalnum() else f"\\{ord(sign):06x}" for sign in text)
