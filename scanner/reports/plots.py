"""The geometry of plots: where bars and points stand; ``templates/plots.html`` draws them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scanner.reports.typography import name

if TYPE_CHECKING:
    from collections.abc import Sequence

ROW: Final = 16
"""Height of a bar with the space around it."""
LABELS: Final = 200
"""Width of what stands before the bars."""
BARS: Final = 380
"""Width of the longest bar."""
_LETTERS: Final = 38
"""Characters of a label; the table beside has the whole of it."""
WIDTH: Final = 680
HEIGHT: Final = 110
_MARGIN: Final = 24


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of a bar."""

    kind: str
    """What it shows, and how it is filled: ``certain``, ``probable``, ``to_verify``."""
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: pieces one after the other."""

    label: str
    y: int
    pieces: tuple[Piece, ...]
    numbers: tuple[int, ...]
    """What the pieces are of: written behind the bar."""

    @property
    def end(self) -> float:
        """Where the bar ends."""
        return max((piece.x + piece.width for piece in self.pieces), default=float(LABELS))


KINDS: Final = ("certain", "probable", "to_verify")


def bars(rows: Sequence[tuple[str, tuple[int, ...]]]) -> tuple[Bar, ...]:
    """Bars below each other, the longest as long as there is room."""
    most = max((sum(numbers) for _, numbers in rows), default=0) or 1
    return tuple(_bar(place, label, numbers, most) for place, (label, numbers) in enumerate(rows))


def _bar(place: int, label: str, numbers: tuple[int, ...], most: int) -> Bar:
    pieces, x = [], float(LABELS)
    for kind, number in zip(KINDS, numbers, strict=False):
        if number:
            width = round(BARS * number / most, 2)
            pieces.append(Piece(kind, round(x, 2), width))
            x += width
    return Bar(name(label, _LETTERS), place * ROW, tuple(pieces), numbers)


@dataclass(frozen=True, slots=True)
class Point:
    """One point of a line."""

    x: float
    y: float
    label: str
    number: int


def line(rows: Sequence[tuple[str, int]]) -> tuple[Point, ...]:
    """Points from left to right; the ground line is nothing."""
    most = max((number for _, number in rows), default=0) or 1
    step = (WIDTH - 2 * _MARGIN) / max(len(rows) - 1, 1)
    height = HEIGHT - 2 * _MARGIN
    return tuple(
        Point(
            round(_MARGIN + place * step, 2),
            round(HEIGHT - _MARGIN - height * number / most, 2),
            label,
            number,
        )
        for place, (label, number) in enumerate(rows)
    )
