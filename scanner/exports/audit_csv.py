"""``export csv``: the audit columns, one asset a row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner.exports import Format
from scanner.exports.cells import DIALECTS, cell_of, row_writer, separator_of
from scanner.exports.columns import AUDIT, headings
from scanner.exports.rows import rows_of
from scanner.exports.second import write_texts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TextIO

    from scanner.exports import Options
    from scanner.inventory.rows import Asset


def write(assets: Iterable[Asset], stream: TextIO, options: Options) -> int:
    """Write every asset, in the order given."""
    row_writer(stream, options).writerow(headings(AUDIT, options))
    return write_texts(stream, assets, options, _lines)


def _lines(options: Options) -> Callable[[Asset], str]:
    """What makes the line of an asset."""
    row = rows_of(AUDIT, options, cell_of(options))
    separator = separator_of(options)
    return lambda asset: separator.join(row(asset)) + "\r\n"


FORMAT: Final = Format("csv", ".csv", write, DIALECTS)
