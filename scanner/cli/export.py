"""Hand the inventory over: to auditors, to a spreadsheet, to another program.

Files are readable by their owner alone, and whole or not there at all. How many machines they hold, of how
many addresses, is said on standard error.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from scanner.cli.terminal.commands import command as command_of
from scanner.cli.terminal.filters import filters
from scanner.cli.terminal.heads import tell_head
from scanner.cli.terminal.options import Where, today, where
from scanner.cli.terminal.output import machine, tell
from scanner.cli.terminal.switches import Argument, Option, switches
from scanner.exports import Format, Options, formats
from scanner.exports.files import write_file
from scanner.inventory import assets_rows, denominator, open_inventory
from scanner.inventory.campaigns.reading import head_of

if TYPE_CHECKING:
    from datetime import date

    from click.shell_completion import CompletionItem

    from scanner.inventory import Denominator, Filters


class _FormatName(click.ParamType[Format]):
    """One of the formats that are there."""

    name = "format"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> Format:
        """The format of that name."""
        known = {found.name: found for found in formats()}
        return known[click.Choice(list(known)).convert(value, param, ctx)]

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """The formats that begin so."""
        return click.Choice([found.name for found in formats()]).shell_complete(ctx, param, incomplete)


@command_of(
    __doc__,
    examples=(
        ("For auditors, as French spreadsheets read it:", "vetuste export csv --out inventory.csv"),
        (
            "The same for other programs, in English:",
            "vetuste export csv --dialect rfc4180 --lang en --out inventory.csv",
        ),
        ("What is to be done, ward by ward:", "vetuste export remediation --out remediation.csv"),
        ("One machine a line, for a script:", "vetuste export jsonl --status unsupported | jq .ip"),
    ),
)
@click.argument("chosen", metavar="FORMAT", cls=Argument, type=_FormatName(), help="csv, jsonl, remediation.")
@where
@click.option(
    "--out", cls=Option, default="-", metavar="FILE", help="The file to write; - is standard output."
)
@click.option("--dialect", cls=Option, default="", help="Of csv: excel-fr (otherwise) or rfc4180.")
@filters
@today
def command(  # noqa: PLR0913 - one parameter an option
    *,
    chosen: Format,
    where: Where,
    out: str,
    dialect: str,
    wanted: Filters,
    today: date,
) -> None:
    """Export and say how much."""
    options = Options(today, _language(where), dialect)
    with open_inventory(where.url()) as inventory:
        assets = assets_rows(inventory, wanted, today=today, evidence=chosen.evidence)
        if out == "-":
            number = chosen.write(assets, machine(newline=""), options)
        else:
            number = write_file(chosen, assets, Path(out), options)
        _tell_of_what(number, denominator(inventory, wanted))
        tell_head(head_of(inventory))


def _tell_of_what(number: int, whole: Denominator) -> None:
    """How much it is of how much: on standard error, since no format has room for a line of another kind."""
    tell(
        "Exported {number} machines; {seen} of {scope} addresses in scope were seen, "
        "{never_scanned} were never scanned.",
        number=number,
        seen=whole.seen,
        scope=whole.scope,
        never_scanned=whole.never_scanned,
    )


def _language(where: Where) -> str:
    """As asked; otherwise the site's; otherwise that of this process."""
    site = None if switches().language else where.site()
    return switches().language or (site.site.language if site else switches().spoken)
