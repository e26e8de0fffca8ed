"""Rows of the audit columns, for a million machines: what many of them share is worked out once."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Final, TypeAlias

from scanner.exports.columns import Of, texts

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from scanner.exports import Options
    from scanner.exports.columns import Column
    from scanner.inventory.rows import Asset

_MOST: Final = 1 << 12
"""So many shared parts are remembered; then all are forgotten, and remembered anew."""

_Sharing: TypeAlias = "Callable[[Asset], tuple[Hashable, object]]"
"""What tells assets that share cells from others, and what must be kept for it to stay so."""


def rows_of(
    columns: Sequence[Column], options: Options, finish: Callable[[str], str]
) -> Callable[[Asset], list[str]]:
    """What makes the row of an asset: the cells of these columns, each of them finished.

    Args:
        columns: in their order.
        options: the language and the day.
        finish: done to each text; it depends on nothing else.
    """
    parts = [_part(columns, of, options, finish) for of in Of]
    places = [place for of in Of for place, column in enumerate(columns) if column.of is of]
    order = [places.index(place) for place in range(len(columns))]

    def row(asset: Asset) -> list[str]:
        cells: list[str] = []
        for part in parts:
            cells += part(asset)
        return [cells[place] for place in order]

    return row


def _part(
    columns: Sequence[Column], of: Of, options: Options, finish: Callable[[str], str]
) -> Callable[[Asset], list[str]]:
    """What makes the cells of one kind of columns."""
    chosen = [column for column in columns if column.of is of]

    def made(asset: Asset) -> list[str]:
        return [finish(text) for text in texts(chosen, asset, options)]

    return _shared(made, _SHARING[of]) if of in _SHARING else made


def _shared(made: Callable[[Asset], list[str]], sharing: _Sharing) -> Callable[[Asset], list[str]]:
    known: dict[Hashable, tuple[list[str], object]] = {}

    def found(asset: Asset) -> list[str]:
        key, kept = sharing(asset)
        cells = known.get(key)
        if cells is None:
            if len(known) >= _MOST:
                known.clear()
            known[key] = cells = made(asset), kept
        return cells[0]

    return found


_JUDGED: Final = attrgetter("candidates", "verdict", "identity.attributes", "identity.certainty")


def _judged(asset: Asset) -> tuple[Hashable, object]:
    """The inventory hands out the same objects for the same values, and comparing them takes long.

    While they are kept, no other object has their ids.
    """
    kept = _JUDGED(asset)
    candidates, verdict, attributes, certainty = kept
    smb1 = "yes" in asset.evidence.get("smb.smb1", ())
    return (id(candidates), id(verdict), id(attributes), certainty, smb1), kept


def _placed(asset: Asset) -> tuple[Hashable, object]:
    return id(asset.place), asset.place


_SHARING: Final[dict[Of, _Sharing]] = {Of.PLACE: _placed, Of.JUDGEMENT: _judged}
