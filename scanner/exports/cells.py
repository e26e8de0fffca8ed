"""Cells of CSV files that a spreadsheet will open: harmless, whoever named the machine."""

from __future__ import annotations

import csv
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Protocol

from scanner.exports import dialect_of
from scanner.wire import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TextIO

    from scanner.exports import Options

DIALECTS: Final = ("excel-fr", "rfc4180")
"""``;`` and a byte order mark, as a French spreadsheet opens by a double click; ``,`` as RFC 4180 has it."""

_BOM: Final = "\ufeff"
_SEPARATORS: Final = {"excel-fr": ";", "rfc4180": ","}

# At the start of the cell, past spaces and quotes (straight, grave, acute, typographic); and after what would
# separate cells, were the file opened with another separator than its own. The last four signs are the
# full-width = + - @, which some spreadsheets obey.
# Two patterns, because one that begins with a set of characters is found five times as fast.
_SIGN: Final = r"""(?=[\s"'`\u00b4\u2018\u2019]*[=+\-@\uff1d\uff0b\uff0d\uff20])"""
_AT_START: Final = re.compile(_SIGN)
_AFTER: Final = re.compile(rf"[;,|]{_SIGN}")
_BLANKS: Final = re.compile(r"[\t\r\n\v\f]+")


class Writer(Protocol):
    """What writes rows."""

    def writerow(self, row: Iterable[str], /) -> object:
        """Write one row."""


@lru_cache(maxsize=1 << 12)  # wards, words and dates come back row after row
def harmless(text: str) -> str:
    """A cell's text, such that no spreadsheet runs it and no terminal obeys it.

    What would begin a formula gets an apostrophe before it; control characters and bidirectional marks become
    U+FFFD, tabs and line ends a space.
    """
    if not text.isprintable():
        text = printable(_BLANKS.sub(" ", text), limit=len(text))
    text = _AFTER.sub(r"\g<0>'", text)
    return f"'{text}" if _AT_START.match(text) else text


def separator_of(options: Options) -> str:
    """What stands between cells in the dialect that is asked for."""
    return _SEPARATORS[dialect_of(DIALECTS, options)]


def cell_of(options: Options) -> Callable[[str], str]:
    """What makes a text a cell as :func:`row_writer` writes it: harmless, quoted where it must be.

    The csv module looks at each character of each row; here a cell that comes back is not looked at again.
    """
    separator = separator_of(options)

    @lru_cache(maxsize=1 << 12)
    def cell(text: str) -> str:
        text = harmless.__wrapped__(text)
        return '"' + text.replace('"', '""') + '"' if separator in text or '"' in text else text

    return cell


def row_writer(stream: TextIO, options: Options) -> Writer:
    """A writer of rows in the dialect that is asked for; the cells must be harmless already.

    Raises:
        ConfigError: there is no such dialect.
    """
    dialect = dialect_of(DIALECTS, options)
    if dialect == "excel-fr":
        stream.write(_BOM)
    return csv.writer(stream, delimiter=_SEPARATORS[dialect], lineterminator="\r\n")
