"""Show what became of every address in scope: seen, silent, not to be touched, never scanned.

Seen: a machine is known there; identified: one that may be of a known system. Silent: asked, and no machine
is known. Phantoms: a firewall or a router answers for them, all alike. Excluded, passive, fragile, stopped:
nothing is sent there today, whatever was before; an address counts under the first of these that holds. Never
scanned: we never asked, for whatever reason. The dates are the days on which the scans began that were the
last at these addresses (UTC). Exclusions and passive wards stand in the site file alone: without it, and for
other sites, they are not known.
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

from scanner.cli.terminal.commands import command as command_of
from scanner.cli.terminal.options import Where, flat, formats, rows_by, where
from scanner.cli.terminal.output import say, write_csv, write_json_list, write_lines
from scanner.cli.terminal.table import Cell, Column, table, terminal_width
from scanner.cli.terminal.words import heading
from scanner.inventory import COVERED_BY, CoverageRow, coverage_rows, open_inventory
from scanner.inventory.rows import COVERAGE_FIGURES
from scanner.language import translate

if TYPE_CHECKING:
    from collections.abc import Sequence


@command_of(
    __doc__,
    examples=(
        ("What is left to be scanned, and where nothing may be sent:", "vetuste coverage"),
        ("Each subnet, and when it was scanned, for a script:", "vetuste coverage --by ward,subnet --json"),
    ),
)
@where
@rows_by(COVERED_BY)
@formats("table", "csv", "json")
def command(*, where: Where, by: tuple[tuple[str, ...], ...], form: str) -> None:
    """Sum up and print."""
    keys = flat(by) or ("ward",)
    site = where.site()
    with open_inventory(where.url()) as inventory:
        rows = coverage_rows(inventory, by=keys, site=site)
    if form == "json":
        write_json_list(row.as_dict() for row in rows)
    elif form == "csv":
        write_csv([*keys, *COVERAGE_FIGURES], [row.as_dict() for row in rows])
    else:
        _print(rows, keys)


def _print(rows: Sequence[CoverageRow], keys: Sequence[str]) -> None:
    total = reduce(CoverageRow.plus, rows, CoverageRow({}, excluded=0, passive=0))
    heads = [
        *(Column(heading(key)) for key in keys),
        *(Column(heading(name), figures=True) for name in COVERAGE_FIGURES),
    ]
    cells = [[*(_key(row.keys[key]) for key in keys), *_figures(row)] for row in rows]
    last = [Cell(translate("total")), *(Cell("") for _ in keys[1:]), *_figures(total)]
    write_lines(table(heads, cells, total=last, width=terminal_width()))
    say()
    say(
        "{scope} addresses in scope: {seen} machines seen, {silent} silent, {never_scanned} never scanned.",
        scope=total.scope,
        seen=total.seen,
        silent=total.silent,
        never_scanned=total.never_scanned,
    )
    if total.excluded is None:
        say("What is excluded or passive is not known: only the site's own file tells (--site).")


def _key(value: str) -> Cell:
    return Cell(value or translate("(not known)"))


def _figures(row: CoverageRow) -> list[Cell]:
    """The figures; without a date where nothing was scanned."""
    found = row.as_dict()
    unknown = {"excluded": "?", "passive": "?"}
    return [
        Cell(unknown.get(name, "-") if found[name] is None else str(found[name])) for name in COVERAGE_FIGURES
    ]
