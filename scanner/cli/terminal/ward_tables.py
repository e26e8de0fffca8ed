"""``import wards``: a table of wards made into tables of a site file."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scanner.cli.terminal.commands import command as command_of
from scanner.cli.terminal.evidence_lines import opened
from scanner.cli.terminal.exits import WRONG
from scanner.cli.terminal.importing import name_mistake
from scanner.cli.terminal.options import Where, where
from scanner.cli.terminal.output import complain, machine, tell
from scanner.cli.terminal.switches import Argument, Option
from scanner.errors import ConfigError, InventoryError
from scanner.imports import Source
from scanner.imports.streams import Watched, unpacked
from scanner.imports.wards import read_wards
from scanner.language import translate
from scanner.wire import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scanner.config import Ward


@command_of(
    """Make tables of a site file of a table of wards: [[ward]], to be put there by hand.

Columns are ward (service), subnets (sous-réseaux), mask (masque), building (bâtiment), floor (étage), unit
(unité fonctionnelle), owner (propriétaire), vlan and criticality (criticité); with any separator. Several
rows of one ward are its subnets. Every mistake is named by its line, and nothing is printed or written while
there is one: subnets that overlap, are public, have no prefix or bits set behind it, wards of one name that
are described otherwise. With a site file, what it has already is left out, and what overlaps its wards is a
mistake. No scope changes by that: only what stands in the site file is ever scanned.
""",
    name="wards",
    examples=(
        ("To be looked at:", "vetuste import wards wards.csv"),
        (
            "Into a new file, beside the wards that are there:",
            "vetuste import wards wards.csv --out wards.toml",
        ),
    ),
)
@click.argument("file", cls=Argument, help="The file; - is standard input.")
@where
@click.option(
    "--out", cls=Option, default="-", metavar="FILE", help="The new file to write; - is standard output."
)
@click.option("--public", cls=Option, is_flag=True, help="Let subnets of public addresses stand.")
def wards_command(*, file: str, where: Where, out: str, public: bool) -> None:
    """Read, and print the tables, or everything that is wrong."""
    site, shown = where.site(), "stdin" if file == "-" else printable(file)
    with opened(file) as stream:
        source = Source(unpacked(Watched(stream)), shown, datetime.now(UTC))
        wards, mistakes = read_wards(source, site, public=public)
    for number, mistake in enumerate(mistakes, start=1):
        name_mistake(mistake, number)
    if mistakes:
        complain(
            translate("nothing was written: mistakes in the file: {number}").format(number=len(mistakes))
        )
        raise click.exceptions.Exit(WRONG)
    _hand_over(wards, out)
    tell(
        "Wards: {wards}, with {subnets} subnets; to be put into the site file by hand.",
        wards=len(wards),
        subnets=sum(len(ward.subnets) for ward in wards),
    )


def _hand_over(wards: Sequence[Ward], out: str) -> None:
    from scanner.config.ward_table import ward_table  # noqa: PLC0415 - pydantic

    text = "\n".join(ward_table(ward) for ward in wards)
    if out == "-":
        machine().write(text)
    else:
        _write_new(Path(out), text)


def _write_new(target: Path, text: str) -> None:
    """Write a file that is not there yet, readable by its owner alone.

    Raises:
        ConfigError: there is one: it may be somebody's site file.
        InventoryError: it cannot be written; nothing of it is left.
    """
    try:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ConfigError(
            "is there already, and is not written over: name another file", file=target
        ) from None
    except (OSError, ValueError) as error:
        raise _unwritten(target, error) from error
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        with suppress(OSError):
            target.unlink()
        raise _unwritten(target, error) from error


def _unwritten(target: Path, error: OSError | ValueError) -> InventoryError:
    reason = os.strerror(error.errno or 0) if isinstance(error, OSError) else str(error)
    return InventoryError("the file cannot be written: {reason}", file=target, reason=reason)
