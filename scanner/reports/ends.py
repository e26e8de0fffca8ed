"""When support ends: how many machines lose it in each of the next years. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scanner.inventory.rows import os_of
from scanner.model import Identity, Status

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from scanner.inventory.alike import Alike

YEARS: Final = 5
_NAMED: Final = 3
"""Systems that a row names."""


@dataclass(frozen=True, slots=True)
class End:
    """One row of the calendar; each machine is in one."""

    when: str
    """``ended``, ``depends``, a year, ``later``, ``unknown``."""
    machines: int
    systems: tuple[tuple[str, int], ...]
    """Those with the most machines."""
    others: int
    """Systems that are not named."""


def calendar(rows: Iterable[Alike], today: date) -> tuple[End, ...]:
    """The calendar: what has ended, what may have, then year by year, by the earliest end that may be."""
    years = [str(today.year + number) for number in range(YEARS)]
    found: dict[str, Counter[str]] = {
        when: Counter() for when in ("ended", "depends", *years, "later", "unknown")
    }
    for row in rows:
        system = os_of(row.candidates, Identity((), row.certainty))
        found[_when(row, years)][system] += row.machines
    return tuple(_row(when, counted) for when, counted in found.items())


def _when(row: Alike, years: list[str]) -> str:
    match row.verdict.status:
        case Status.UNSUPPORTED:
            return "ended"
        case Status.DEPENDS:
            return "depends"
        case Status.UNKNOWN:
            return "unknown"
    year = "" if row.verdict.earliest is None else str(row.verdict.earliest.year)
    return year if year in years else "later"


def _row(when: str, counted: Counter[str]) -> End:
    in_order = sorted(counted.items(), key=lambda each: (-each[1], each[0]))
    named = tuple(in_order[:_NAMED])
    return End(when, counted.total(), named, len(in_order) - len(named))
