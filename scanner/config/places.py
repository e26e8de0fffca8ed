"""Where a key stands in a TOML text.

``tomllib`` does not say, so it is asked about ever closer beginnings of the text.
"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_BUDGET: Final = 1 << 24
"""Characters read at most for one answer: a large or strange file costs a line number, not minutes."""


def line_of(text: str, path: Sequence[str | int]) -> int | None:
    """The line, from 1, of the statement that gives the key at ``path``, or the element of its array.

    Args:
        text: a valid TOML text.
        path: keys and, for elements of arrays, indices from 0: ``("ward", 1, "name")``.

    Returns:
        The line; that of the nearest table above, where the path itself is not there; None where the text is
        too large to tell.
    """
    finder = _Finder(text)
    for length in range(len(path), 0, -1):
        if _holds(finder.whole, path[:length]):
            return finder.find(path[:length])
    return None


def _holds(value: object, path: Sequence[str | int]) -> bool:
    for step in path:
        match value:
            case dict() if step in value:
                value = value[step]
            case list() if isinstance(step, int) and step < len(value):
                value = value[step]
            case _:
                return False
    return True


def _parsed(text: str) -> dict[str, object] | None:
    try:
        return tomllib.loads(text)
    except ValueError:
        return None


class _Finder:
    """One text, its lines, and what may still be spent on it."""

    def __init__(self, text: str) -> None:
        self.lines = text.split("\n")
        self.whole = tomllib.loads(text)
        self.budget = _BUDGET

    def find(self, path: Sequence[str | int]) -> int | None:
        """The line on which ``path``, which the text holds, begins."""
        before, after = 0, len(self.lines)  # so many lines make a text without the path, and one with it
        while (between := self._statement_end(before, after)) is not None:
            count, document = between
            if _holds(document, path):
                after = count
            else:
                before = count
        if self.budget < 0:
            return None
        while not self.lines[before].strip() or self.lines[before].lstrip().startswith("#"):
            before += 1
        return self._element(before, after, path[-1]) if isinstance(path[-1], int) else before + 1

    def _statement_end(self, low: int, high: int) -> tuple[int, dict[str, object]] | None:
        """A number of lines strictly between that is a text by itself, near the middle."""
        middle = (low + high) // 2
        for count in (*range(max(middle, low + 1), high), *range(middle - 1, low, -1)):
            beginning = "\n".join(self.lines[:count])
            self.budget -= len(beginning)
            if self.budget < 0:
                return None
            if (document := _parsed(beginning)) is not None:
                return count, document
        return None

    def _element(self, start: int, end: int, index: int) -> int:
        """The line of an element of the array that the statement between two lines gives."""
        for count in range(start + 1, end):
            value: object = _parsed("\n".join([*self.lines[start:count], "]"]))
            while isinstance(value, dict) and len(value) == 1:
                value = next(iter(value.values()))
            if isinstance(value, list) and len(value) > index:
                return count
        return start + 1
