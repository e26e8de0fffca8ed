"""A count as people read it: sorted, with a total, and what was never looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner.cli.terminal.output import say, write_lines
from scanner.cli.terminal.table import Cell, Column, table, terminal_width
from scanner.cli.terminal.words import COLOUR, STATUS, heading
from scanner.language import translate
from scanner.model import Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scanner.inventory import CountRow

FIGURES: Final = ("certain", "probable", "to_verify", "seen", "scope", "never_scanned")
_OF_A_MACHINE: Final = frozenset({"os", "status"})
"""Keys that tell machines of one place apart; ``seen`` and what follows it count the place, not the row."""


def sorted_counts(rows: Sequence[CountRow]) -> list[CountRow]:
    """Most found first, then most seen, then by name."""
    return sorted(
        rows,
        key=lambda row: (-row.certain, -row.probable, -row.to_verify, -row.seen, tuple(row.keys.values())),
    )


def total_of(rows: Sequence[CountRow]) -> dict[str, int]:
    """The sums; what belongs to a place is counted once, however many rows the place has."""
    total = dict.fromkeys(FIGURES, 0)
    places = set()
    for row in rows:
        for name in FIGURES[:3]:
            total[name] += getattr(row, name)
        place = tuple(value for key, value in row.keys.items() if key not in _OF_A_MACHINE)
        if place not in places:
            places.add(place)
            for name in FIGURES[3:]:
                total[name] += getattr(row, name)
    return total


def print_counts(rows: Sequence[CountRow], keys: Sequence[str], displaced: int = 0) -> None:
    """The table, and the sentences that say what the figures are of, and what is in none of them."""
    total = total_of(rows)
    heads = [
        *(Column(heading(key)) for key in keys),
        *(Column(heading(name), figures=True) for name in FIGURES),
    ]
    cells = [
        [*(_key(key, row.keys[key]) for key in keys), *(Cell(str(getattr(row, name))) for name in FIGURES)]
        for row in rows
    ]
    last = [
        Cell(translate("total")),
        *(Cell("") for _ in keys[1:]),
        *(Cell(str(total[name])) for name in FIGURES),
    ]
    write_lines(table(heads, cells, total=last, width=terminal_width()))
    _sum_up(total)
    if displaced:
        say(
            "In no figure: {number} that nothing but an address told, where others answer now.",
            number=displaced,
        )


def _sum_up(total: dict[str, int]) -> None:
    say()
    found = {name: str(number) for name, number in total.items()}
    say("{certain} certain, {probable} probable, {to_verify} to verify, of {seen} machines seen.", **found)
    say("{scope} addresses in scope, {never_scanned} of them never scanned.", **found)
    if not total["seen"]:
        say("Nothing was seen yet: vetuste scan looks, vetuste demo shows how.")


def _key(key: str, value: str) -> Cell:
    if not value:
        return Cell(translate("(not known)"))
    if key == "status":
        return Cell(STATUS[Status(value)].render(), COLOUR[Status(value)])
    return Cell(value)
