"""Judge stored evidence again with today's fingerprints and dates; nothing is sent.

Prints the machines that are seen otherwise than before, and keeps the new view. The evidence stays as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from scanner.classify import default_classifier
from scanner.cli.terminal.commands import command as command_of
from scanner.cli.terminal.options import Where, formats, where
from scanner.cli.terminal.output import say, write_lines, write_objects
from scanner.cli.terminal.switches import Option
from scanner.cli.terminal.table import Cell, Column, table, terminal_width
from scanner.cli.terminal.words import CERTAINTY, heading
from scanner.inventory import open_inventory
from scanner.inventory.findings.today import settle
from scanner.language import translate
from scanner.lifecycle import load_lifecycle
from scanner.process import rare_collections
from scanner.rejudge import rejudge

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from scanner.model import Identity
    from scanner.rejudge import Change

_NAMED: Final = 3
"""Up to how many candidates that went or came are named."""


@command_of(
    __doc__,
    examples=(
        ("After an update of the product:", "vetuste rejudge"),
        ("Only look what would change:", "vetuste rejudge --dry-run"),
    ),
)
@where
@click.option("--dry-run", cls=Option, is_flag=True, help="Only say what would change.")
@formats("table", "json", "jsonl")
def command(*, where: Where, dry_run: bool, form: str) -> None:
    """Go through all that is stored."""
    classifier = default_classifier()
    with open_inventory(where.url()) as inventory, rare_collections():
        changes = rejudge(inventory, classifier, dry_run=dry_run)
        if form in {"json", "jsonl"}:
            write_objects(form, (_object(change) for change in changes))
        else:
            _print(changes, kept=not dry_run)
        if not dry_run:
            settle(inventory, anew=True)


def _print(changes: Iterable[Change], *, kept: bool) -> None:
    seen = [0]
    heads = [Column(heading("address")), Column(heading("ward"))]
    heads += [Column(translate("before")), Column(translate("now")), Column(translate("candidates"))]
    write_lines(table(heads, _rows(changes, seen), width=terminal_width()))
    if not seen[0]:
        say("Today's fingerprints see every machine as it was seen before.")
    elif kept:
        say("Machines seen otherwise: {number}; the new view is kept.", number=seen[0])
    else:
        say("Machines that would be seen otherwise: {number}; nothing was changed.", number=seen[0])


def _rows(changes: Iterable[Change], seen: list[int]) -> Iterator[list[Cell]]:
    for change in changes:
        seen[0] += 1
        texts = change.address, change.ward, _name(change.before), _name(change.after), _difference(change)
        yield [Cell(text) for text in texts]


def _difference(change: Change) -> str:
    """Which candidates went, and which came."""
    before, after = change.before.candidates, change.after.candidates
    gone, come = (
        [name for name in one if name not in other] for one, other in ((before, after), (after, before))
    )
    return " ".join(part for sign, ids in (("-", gone), ("+", come)) if (part := _signed(sign, ids)))


def _signed(sign: str, ids: Sequence[str]) -> str:
    more = f", … ({len(ids)})" if len(ids) > _NAMED else ""
    return f"{sign} {', '.join(ids[:_NAMED])}{more}" if ids else ""


def _name(identity: Identity) -> str:
    releases = load_lifecycle().releases
    products = dict.fromkeys(releases[each].product for each in identity.candidates if each in releases)
    named = " / ".join(products) or identity.attributes.get("family", "") or translate("(not known)")
    return f"{named}, {CERTAINTY[identity.certainty].render()}"


def _object(change: Change) -> dict[str, Any]:
    return {
        "id": change.asset,
        "ip": change.address,
        "site": change.site,
        "ward": change.ward,
        "before": _side(change.before),
        "after": _side(change.after),
    }


def _side(identity: Identity) -> dict[str, Any]:
    return {"candidates": list(identity.candidates), "certainty": identity.certainty.value}
