"""When addresses were last scanned: the newest scan that was done with each.

An address that no scan was ever done with (a canary, or where a scan was interrupted) has the newest scan
that sent it anything.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final, TypeAlias

from scanner.inventory.blocks import SIZE, Blocks, block_of, blocks_of, blocks_of_rows, both, less
from scanner.inventory.ledger import packed, unpacked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from scanner.inventory.database import Plain

    _Read: TypeAlias = Callable[[Plain, int, Blocks], Blocks]

_SCANS: Final = "SELECT id, started FROM scans WHERE site_id = ? ORDER BY id DESC"
_VISITS: Final = "SELECT version, block, addresses FROM visits WHERE scan_id = ?"
_SOME_VISITS: Final = f"{_VISITS} AND version = ? AND block = ?"
_ATTEMPTS: Final = (
    "SELECT DISTINCT address FROM ledger"
    " WHERE scan_id = ? AND address BETWEEN ? AND ? AND length(address) = ?"
)
_FEW: Final = 1000
"""So many blocks are looked up one by one; of more, a scan's are read in a row."""


def last_scans(connection: Plain, site_id: int, asked: Blocks) -> Iterator[tuple[date, Blocks]]:
    """The days on which scans of a site began (UTC), and the addresses that none was done with since.

    Args:
        connection: in a read transaction.
        site_id: the site.
        asked: every address that was asked there.

    Returns:
        Each address once, unless neither visits nor ledger know when it was asked.
    """
    scans = [
        (scan, date.fromisoformat(started[: len("2026-11-20")]))
        for scan, started in connection.execute(_SCANS, (site_id,))
    ]
    left = asked
    for read in (_visited, _attempted):
        for day, found in _newest_first(connection, scans, left, read):
            left = less(left, found)
            yield day, found


def _newest_first(
    connection: Plain, scans: Sequence[tuple[int, date]], left: Blocks, read: _Read
) -> Iterator[tuple[date, Blocks]]:
    for scan, day in scans:
        if not left:
            return
        found = both(left, read(connection, scan, left))
        if found:
            left = less(left, found)
            yield day, found


def _visited(connection: Plain, scan: int, wanted: Blocks) -> Blocks:
    """The addresses that a scan is done with, of these blocks at least."""
    if len(wanted) > _FEW:
        return blocks_of_rows(connection.execute(_VISITS, (scan,)))
    keys = (block_of(block * SIZE) for block in wanted)
    return blocks_of_rows(
        row for version, block in keys for row in connection.execute(_SOME_VISITS, (scan, version, block))
    )


def _attempted(connection: Plain, scan: int, wanted: Blocks) -> Blocks:
    """The addresses of these blocks that a scan sent anything to."""
    spans = ((packed(block * SIZE), packed(block * SIZE + SIZE - 1)) for block in wanted)
    return blocks_of(
        unpacked(address)
        for first, last in spans
        for (address,) in connection.execute(_ATTEMPTS, (scan, first, last, len(first)))
    )
