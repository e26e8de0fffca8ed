"""Print what was sent: every connection and datagram, when, by which probe, and how it ended.

TARGETS are addresses, networks, ranges, names of wards, or @FILE with one of these a line; without any,
everything is printed: scan by scan, and in each by address.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING

import click

from scanner.addresses import IPV6_END
from scanner.cli.terminal.commands import command as command_of
from scanner.cli.terminal.ledger_lines import HEADS, attempt_object, print_attempts
from scanner.cli.terminal.options import Day, Where, formats, where
from scanner.cli.terminal.output import say, write_csv, write_objects
from scanner.cli.terminal.switches import Argument, Option
from scanner.inventory import ledger_rows, open_inventory
from scanner.targets import parse_targets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scanner.addresses import Span


@command_of(
    __doc__,
    examples=(
        ("What was ever sent to one pump:", "vetuste ledger 10.20.9.7"),
        (
            "For the file of the biomedical service:",
            "vetuste ledger Réanimation --format csv > ledger.csv",
        ),
        ("The last scan of a subnet, for a script:", "vetuste ledger 10.20.0.0/24 --scan 12 --jsonl"),
    ),
)
@click.argument("targets", nargs=-1, cls=Argument)
@where
@click.option("--scan", cls=Option, type=click.IntRange(min=1), metavar="N", help="Only this scan.")
@click.option(
    "--since", cls=Option, type=Day(), metavar="DATE", help="Only from this day on (UTC), 2026-11-23."
)
@formats("table", "csv", "json", "jsonl")
def command(
    *, targets: tuple[str, ...], where: Where, scan: int | None, since: date | None, form: str
) -> None:
    """Read it a few thousand rows at a time, and print."""
    spans = _spans(targets, where)
    begin = datetime.combine(since, time(), UTC) if since else None
    with open_inventory(where.url()) as inventory:
        rows = ledger_rows(inventory, spans, scan=scan, since=begin)
        if form == "csv":
            write_csv(HEADS, map(attempt_object, rows))
        elif form in {"json", "jsonl"}:
            write_objects(form, map(attempt_object, rows))
        else:
            number = print_attempts(rows)
            say()
            say("Attempts: {number}.", number=number)


def _spans(targets: Sequence[str], where: Where) -> Sequence[Span]:
    if not targets:
        return [(0, IPV6_END)]
    return parse_targets(targets, where.site(), swept=False).spans
