"""Show what is different between two scans, campaigns or days: new, gone, moved, upgraded, verdict changed.

BEFORE and AFTER are numbers of scans, names of closed campaigns, or days such as 2026-11-23 (UTC, to their
end): what a scan saw, what all scans of a campaign saw, or what was known on a day. Each side is judged on
its own day (of a campaign: that of its last scan), with today's data and what the site holds today.

Gone is only what was looked for at its last address; what the later scan did not look at is unseen. Data
changed: other data made other candidates of a machine, which may be what it was before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from scanner.cli.terminal.areas import in_area
from scanner.cli.terminal.change_lines import HEADS, change_object, change_row, print_changes
from scanner.cli.terminal.commands import command as command_of
from scanner.cli.terminal.options import Where, Words, flat, formats, where
from scanner.cli.terminal.output import write_csv, write_objects
from scanner.cli.terminal.switches import Argument, Option
from scanner.inventory import Filters, Kind, changes_between, open_inventory, sides_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scanner.inventory import Change


@command_of(
    __doc__,
    examples=(
        ("What the last scan found that the one before it did not:", "vetuste diff 11 12 --kind new,back"),
        ("What changed from one audit to the next:", 'vetuste diff "audit 2025" "audit 2026"'),
        ("What a month changed in one ward:", 'vetuste diff 2026-10-31 2026-11-30 --ward "Cardio*"'),
    ),
)
@click.argument("before", cls=Argument)
@click.argument("after", cls=Argument)
@where
@click.option("--ward", cls=Option, default="", metavar="NAME", help="Only this ward; * and ? as in a shell.")
@in_area
@click.option(
    "--kind",
    "kinds",
    cls=Option,
    type=Words(tuple(kind.value for kind in Kind)),
    multiple=True,
    help="Only these; otherwise all but unseen.",
)
@formats("table", "csv", "json", "jsonl")
def command(  # noqa: PLR0913 - one parameter an option
    *,
    before: str,
    after: str,
    where: Where,
    ward: str,
    sites: frozenset[str] | None,
    kinds: tuple[tuple[str, ...], ...],
    form: str,
) -> None:
    """Compare and print, as differences are found."""
    asked = {Kind(kind) for kind in flat(kinds)} or set(Kind) - {Kind.UNSEEN}
    with open_inventory(where.url()) as inventory:
        old, new = sides_of(inventory, before, after)
        found = changes_between(inventory, old, new, Filters(sites=sites, ward=ward))
        _print((change for change in found if asked & set(change.kinds)), form)


def _print(changes: Iterable[Change], form: str) -> None:
    if form == "csv":
        write_csv(HEADS, map(change_row, changes))
    elif form in {"json", "jsonl"}:
        write_objects(form, map(change_object, changes))
    else:
        print_changes(changes)
