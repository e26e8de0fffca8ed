"""``export csv``: the audit columns, one asset a row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner.exports import Format
from scanner.exports.cells import DIALECTS, harmless, row_writer
from scanner.exports.columns import AUDIT, headings, texts

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TextIO

    from scanner.exports import Options
    from scanner.inventory.rows import Asset


def write(assets: Iterable[Asset], stream: TextIO, options: Options) -> int:
    """Write every asset, in the order given."""
    rows = row_writer(stream, options)
    rows.writerow(headings(AUDIT, options))
    number = 0
    for asset in assets:
        rows.writerow([harmless(text) for text in texts(AUDIT, asset, options)])
        number += 1
    return number


FORMAT: Final = Format("csv", ".csv", write, DIALECTS)
