"""List machines: what they are, what the dates say of them.

In the order of site, ward and address. The whole proof of one machine is in vetuste explain.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

import click

from scanner.cli.terminal.commands import command as command_of
from scanner.cli.terminal.filters import filters
from scanner.cli.terminal.objects import asset_object
from scanner.cli.terminal.options import Where, formats, today, where
from scanner.cli.terminal.output import say, write_csv, write_json, write_json_list, write_lines
from scanner.cli.terminal.switches import Option
from scanner.cli.terminal.table import Cell, Column, table, terminal_width
from scanner.cli.terminal.words import CERTAINTY, COLOUR, STATUS, heading
from scanner.inventory import assets_rows, open_inventory
from scanner.language import translate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from scanner.inventory import Asset, Filters
    from scanner.model import Verdict

_COLUMNS: Final = ("address", "name", "ward", "os", "status", "certainty", "end")
_CSV: Final = ("ip", "name", "site", "ward", "os", "status", "certainty", "earliest", "latest", "last_seen")


@command_of(
    __doc__,
    examples=(
        (
            "Everything that is past its support, for sure:",
            "vetuste assets --status unsupported --certainty certain",
        ),
        ("What may be Windows XP in one ward:", 'vetuste assets --os xp --ward "Cardio*"'),
        ("The first page of all that holds a text:", "vetuste assets --text pc-12 --limit 50"),
        ("Addresses alone, for a script:", "vetuste assets --status unsupported --jsonl | jq -r .ip"),
    ),
)
@where
@filters
@formats("table", "csv", "json", "jsonl")
@click.option(
    "--limit", cls=Option, type=click.IntRange(min=1), metavar="N", help="Only so many, the first ones."
)
@today
def command(*, where: Where, wanted: Filters, form: str, limit: int | None, today: date) -> None:
    """List them, a batch at a time."""
    with open_inventory(where.url()) as inventory:
        assets = islice(assets_rows(inventory, wanted, today=today), limit)
        if form == "csv":
            write_csv(_CSV, (asset_object(asset) for asset in assets))
        elif form == "json":
            write_json_list(asset_object(asset) for asset in assets)
        elif form == "jsonl":
            for asset in assets:
                write_json(asset_object(asset))
        else:
            _print(assets)


def _print(assets: Iterable[Asset]) -> None:
    counted = [0]
    heads = [Column(heading(key)) for key in _COLUMNS]
    write_lines(table(heads, _rows(assets, counted), width=terminal_width()))
    say()
    say("Machines: {number}.", number=counted[0])


def _rows(assets: Iterable[Asset], counted: list[int]) -> Iterator[list[Cell]]:
    for asset in assets:
        counted[0] += 1
        status = asset.verdict.status
        yield [
            Cell(asset.address),
            Cell(asset.name),
            Cell(asset.place.ward),
            Cell(asset.os or translate("(not known)")),
            Cell(STATUS[status].render(), COLOUR[status]),
            Cell(CERTAINTY[asset.identity.certainty].render()),
            Cell(interval(asset.verdict)),
        ]


def interval(verdict: Verdict) -> str:
    """From the earliest to the latest end of support."""
    days = dict.fromkeys(str(day) for day in (verdict.earliest, verdict.latest) if day)
    return " … ".join(days)
