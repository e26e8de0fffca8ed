"""Write a report for people: for the management, for a ward, for an auditor; as HTML or PDF.

Each is one file that asks nothing of the network. Its figures are those of count and of the exports. Long
lists stand beside it where --out names a file, under the same name: every machine of the ward to act on, or
every machine with its evidence for the auditor, as CSV. All files are readable by their owner alone. PDF
needs an extra: vetuste[pdf].
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from scanner.cli.terminal.areas import in_area
from scanner.cli.terminal.commands import command as command_of
from scanner.cli.terminal.heads import tell_head
from scanner.cli.terminal.options import Where, out, today, where
from scanner.cli.terminal.output import machine, machine_bytes, tell
from scanner.cli.terminal.switches import Argument, Option, switches
from scanner.errors import ConfigError
from scanner.exports import Format, Options, formats
from scanner.exports.files import write_file
from scanner.exports.sources import assets_for
from scanner.inventory import Filters, beginning_of, open_inventory
from scanner.inventory.campaigns.reading import head_of
from scanner.inventory.findings.today import settle
from scanner.reports.asked import Asked

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from scanner.inventory import Asset, Inventory

_BESIDE: Final = {"ward": "remediation", "auditor": "csv"}
"""By report: the export that stands beside it."""


@command_of(
    __doc__,
    examples=(
        ("For a board, on paper:", "vetuste report management --format pdf --out report.pdf"),
        ("The machines to fetch on Monday:", "vetuste report ward --ward Cardiologie --out cardiologie.html"),
        ("For an auditor, in English:", "vetuste report auditor --lang en --out audit.html"),
    ),
)
@click.argument(
    "chosen",
    metavar="REPORT",
    cls=Argument,
    type=click.Choice(["management", "ward", "auditor"]),
    help="management, ward or auditor",
)
@where
@click.option("--ward", cls=Option, default="", metavar="WARD", help="The ward, for the report of a ward.")
@in_area
@click.option(
    "--since",
    cls=Option,
    metavar="DATE",
    help="Tell what was done since then, or since a closed campaign began (otherwise for a month).",
)
@click.option(
    "--format",
    "form",
    cls=Option,
    type=click.Choice(["html", "pdf"]),
    default="html",
    help="What to write; the first is the default.",
)
@out
@today
def command(  # noqa: PLR0913 - one parameter an option
    *,
    chosen: str,
    where: Where,
    ward: str,
    sites: frozenset[str] | None,
    since: str | None,
    form: str,
    out: str,
    today: date,
) -> None:
    """Gather, write, and say where."""
    if bool(ward) != (chosen == "ward"):
        raise ConfigError("--ward names the ward of a report for a ward, and belongs to no other report")
    source = where.site()
    language = switches().language or (source.site.language if source else switches().spoken)
    with open_inventory(where.url()) as inventory:
        if chosen != "auditor":
            settle(inventory)
        begin = None if since is None else beginning_of(inventory, since)
        beside = _beside(chosen, out)
        asked = Asked(today, language, sites, ward, begin, source, "" if beside is None else beside.name)
        made: str | bytes = _made(chosen, inventory, asked)
        if form == "pdf":
            from scanner.reports.paper import pdf_of  # noqa: PLC0415 - an extra

            made = pdf_of(str(made))
        if beside is not None:
            _write_beside(_BESIDE[chosen], inventory, asked, beside)
        _write(made, out, Options(today, language))
        tell_head(head_of(inventory))


def _made(chosen: str, inventory: Inventory, asked: Asked) -> str:
    if chosen == "management":
        from scanner.reports.management import management  # noqa: PLC0415 - only what is asked for

        return management(inventory, asked)
    if chosen == "ward":
        from scanner.reports.ward import ward  # noqa: PLC0415 - the same

        return ward(inventory, asked)
    from scanner.reports.auditor import auditor  # noqa: PLC0415 - the same

    return auditor(inventory, asked)


def _beside(chosen: str, out: str) -> Path | None:
    """The file that has the long list; none where the report goes to standard output."""
    if out == "-" or chosen not in _BESIDE:
        return None
    beside = Path(out).with_suffix(".csv")
    if beside == Path(out):
        raise ConfigError("the list beside the report has this name: name the report otherwise", file=out)
    return beside


def _write_beside(name: str, inventory: Inventory, asked: Asked, target: Path) -> None:
    (export,) = (found for found in formats() if found.name == name)
    wanted = Filters(sites=asked.sites, ward=asked.ward)
    dialect = "excel-fr" if asked.language == "fr" else "rfc4180"
    assets = assets_for(export, inventory, wanted, asked.today)
    number = write_file(export, assets, target, Options(asked.today, asked.language, dialect))
    tell("{number} machines are listed in {file}.", number=number, file=target)


def _write(made: str | bytes, out: str, options: Options) -> None:
    if out == "-":
        _ = machine().write(made) if isinstance(made, str) else machine_bytes().write(made)
        return

    def write(assets: Iterable[Asset], stream: Any, options: Options) -> int:  # noqa: ANN401, ARG001 - as formats have it
        stream.write(made)
        return 1

    report = Format("report", Path(out).suffix, write, binary=isinstance(made, bytes))
    write_file(report, (), Path(out), options)
    tell("The report was written to {file}.", file=out)
