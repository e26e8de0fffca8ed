"""Hand the inventory over: to auditors, to a spreadsheet, to another program.

Files are readable by their owner alone (of prometheus by their group too, which is that of a directory with
the setgid bit), and whole or not there at all. How many machines they hold, of how many addresses, is said on
standard error. Managed by an agent of GLPI, a machine is no part of glpi and glpi-injection.
"""

from __future__ import annotations

import gc
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from scanner.cli.terminal.commands import command as command_of
from scanner.cli.terminal.filters import filters
from scanner.cli.terminal.heads import tell_head
from scanner.cli.terminal.options import Where, out, today, where
from scanner.cli.terminal.output import machine, machine_bytes, tell
from scanner.cli.terminal.switches import Argument, Option, switches
from scanner.errors import ConfigError
from scanner.exports import Format, Options, formats
from scanner.exports.files import write_bytes, write_file
from scanner.exports.sources import assets_for
from scanner.exports.whole import Whole, whole_of
from scanner.inventory import denominator, open_inventory
from scanner.inventory.campaigns.reading import head_of
from scanner.inventory.findings.today import settle

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from click.shell_completion import CompletionItem

    from scanner.inventory import Asset, Denominator, Filters


_SELDOM: Final = 100_000
"""So many objects come before it is looked which of them are circles."""


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


def _names() -> str:
    return ", ".join(found.name for found in formats())


@command_of(
    __doc__,
    examples=(
        ("For auditors, as French spreadsheets read it:", "vetuste export csv --out inventory.csv"),
        (
            "The same for other programs, in English:",
            "vetuste export csv --dialect rfc4180 --lang en --out inventory.csv",
        ),
        ("What is to be done, the most pressing first:", "vetuste export remediation --out remediation.csv"),
        ("For a spreadsheet, with a summary by ward:", "vetuste export xlsx --out inventory.xlsx"),
        (
            "What GLPI would be told, then the archive that it imports:",
            "vetuste export glpi-plan --out plan.csv\nvetuste export glpi --out glpi.zip",
        ),
        (
            "For Prometheus' node_exporter:",
            "vetuste export prometheus --out /var/lib/prometheus/node-exporter/vetuste.prom",
        ),
        ("One machine a line, for a script:", "vetuste export jsonl --status unsupported | jq .ip"),
    ),
)
@click.argument(
    "chosen",
    metavar="FORMAT",
    cls=Argument,
    type=_FormatName(),
    help=_names(),
)
@where
@out
@click.option("--dialect", cls=Option, default="", help="Of CSV files: excel-fr (otherwise) or rfc4180.")
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
    if chosen.counts and (wanted.certainty or wanted.text):
        raise ConfigError("this format counts whole wards: --certainty and --text are not for it")
    gc.freeze()  # what is loaded stays, and rows make no circles: a seventh of the time goes there
    gc.set_threshold(_SELDOM)
    with open_inventory(where.url()) as inventory:
        if chosen.ranked:
            settle(inventory)
        now = datetime.now(UTC) if chosen.counts else None
        file = where.site() if chosen.counts else None
        whole = whole_of(inventory, wanted, today=today, now=now, file=file) if chosen.whole else Whole()
        options = Options(today, _language(where), dialect, whole)
        assets = assets_for(chosen, inventory, wanted, today)
        number = _written(chosen, assets, out, options)
        _tell_of_what(number, denominator(inventory, wanted))
        tell_head(head_of(inventory))


def _written(chosen: Format, assets: Iterable[Asset], out: str, options: Options) -> int:
    if out != "-":
        return write_file(chosen, assets, Path(out), options)
    if chosen.binary:
        return write_bytes(chosen, assets, machine_bytes(), options)
    return chosen.write(assets, machine(newline=""), options)


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
