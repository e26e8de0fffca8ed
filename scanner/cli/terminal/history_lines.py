"""The past of one machine, for people and for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scanner.cli.terminal.objects import moment
from scanner.cli.terminal.output import write_line, write_lines
from scanner.cli.terminal.proofs import print_title
from scanner.cli.terminal.table import Cell, Column, table, terminal_width
from scanner.cli.terminal.words import CERTAINTY, heading
from scanner.inventory.words import known_by, tied
from scanner.language import Message, translate

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from scanner.inventory import History, Stay, Tie, Trait


def history_object(history: History) -> dict[str, Any]:
    """The past as ``explain --json`` prints it."""
    return {
        "stays": [_stay_object(stay) for stay in history.stays],
        "traits": [_trait_object(trait) for trait in history.traits],
        "ties": [_tie_object(tie) for tie in history.ties],
    }


def _stay_object(stay: Stay) -> dict[str, Any]:
    return {
        "first": moment(stay.first),
        "last": moment(stay.last),
        "scans": stay.scans,
        "ip": stay.address,
        "ward": stay.ward,
        "certainty": stay.identity.certainty.value,
        "candidates": list(stay.identity.candidates),
        "how": list(stay.how),
    }


def _trait_object(trait: Trait) -> dict[str, Any]:
    seen = {"first": moment(trait.first), "last": moment(trait.last), "scan": trait.scan}
    return {"key": trait.key, "value": trait.value, **seen}


def _tie_object(tie: Tie) -> dict[str, Any]:
    return {
        "id": tie.id,
        "kind": tie.kind,
        "asset": tie.asset,
        "other": tie.other,
        "at": moment(tie.at),
        "scan": tie.scan,
        "author": tie.author or None,
        "how": tie.how,
        "undone": None if tie.undone is None else moment(tie.undone),
    }


def print_history(history: History) -> None:
    """Where it was, what it is known by, and why it is one machine; what there is nothing of is left out."""
    if history.stays:
        print_title(translate("Where it was seen, and as what"))
        heads = (translate("from (UTC)"), translate("to (UTC)"), translate("scans"))
        names = (*map(heading, ("address", "ward", "os", "certainty")), translate("known again by"))
        _print([*heads, *names], map(_stay, history.stays))
    if history.traits:
        print_title(translate("What it is known by"))
        when = (translate("from (UTC)"), translate("to (UTC)"))
        _print(
            (translate("evidence"), translate("value"), *when),
            ((each.key, each.value, _minute(each.first), _minute(each.last)) for each in history.traits),
        )
    if history.ties:
        print_title(translate("Why it is one machine"))
        for tie in history.ties:
            _print_tie(tie)


def _print(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    cells = ([Cell(text) for text in row] for row in rows)
    write_lines(table([Column(head) for head in heads], cells, width=terminal_width()))


def _stay(stay: Stay) -> tuple[str, ...]:
    system = stay.os or translate("(not known)")
    when = (_minute(stay.first), _minute(stay.last), str(stay.scans))
    certainty = CERTAINTY[stay.identity.certainty].render()
    return (*when, stay.address, stay.ward, system, certainty, known_by(stay.how))


def _print_tie(tie: Tie) -> None:
    told = tied(tie)
    decided = tie.author if tie.scan is None else Message("scan {scan}", {"scan": str(tie.scan)}).render()
    write_line(" - ".join(part for part in (_minute(tie.at), told.render(), decided) if part))
    if tie.how:
        write_line(f"  {known_by(tie.how.split()) if tie.scan is not None else tie.how}")
    if tie.undone is not None:
        write_line(Message("undone on {date} UTC", {"date": _minute(tie.undone)}).render())


def _minute(when: datetime) -> str:
    return f"{when:%Y-%m-%d %H:%M}"
