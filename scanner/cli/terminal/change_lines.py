"""What is different, for people and for programs."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from scanner.cli.terminal.output import say, write_lines
from scanner.cli.terminal.table import Cell, Column, table, terminal_width
from scanner.cli.terminal.words import COLOUR, STATUS, heading
from scanner.inventory import Change, Kind
from scanner.language import Message, translate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from scanner.inventory import Seen

KIND: Final = {
    Kind.NEW: Message("new"),
    Kind.BACK: Message("back"),
    Kind.GONE: Message("gone"),
    Kind.UNSEEN: Message("not looked at"),
    Kind.MOVED: Message("moved"),
    Kind.UPGRADED: Message("upgraded"),
    Kind.DATES_PASSED: Message("dates passed"),
    Kind.DATA_CHANGED: Message("data changed"),
}
_OF_A_SIDE: Final = ("site", "ward", "ip", "os", "status", "certainty", "candidates")
HEADS: Final = (
    *("asset", "name", "kinds", "looked"),
    *(f"{side}_{name}" for side in ("before", "after") for name in _OF_A_SIDE),
)


def change_object(change: Change) -> dict[str, Any]:
    """A line as programs read it; null where a side has nothing of the machine."""
    return {
        "asset": change.asset,
        "name": change.name or None,
        "kinds": [kind.value for kind in change.kinds],
        "before": _side_object(change.before),
        "after": _side_object(change.after),
        "looked": change.looked,
    }


def _side_object(seen: Seen | None) -> dict[str, Any] | None:
    if seen is None:
        return None
    return {
        "site": seen.site,
        "ward": seen.ward,
        "ip": seen.address,
        "os": seen.os or None,
        "status": seen.status.value,
        "certainty": seen.certainty.value,
        "candidates": list(seen.candidates),
    }


def change_row(change: Change) -> dict[str, object]:
    """The same as a row of CSV: lists with spaces between."""
    row: dict[str, object] = {
        "asset": change.asset,
        "name": change.name,
        "kinds": " ".join(change.kinds),
        "looked": "yes" if change.looked else "no",
    }
    for side, seen in (("before", change.before), ("after", change.after)):
        found = _side_object(seen) or dict.fromkeys(_OF_A_SIDE)
        found["candidates"] = " ".join(found["candidates"] or ())
        row |= {f"{side}_{name}": found[name] for name in _OF_A_SIDE}
    return row


def print_changes(changes: Iterable[Change]) -> None:
    """A table, as they come, and how many there were of each kind."""
    counted: Counter[Kind] = Counter()
    heads = [Column(heading(key)) for key in ("change", "name", "before", "after")]
    write_lines(table(heads, _rows(changes, counted), width=terminal_width()))
    say()
    if not counted:
        say("Nothing is different.")
    for kind in Kind:
        if counted[kind]:
            say("{kind}: {number}", kind=KIND[kind].render(), number=counted[kind])


def _rows(changes: Iterable[Change], counted: Counter[Kind]) -> Iterator[list[Cell]]:
    for change in changes:
        counted.update(change.kinds)
        kinds = ", ".join(KIND[kind].render() for kind in change.kinds)
        if not change.looked and Kind.UNSEEN not in change.kinds:
            kinds = translate("{kinds} (not looked at before)").format(kinds=kinds)
        colour = COLOUR[change.after.status] if change.after else ""
        yield [Cell(kinds), Cell(change.name), Cell(_told(change.before)), Cell(_told(change.after), colour)]


def _told(seen: Seen | None) -> str:
    if seen is None:
        return "-"
    told = (seen.address, seen.ward, seen.os or translate("(not known)"), STATUS[seen.status].render())
    return ", ".join(part for part in told if part)
