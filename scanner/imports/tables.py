"""Tables in text files: a header, then a row a line, of which each column is known by its name."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, NamedTuple

from scanner.errors import ConfigError
from scanner.imports import CutShortError
from scanner.imports.decoding import lines_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from scanner.imports import Source
    from scanner.imports.decoding import Text


class Row(NamedTuple):
    """A row of a table."""

    line: int
    values: Mapping[str, str]
    """By the name of the column, in small letters."""


def rows_of(text: Text, source: Source, split: Callable[[str], list[str]]) -> Iterator[Row | ConfigError]:
    """The rows of a table; one that has other columns than the header is said to, and left out.

    Lines that are empty, or begin with ``#``, are passed over. A last row that no line end closes counts only
    where a quotation mark shows that it is whole.
    """
    header: list[str] = []
    for line in lines_of(text, source):
        if isinstance(line, ConfigError):
            yield line
            continue
        if not line.text.strip() or line.text.startswith("#"):
            continue
        try:
            values = split(line.text)
            values = of_width(values, len(header)) if header else values
        except ConfigError as error:
            yield error.at(source.name, line.number) if line.ended else _cut(source, line.number)
            continue
        if not line.ended and not line.text.endswith('"'):
            yield _cut(source, line.number)
        elif header:
            yield Row(line.number, dict(zip(header, values, strict=True)))
        else:
            header = [name.strip().lower() for name in values]


def of_width(values: list[str], width: int) -> list[str]:
    """The values of a row, which has as many columns as the header.

    Raises:
        ConfigError: it has not.
    """
    if len(values) != width:
        raise ConfigError(
            "has {found} columns, where the header has {expected}", found=len(values), expected=width
        )
    return values


def _cut(source: Source, line: int) -> CutShortError:
    return CutShortError(file=source.name, line=line)


def plain(line: str) -> list[str]:
    """The values between the commas of a line, which has no quotes."""
    return line.split(",")


def quoted(delimiter: str) -> Callable[[str], list[str]]:
    """Splits lines whose values may stand in quotes ([RFC 4180] 2), at another delimiter perhaps."""

    def split(line: str) -> list[str]:
        try:
            return next(csv.reader([line], delimiter=delimiter, strict=True), [])
        except csv.Error as error:
            raise ConfigError("is no row of a table: {why}", why=error) from error

    return split
