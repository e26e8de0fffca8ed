"""Findings as they are listed, for people and for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scanner.cli.terminal.objects import day, moment
from scanner.cli.terminal.output import say, write_lines
from scanner.cli.terminal.switches import switches
from scanner.cli.terminal.table import Cell, Column, table, terminal_width
from scanner.cli.terminal.words import STATE, heading
from scanner.inventory import State, causes, told
from scanner.language import translate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from scanner.inventory import Asset, Finding, FindingChange


def plain(value: object) -> str:
    """A value of a history's line."""
    return " ".join(map(str, value)) if isinstance(value, list) else str(value or "-")


def why(change: FindingChange) -> str:
    """Why the rules changed it; empty where somebody decided."""
    return "" if change.reason is None else told(change.reason, switches().spoken)


def history_line(change: FindingChange) -> dict[str, Any]:
    """A line of a history, for programs."""
    sides = {"before": dict(change.before), "after": dict(change.after)}
    return {
        "at": moment(change.at),
        "by": change.author or None,
        **sides,
        "reason": why(change) or None,
        "note": change.note or None,
    }


def standing_object(finding: Finding) -> dict[str, Any]:
    """A finding without its machine, for programs."""
    standing = finding.standing
    return {
        "id": finding.id,
        "asset": finding.asset,
        "cause": finding.cause,
        "state": standing.state.value,
        "owner": standing.owner or None,
        "due": day(standing.due),
        "until": day(standing.until),
        "measure": standing.measure or None,
        "isolated_in": list(standing.isolated_in),
        "opened": moment(finding.opened),
        "changed": moment(finding.changed),
        "note": finding.note or None,
    }


def finding_object(asset: Asset, finding: Finding, today: date) -> dict[str, Any]:
    """A finding with its machine, for programs."""
    place = {
        "ip": asset.address,
        "name": asset.name or None,
        "site": asset.place.site,
        "ward": asset.place.ward,
    }
    return {**standing_object(finding), **place, "overdue": finding.is_overdue(today)}


def cause_of(finding: Finding) -> str:
    """Its cause in the language of this process."""
    known = causes().get(finding.cause)
    return finding.cause if known is None else known.words.render(switches().spoken)


def print_findings(found: Iterable[tuple[Asset, Finding]], today: date) -> None:
    """Print the list, then how many they are."""
    counted = [0]
    heads = [
        Column(translate("id"), figures=True),
        *(Column(heading(key)) for key in ("address", "name", "ward")),
    ]
    heads += [
        Column(translate("cause")),
        Column(translate("state")),
        Column(heading("owner")),
        Column(translate("due")),
    ]
    write_lines(table(heads, _rows(found, counted, today), width=terminal_width()))
    say()
    say("Findings: {number}.", number=counted[0])


def _rows(found: Iterable[tuple[Asset, Finding]], counted: list[int], today: date) -> Iterator[list[Cell]]:
    for asset, finding in found:
        counted[0] += 1
        standing = finding.standing
        yield [
            *(Cell(text) for text in (str(finding.id), asset.address, asset.name, asset.place.ward)),
            Cell(cause_of(finding)),
            Cell(STATE[standing.state].render(), "red" if standing.state is State.OPEN else ""),
            Cell(standing.owner),
            Cell(str(standing.due or ""), "red" if finding.is_overdue(today) else ""),
        ]
