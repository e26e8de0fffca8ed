"""List machines: what they are, what the dates say of them.

In the order of site, ward and address. The whole proof of one machine is in vetuste explain. Where the list
has one machine twice, or two as one, somebody may say so: vetuste assets merge, vetuste assets split.
"""

from __future__ import annotations

from ipaddress import ip_address
from itertools import islice
from typing import TYPE_CHECKING, Final

import click

from scanner.cli.terminal.commands import CommandGroup
from scanner.cli.terminal.commands import command as command_of
from scanner.cli.terminal.deciding import account, by_hand
from scanner.cli.terminal.filters import filters
from scanner.cli.terminal.objects import asset_object
from scanner.cli.terminal.options import Where, formats, today, where
from scanner.cli.terminal.output import say, write_csv, write_lines, write_objects
from scanner.cli.terminal.switches import Argument, Option
from scanner.cli.terminal.table import Cell, Column, table, terminal_width
from scanner.cli.terminal.words import CERTAINTY, COLOUR, STATUS, heading
from scanner.inventory import Area, assets_rows, merge_by_hand, open_inventory, part_by_hand, split_by_hand
from scanner.inventory.findings.today import settle
from scanner.language import translate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from scanner.inventory import Asset, Filters
    from scanner.model import Verdict

_COLUMNS: Final = ("address", "name", "ward", "os", "status", "certainty", "end")
_CSV: Final = ("ip", "name", "site", "ward", "os", "status", "certainty", "earliest", "latest", "last_seen")


def _list(*, where: Where, wanted: Filters, form: str, limit: int | None, today: date) -> None:
    """List them, a batch at a time, where no other command was given."""
    if click.get_current_context().invoked_subcommand is not None:
        return
    with open_inventory(where.url()) as inventory:
        assets = islice(assets_rows(inventory, wanted, today=today), limit)
        if form == "csv":
            write_csv(_CSV, (asset_object(asset) for asset in assets))
        elif form in {"json", "jsonl"}:
            write_objects(form, (asset_object(asset) for asset in assets))
        else:
            _print(assets, several=len(Area().sites(inventory)) > 1)


class _Address(click.ParamType[str]):
    """An address in its usual form."""

    name = "address"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The address, or a mistake that click tells."""
        try:
            return str(ip_address(str(value)))
        except ValueError:
            return self.fail(translate("{given} is no address").format(given=repr(value)), param, ctx)


@command_of(
    """Decide that machines of the list are one: the first stays, with all that is known of the others.

    No scan undoes it; vetuste assets split does. Why they are one stands in vetuste explain.
    """,
    name="merge",
    examples=(("A laptop's two cards:", 'vetuste assets merge 12 57 --note "wire and air"'),),
)
@click.argument("asset", cls=Argument, type=click.IntRange(min=1), help="The id of the one that stays.")
@click.argument(
    "others", cls=Argument, nargs=-1, required=True, type=click.IntRange(min=1), help="The others."
)
@where
@by_hand
def merge(*, asset: int, others: tuple[int, ...], where: Where, by: str | None, note: str) -> None:
    """Merge, and say so."""
    with open_inventory(where.url()) as inventory:
        for other in others:
            merge_by_hand(inventory, asset, other, author=by or account(), note=note)
        settle(inventory, anew=True)
    say("Machines that are one now: {number}.", number=len(others) + 1)


@command_of(
    """Decide that what is one machine in the list is two.

    Either a machine that was merged into it is there again (--from), or what was seen of it at one of its
    addresses becomes a machine of its own (--address). No scan joins the two again.
    """,
    name="split",
    examples=(
        ("Undo a merge:", "vetuste assets split 12 --from 57"),
        ("It was another machine there:", "vetuste assets split 12 --address 10.20.0.7"),
    ),
)
@click.argument("asset", cls=Argument, type=click.IntRange(min=1), help="Its id.")
@click.option(
    "--from", "other", cls=Option, type=click.IntRange(min=1), metavar="ID", help="Which was merged."
)
@click.option("--address", cls=Option, type=_Address(), metavar="ADDRESS", help="Where it was another one.")
@where
@by_hand
def split(  # noqa: PLR0913 - one parameter an option
    *, asset: int, other: int | None, address: str | None, where: Where, by: str | None, note: str
) -> None:
    """Split, and say which is the other one now."""
    if (other is None) == (address is None):
        raise click.UsageError(translate("say which: --from ID, or --address ADDRESS"))
    with open_inventory(where.url()) as inventory:
        if other is not None:
            part_by_hand(inventory, asset, other, author=by or account(), note=note)
        else:
            other = split_by_hand(inventory, asset, str(address), author=by or account(), note=note)
        settle(inventory, anew=True)
    say("Machine {asset} is one, machine {other} is another.", asset=asset, other=other)


def _print(assets: Iterable[Asset], *, several: bool) -> None:
    """A table; of several sites each machine's is told too, for they may have the same addresses."""
    counted = [0]
    heads = [Column(heading(key)) for key in (*(("site",) if several else ()), *_COLUMNS)]
    rows = _rows(assets, counted, several=several)
    write_lines(table(heads, rows, width=terminal_width()))
    say()
    say("Machines: {number}.", number=counted[0])


def _rows(assets: Iterable[Asset], counted: list[int], *, several: bool) -> Iterator[list[Cell]]:
    for asset in assets:
        counted[0] += 1
        status = asset.verdict.status
        yield [
            *([Cell(asset.place.site)] if several else []),
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


def _group() -> CommandGroup:
    """The list with its options, and the commands under it."""
    limit = click.option(
        "--limit", cls=Option, type=click.IntRange(min=1), metavar="N", help="Only so many, the first ones."
    )
    listing = where(filters(formats("table", "csv", "json", "jsonl")(limit(today(_list)))))
    made = click.command("assets", CommandGroup, help=__doc__, invoke_without_command=True)(listing)
    for each in (merge, split):
        made.add_command(each)
    made.examples = (
        (
            "Everything that is past its support, for sure:",
            "vetuste assets --status unsupported --certainty certain",
        ),
        ("What may be Windows XP in one ward:", 'vetuste assets --os xp --ward "Cardio*"'),
        ("The first page of all that holds a text:", "vetuste assets --text pc-12 --limit 50"),
        ("Addresses alone, for a script:", "vetuste assets --status unsupported --jsonl | jq -r .ip"),
        ("Two of the list are one machine:", "vetuste assets merge 12 57"),
    )
    return made


command = _group()
