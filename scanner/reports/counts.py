"""Counts as reports print them: those of ``count``, sorted as it sorts; the last ones are summed up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scanner.inventory import CountRow


@dataclass(frozen=True, slots=True)
class Counted:
    """Rows, and what all the others come to."""

    rows: tuple[CountRow, ...]
    others: int
    """How many rows are not there."""
    certain: int
    """Of those rows, as the others."""
    probable: int
    to_verify: int
    seen: int
    scope: int
    never_scanned: int


def worst_first(rows: Iterable[CountRow], most: int) -> Counted:
    """Most found first, then most seen, then by name."""
    in_order = sorted(
        rows,
        key=lambda row: (-row.certain, -row.probable, -row.to_verify, -row.seen, tuple(row.keys.values())),
    )
    rest = in_order[most:]
    names = ("certain", "probable", "to_verify", "seen", "scope", "never_scanned")
    return Counted(
        tuple(in_order[:most]), len(rest), *(sum(getattr(row, name) for row in rest) for name in names)
    )


def all_of(rows: Iterable[CountRow]) -> Counted:
    """The sums of every row, and no row: of places only, which count each address once."""
    return worst_first(rows, 0)
