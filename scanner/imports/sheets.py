"""Tables as spreadsheets have them, whatever the separator, the encoding and the language.

Cells may hold line ends in quotes. Columns are known by their headings, and only those that are asked for are
looked at: what stands in any other column is read past, and kept nowhere.
"""

from __future__ import annotations

import re
import unicodedata
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from scanner.errors import ConfigError
from scanner.imports import CutShortError
from scanner.imports.decoding import Line as _Line
from scanner.imports.decoding import lines_of
from scanner.imports.encodings import text_of_any
from scanner.imports.tables import of_width, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from scanner.imports import Source

_DELIMITERS: Final = ";,\t|"
_TALLEST: Final = 200
"""Lines that a row may take: quotes that are open for longer were never closed."""
_LARGEST: Final = 1 << 18
"""Characters that a row may take."""
_COLUMNS: Final = 4096
"""Columns that are looked at."""
_TYPE: Final = "#TYPE "
"""How Export-Csv of Windows PowerShell begins, unless it is told not to."""
_SEPARATOR: Final = re.compile(r"(?i)sep=.")
"""What tells a spreadsheet which separator follows."""


class Row(NamedTuple):
    """A row of a table."""

    line: int
    values: Mapping[str, str]
    """By what the column is to us; of several columns with one meaning, the first that is not empty."""


@dataclass(slots=True)
class Headings:
    """What the columns of a table mean."""

    delimiter: str = ""
    width: int = 0
    places: dict[str, list[int]] = field(default_factory=dict)
    """Meaning to the columns that have it."""

    def values(self, cells: list[str]) -> dict[str, str]:
        """The cells of a row by their meaning."""
        found = {}
        for meaning, places in self.places.items():
            texts = (cells[place].strip() for place in places)
            found[meaning] = next((text for text in texts if text), "")
        return found


def plain(heading: str) -> str:
    """A heading as it is compared: ``Système d'exploitation - Nom`` is ``systeme d exploitation nom``."""
    decomposed = unicodedata.normalize("NFKD", heading[:200].casefold())
    letters = "".join(character for character in decomposed if not unicodedata.combining(character))
    return " ".join(re.split(r"[\W_]+", letters)).strip()


def headings_of(text: str, known: Mapping[str, str]) -> Headings:
    """What the columns mean of a table whose first row is this text.

    Args:
        text: the row.
        known: meaning by :func:`plain` heading.
    """
    best = Headings()
    for delimiter in _DELIMITERS:
        try:
            cells = quoted(delimiter)(text)
        except ConfigError:
            continue
        found = Headings(delimiter, len(cells))
        for place, cell in enumerate(cells[:_COLUMNS]):
            if meaning := known.get(plain(cell)):
                found.places.setdefault(meaning, []).append(place)
        if len(found.places) > len(best.places):
            best = found
    return best


def sheet_rows(
    source: Source, known: Mapping[str, str], headings: Headings, *, by_hand: bool = False
) -> Iterator[Row | ConfigError]:
    """The rows of a table, and by line what is wrong with it.

    Args:
        source: the file.
        known: meaning by :func:`plain` heading.
        headings: filled with what the columns mean before the first row comes.
        by_hand: whether a last row without a line end is whole; of what a program writes, it was cut off.
    """
    for found in _records(source):
        if isinstance(found, ConfigError):
            yield found
            continue
        if not headings.width:
            headings_found = headings_of(found.text, known)
            headings.delimiter, headings.places = headings_found.delimiter or ";", headings_found.places
            headings.width = headings_found.width or 1
            continue
        try:
            cells = _checked(quoted(headings.delimiter)(found.text), headings.width)
        except ConfigError as error:
            if found.ended:
                yield error.at(source.name, found.number)
            else:
                yield CutShortError(file=source.name, line=found.number)
            continue
        if not found.ended and not by_hand and not found.text.endswith('"'):
            yield CutShortError(file=source.name, line=found.number)
        elif any(cell.strip() for cell in cells):
            yield Row(found.number, headings.values(cells))


class _Record(NamedTuple):
    """The lines of one row together."""

    number: int
    text: str
    ended: bool


def _records(source: Source) -> Iterator[_Record | ConfigError]:
    """Rows, each with all lines that its quotes hold together."""
    lines, waiting = lines_of(text_of_any(source), source), deque[_Line]()
    begun: list[_Line] = []
    is_first = True
    while True:
        line = waiting.popleft() if waiting else next(lines, None)
        if line is None:
            if begun:
                yield CutShortError(file=source.name, line=begun[0].number)
            return
        if isinstance(line, ConfigError):
            begun.clear()
            yield line
            continue
        if is_first and line.text.strip() and not begun:
            is_first = False
            if line.text.startswith(_TYPE) or _SEPARATOR.fullmatch(line.text):
                continue
        if not begun and not line.text.strip():
            continue
        begun.append(line)
        if sum(each.text.count('"') for each in begun) % 2 == 0:
            yield _Record(begun[0].number, "\n".join(each.text for each in begun), line.ended)
            begun.clear()
        elif len(begun) >= _TALLEST or sum(len(each.text) for each in begun) > _LARGEST:
            yield ConfigError("has a text without its end", file=source.name, line=begun[0].number)
            waiting.extendleft(reversed(begun[1:]))
            begun.clear()


def _checked(cells: list[str], width: int) -> list[str]:
    if len(cells) == width + 1 and not cells[-1]:
        return cells[:-1]  # a separator at the end of the row, and none at that of the header
    return of_width(cells, width)
