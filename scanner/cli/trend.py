"""Count machines at the end of each month or week: by place, owner, system or status.

A machine counts from the scan on that first saw it, where and as it was last seen until then, judged on that
day. Figures are those of count: certain, probable and to verify, which the table and CSV add up. There each
period is a column, for which pandas is needed: vetuste[pivot].
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from scanner.cli.terminal.areas import in_area
from scanner.cli.terminal.commands import command as command_of
from scanner.cli.terminal.filters import matching
from scanner.cli.terminal.options import Where, flat, formats, today, where
from scanner.cli.terminal.output import write_csv, write_json_list, write_lines
from scanner.cli.terminal.pivot import pivoted, sparkline
from scanner.cli.terminal.switches import Option
from scanner.cli.terminal.table import Cell, Column, table, terminal_width
from scanner.cli.terminal.words import STATUS, heading
from scanner.inventory import EVERY, TREND_BY, beginning_of, open_inventory, trend_rows
from scanner.language import translate
from scanner.model import Status

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from scanner.inventory import TrendRow


@command_of(
    __doc__,
    examples=(
        ("What nobody maintains any more, ward by ward:", "vetuste trend --status unsupported"),
        ("Every status, week by week:", "vetuste trend --by status --every week --since 2026-09-01"),
    ),
)
@where
@matching(TREND_BY)
@click.option(
    "--since",
    cls=Option,
    metavar="DATE",
    help="Begin then, or where a closed campaign of this name began (otherwise at the first scan).",
)
@click.option("--every", cls=Option, type=click.Choice(EVERY), default="month", help="What a period is.")
@in_area
@formats("table", "csv", "json")
@today
def command(  # noqa: PLR0913 - one parameter an option
    *,
    where: Where,
    pattern: str | None,
    status: str | None,
    by: tuple[tuple[str, ...], ...],
    since: str | None,
    every: str,
    sites: frozenset[str] | None,
    form: str,
    today: date,
) -> None:
    """Count and print."""
    keys = flat(by) or ("ward",)
    with open_inventory(where.url()) as inventory:
        rows = trend_rows(
            inventory,
            by=keys,
            pattern=pattern,
            status=Status(status) if status else None,
            since=None if since is None else beginning_of(inventory, since),
            every=every,
            sites=sites,
            today=today,
        )
    if form == "json":
        write_json_list(row.as_dict() for row in rows)
    else:
        (_write_csv if form == "csv" else _print)(rows, keys)


def _write_csv(rows: Sequence[TrendRow], keys: Sequence[str]) -> None:
    days = _days(rows)
    heads = [*keys, *days]
    write_csv(
        heads,
        (dict(zip(heads, [*names, *figures], strict=True)) for names, figures in pivoted(rows, keys)),
    )


def _print(rows: Sequence[TrendRow], keys: Sequence[str]) -> None:
    heads = [
        *(Column(heading(key)) for key in keys),
        *(Column(day, figures=True) for day in _days(rows)),
        Column(heading("trend")),
    ]
    cells = (
        [
            *(_key(key, name) for key, name in zip(keys, names, strict=True)),
            *(Cell(str(figure)) for figure in figures),
            Cell(sparkline(figures, sys.stdout.encoding)),
        ]
        for names, figures in pivoted(rows, keys)
    )
    write_lines(table(heads, cells, width=terminal_width()))


def _days(rows: Sequence[TrendRow]) -> list[str]:
    return sorted({row.day.isoformat() for row in rows})


def _key(key: str, value: str) -> Cell:
    if key == "status":
        return Cell(STATUS[Status(value)].render())
    return Cell(value or translate("(not known)"))
