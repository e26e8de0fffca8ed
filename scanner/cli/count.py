"""Count machines by group, establishment, site, building, ward, owner, system or status.

Certain: every candidate matches, and the machine said so itself. Probable: every candidate matches, but
others are known to say the same. To verify: some candidates match. Every figure stands beside how many
machines were seen, and how many addresses nobody ever asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scanner.cli.terminal.areas import in_area
from scanner.cli.terminal.commands import command as command_of
from scanner.cli.terminal.counts import FIGURES, print_counts, sorted_counts
from scanner.cli.terminal.filters import matching
from scanner.cli.terminal.options import Where, flat, formats, today, where
from scanner.cli.terminal.output import write_csv, write_json_list
from scanner.inventory import BY, count_rows, displaced_number, open_inventory
from scanner.model import Status

if TYPE_CHECKING:
    from datetime import date


@command_of(
    __doc__,
    examples=(
        ("Windows XP in each ward:", 'vetuste count --os "Windows XP"'),
        (
            "What nobody maintains any more, by building and owner:",
            "vetuste count --status unsupported --by building,owner",
        ),
        (
            "A group of hospitals, by establishment:",
            "vetuste count --status unsupported --by group,establishment",
        ),
        ("Every system, for a script:", "vetuste count --by os --format json"),
    ),
)
@where
@matching(BY)
@in_area
@formats("table", "csv", "json")
@today
def command(  # noqa: PLR0913 - one parameter an option
    *,
    where: Where,
    pattern: str | None,
    status: str | None,
    by: tuple[tuple[str, ...], ...],
    sites: frozenset[str] | None,
    form: str,
    today: date,
) -> None:
    """Count and print."""
    keys = flat(by) or ("ward",)
    chosen = Status(status) if status else None
    with open_inventory(where.url()) as inventory:
        found = count_rows(inventory, by=keys, pattern=pattern, status=chosen, sites=sites, today=today)
        rows = sorted_counts(found)
        displaced = displaced_number(inventory, sites) if form == "table" else 0
    if form == "json":
        write_json_list(row.as_dict() for row in rows)
    elif form == "csv":
        write_csv([*keys, *FIGURES], [row.as_dict() for row in rows])
    else:
        print_counts(rows, keys, displaced)
