"""Tables that fit the terminal: aligned where there is room, one block a row where there is not."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING, Final

import click

from scanner.cli.terminal.switches import coloured
from scanner.cli.terminal.text import columns, padded, safe, split

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_GAP: Final = "  "
_NARROWEST: Final = 10
"""A column of words is not cut below this."""
_SAMPLE: Final = 500
"""Rows that the widths are measured on; the rest streams by."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: its text, which may come from the network, and a colour."""

    text: str
    colour: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """One column."""

    heading: str
    figures: bool = False
    """Aligned to the right, and never cut."""


def terminal_width() -> int | None:
    """Columns to stay within: those of COLUMNS or of the terminal; None in a file or a pipe."""
    return line_width() if os.environ.get("COLUMNS", "").isdecimal() or sys.stdout.isatty() else None


def line_width() -> int:
    """Columns of the terminal, wherever standard output goes: for what is written on standard error."""
    return max(20, shutil.get_terminal_size().columns)


def table(
    heads: Sequence[Column],
    rows: Iterable[Sequence[Cell]],
    *,
    total: Sequence[Cell] = (),
    width: int | None = None,
) -> Iterator[str]:
    """The lines of a table.

    Args:
        heads: its columns; the first names the row.
        rows: its rows, cells in the order of the columns.
        total: a last row, under a rule.
        width: columns of the terminal; None where nothing is to be cut.
    """
    stream = iter(rows)
    sample = [[Cell(safe(cell.text), cell.colour) for cell in row] for row in islice(stream, _SAMPLE)]
    measured = [*sample, [Cell(head.heading) for head in heads], *([list(total)] if total else [])]
    widths = [max(columns(row[place].text) for row in measured) for place in range(len(heads))]
    fitted = widths if width is None else _fit(heads, widths, width)
    every = chain(sample, ([Cell(safe(cell.text), cell.colour) for cell in row] for row in stream))
    if fitted is None:
        yield from _blocks(heads, chain(every, [total] if total else []), width or 0)
    else:
        yield from _aligned(heads, every, total, fitted, whole=width is None)


def _fit(heads: Sequence[Column], widths: list[int], width: int) -> list[int] | None:
    """Widths that fit: columns of words give way, the widest first; None where that is not enough."""
    fitted = list(widths)
    excess = sum(fitted) + len(_GAP) * (len(heads) - 1) - width
    while excess > 0:
        words = [place for place, head in enumerate(heads) if not head.figures and fitted[place] > _NARROWEST]
        if not words:
            return None
        widest = max(words, key=lambda place: fitted[place])
        fitted[widest] -= 1
        excess -= 1
    return fitted


def _aligned(
    heads: Sequence[Column],
    rows: Iterable[Sequence[Cell]],
    total: Sequence[Cell],
    widths: list[int],
    *,
    whole: bool,
) -> Iterator[str]:
    colour = coloured()

    def line(row: Sequence[Cell], *, bold: bool = False) -> str:
        parts = []
        for head, cell, width in zip(heads, row, widths, strict=True):
            room = max(width, columns(cell.text)) if whole else width
            text = padded(cell.text, room, right=head.figures)
            parts.append(click.style(text, fg=cell.colour or None, bold=bold or None) if colour else text)
        return _GAP.join(parts).rstrip()

    yield line([Cell(head.heading) for head in heads], bold=True)
    for row in rows:
        yield line(row)
    if total:
        yield _GAP.join("-" * width for width in widths)
        yield line(total, bold=True)


def _blocks(heads: Sequence[Column], rows: Iterable[Sequence[Cell]], width: int) -> Iterator[str]:
    for row in rows:
        yield from wrapped([row[0].text], width, indent=0)
        pairs = [
            f"{head.heading} {cell.text}" for head, cell in zip(heads[1:], row[1:], strict=True) if cell.text
        ]
        yield from wrapped(pairs, width, indent=2)


def wrapped(parts: Sequence[str], width: int | None, *, indent: int) -> Iterator[str]:
    """Parts with commas between them, on as many lines as they need; one that is too long is broken."""
    room = (width or 1 << 20) - indent
    line = ""
    for place, part in enumerate(parts):
        piece = part if place == len(parts) - 1 else f"{part},"
        if line and columns(line) + 1 + columns(piece) > room:
            yield " " * indent + line
            line = ""
        line = f"{line} {piece}" if line else piece
        while columns(line) > room:
            head, line = split(line, room)
            yield " " * indent + head
    if line:
        yield " " * indent + line
