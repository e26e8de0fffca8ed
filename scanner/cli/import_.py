"""Import what others heard or have in their registers, or tables of wards; nothing is sent.

Files may be of any size, and packed with gzip; - is standard input. Machines are recorded like those of a
scan, in the wards of the site file, and addresses outside of them are left out; without a site file all are
taken. What agrees with what is known of a machine stands beside it; of what contradicts, the newer stands.

Registers (a directory, GLPI) tell of machines, not of addresses: their records are kept as they are, and
matched with the machines of the network by name and domain, card and serial number. A table of wards is only
made into tables of a site file, to be read and put there by hand.

No address counts as scanned by that: never scanned are those that vetuste itself never asked. A line that is
wrong is named on standard error and left out; the exit code is then 2. A file that only ends too early gives
what stood whole before, and exit code 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from scanner.cli.terminal.commands import CommandGroup
from scanner.cli.terminal.commands import command as command_of
from scanner.cli.terminal.evidence_lines import opened
from scanner.cli.terminal.exits import WRONG
from scanner.cli.terminal.importing import outcome_object, perform
from scanner.cli.terminal.options import Where, formats, where
from scanner.cli.terminal.output import say, write_json
from scanner.cli.terminal.registering import RegisterFile, perform_register, print_register
from scanner.cli.terminal.switches import Argument, Option
from scanner.cli.terminal.ward_tables import wards_command
from scanner.imports import formats as file_formats
from scanner.imports import register_formats

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from scanner.cli.terminal.commands import Command
    from scanner.cli.terminal.importing import Outcome
    from scanner.imports import Format, RegisterFormat
    from scanner.imports.recording import Tally


def _command(form: Format) -> Command:
    """The command that imports one kind of file."""
    paragraphs = [form.summary.text, form.details.text]

    @command_of(
        "\n\n".join(paragraphs),
        name=form.name,
        examples=(
            ("A file, packed or not:", f"vetuste import {form.name} {form.example}.gz"),
            ("While it is written:", f"ssh scanner cat {form.example} | vetuste import {form.name} -"),
        ),
    )
    @click.argument("file", cls=Argument, help="The file; - is standard input.")
    @where
    @formats("table", "json")
    def made(*, file: str, where: Where, form: str) -> None:
        """Import, and say how much."""
        source = where.site_source()
        with opened(file) as stream:
            outcome = perform(chosen, file, stream, source, where.url())
        _tell(outcome_object(chosen.name, file, outcome), form, lambda: _print(outcome))

    chosen = form
    return made


def _register_command(form: RegisterFormat) -> Command:
    """The command that imports the file of a register."""
    paragraphs = [form.summary.text, form.details.text]

    @command_of(
        "\n\n".join(paragraphs),
        name=form.name,
        examples=(
            ("All of the register:", f"vetuste import {form.name} {form.example}"),
            (
                "A part of it, so that nothing else is taken for gone:",
                f"vetuste import {form.name} {form.example} --partial",
            ),
        ),
    )
    @click.argument("file", cls=Argument, help="The file; - is standard input.")
    @where
    @click.option(
        "--partial",
        cls=Option,
        is_flag=True,
        help="The file has a part of the register: what it does not have is not marked as gone.",
    )
    @formats("table", "json")
    def made(*, file: str, where: Where, partial: bool, form: str) -> None:
        source = where.site_source()
        with opened(file) as stream:
            chosen = RegisterFile(register, file, stream, partial)
            outcome = perform_register(chosen, source, where.url())
        _tell(outcome_object(register.name, file, outcome), form, lambda: print_register(outcome))

    register = form
    return made


def _tell(told: Mapping[str, object], form: str, shown: Callable[[], None]) -> None:
    """Say what became of an import, and end as it did."""
    if form == "json":
        write_json(told)
    else:
        shown()
    if told["wrong"]:
        raise click.exceptions.Exit(WRONG)


def _print(outcome: Outcome[Tally]) -> None:
    tally = outcome.tally
    say(
        "Machines recorded: {hosts}, of which identified: {identified}. Observations: {observations}.",
        hosts=tally.hosts,
        identified=tally.identified,
        observations=tally.observations,
    )
    if tally.outside:
        say("Left out, as no ward of the site file has their address: {number}.", number=tally.outside)
    if tally.outdated:
        say("Left out, as something newer is known that contradicts: {number}.", number=tally.outdated)
    if outcome.wrong:
        say("Mistakes in the file: {number}; what they concern is left out.", number=outcome.wrong)


_COMMANDS = {
    **{form.name: _command(form) for form in file_formats()},
    **{form.name: _register_command(form) for form in register_formats()},
    "wards": wards_command,
}
command = CommandGroup("import", dict(sorted(_COMMANDS.items())), help=__doc__)
command.examples = (
    ("What nmap wrote with -oX, beside what scans found:", "vetuste import nmap scan.xml --site site.toml"),
    ("Banners of masscan (-oD):", "vetuste import masscan banners.ndjson"),
    ("Who asked a DHCP server for an address:", "vetuste import dhcp /var/lib/dhcp/dhcpd.leases"),
    ("What the directory has:", "vetuste import ad computers.csv --site site.toml"),
    ("How many machines came of it, for a script:", "vetuste import zgrab2 grabs.jsonl --json | jq .hosts"),
)
