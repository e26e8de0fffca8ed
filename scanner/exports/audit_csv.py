"""``export csv``: the audit columns, one asset a row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner.exports import Format
from scanner.exports.cells import DIALECTS, cell_of, row_writer, separator_of
from scanner.exports.columns import AUDIT, headings
from scanner.exports.rows import rows_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TextIO

    from scanner.exports import Options
    from scanner.inventory.rows import Asset


def write(assets: Iterable[Asset], stream: TextIO, options: Options) -> int:
    """Write every asset, in the order given."""
    rows = row_writer(stream, options)
    rows.writerow(headings(AUDIT, options))
    row = rows_of(AUDIT, options, cell_of(options))
    separator = separator_of(options)
    number = 0
    for asset in assets:
        stream.write(separator.join(row(asset)) + "\r\n")
        number += 1
    return number


FORMAT: Final = Format("csv", ".csv", write, DIALECTS)
