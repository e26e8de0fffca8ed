"""Charts as shapes: where bars and lines of a scale stand; templates draw them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH: Final = 720
HEIGHT: Final = 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 8, 12, 26
_GAP: Final = 0.28
"""The share of a column's width that stays empty."""
_WIDEST: Final = 56
_LINES: Final = 4
_LABEL: Final = 58
"""The width of a label below the axis."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One rectangle."""

    x: float
    y: float
    width: float
    height: float
    name: str
    """Of a status: its colour."""
    value: int
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars over an axis."""

    bars: tuple[Bar, ...]
    labels: tuple[tuple[float, str], ...]
    """Where on the axis words stand, and which."""
    lines: tuple[tuple[float, int], ...]
    """Heights of the scale, and their values."""
    width: int = WIDTH
    height: int = HEIGHT
    left: int = _LEFT
    right: int = WIDTH - _RIGHT
    ground: int = HEIGHT - _BOTTOM


Column = tuple[str, "Sequence[tuple[str, int]]"]
"""What a column is called, and its parts: name, value."""


def chart(columns: Sequence[Column], *, stacked: bool) -> Chart:
    """Columns of parts, upon or beside each other."""
    heights = [(sum if stacked else max)([0, *(value for _, value in parts)]) for _, parts in columns]
    lines = scale(max(heights, default=0))
    step = (WIDTH - _LEFT - _RIGHT) / max(len(columns), 1)
    per = (HEIGHT - _TOP - _BOTTOM) / lines[-1]
    width = min(step * (1 - _GAP), _WIDEST)
    bars: list[Bar] = []
    for place, (label, parts) in enumerate(columns):
        x = _LEFT + step * place + (step - width) / 2
        bars += _stack(label, parts, x, width, per) if stacked else _beside(label, parts, x, width, per)
    every = max(1, math.ceil(_LABEL / step))
    labels = [
        (round(_LEFT + step * (place + 0.5), 1), label)
        for place, (label, _) in enumerate(columns)
        if place % every == 0
    ]
    return Chart(tuple(bars), tuple(labels), tuple((_y(line, per), line) for line in lines))


def scale(most: int) -> list[int]:
    """Round numbers from nothing to what is not less than the most, a handful of them."""
    steps = (factor * 10**tens for tens in count() for factor in (1, 2, 5))
    step = next(step for step in steps if step * _LINES >= most)
    return [step * line for line in range(max(-(-most // step), 1) + 1)]


def _y(value: int, per: float) -> float:
    return round(HEIGHT - _BOTTOM - value * per, 1)


def _stack(label: str, parts: Sequence[tuple[str, int]], x: float, width: float, per: float) -> list[Bar]:
    bars, below = [], 0
    for name, value in parts:
        top = below + value
        if value:
            height = round(value * per, 1)
            bars.append(Bar(round(x, 1), _y(top, per), round(width, 1), height, name, value, label))
        below = top
    return bars


def _beside(label: str, parts: Sequence[tuple[str, int]], x: float, width: float, per: float) -> list[Bar]:
    each = width / max(len(parts), 1)
    return [
        Bar(
            round(x + each * place, 1),
            _y(value, per),
            round(each, 1),
            round(value * per, 1),
            name,
            value,
            label,
        )
        for place, (name, value) in enumerate(parts)
        if value
    ]
