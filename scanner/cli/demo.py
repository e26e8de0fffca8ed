"""Scan a simulated hospital on this machine and count its Windows XP by ward.

The hospital lives on 127.0.0.0/8, as a process of its own: 15,000 workstations in 125 wards, and 17,000 dark
addresses between them. The inventory and a remediation list are left in the current directory.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from scanner.cli.terminal.commands import command as command_of
from scanner.cli.terminal.counts import print_counts, sorted_counts
from scanner.cli.terminal.exits import INTERRUPTED
from scanner.cli.terminal.options import today
from scanner.cli.terminal.output import say, tell
from scanner.cli.terminal.scanning import Job, perform, summarise
from scanner.cli.terminal.switches import Option, switches
from scanner.config import read_site
from scanner.errors import ConfigError
from scanner.exports import Options, formats
from scanner.exports.files import write_file
from scanner.exports.sources import assets_for
from scanner.inventory import count_rows, open_inventory
from scanner.scan import Request, prepare
from scanner.simulator.process import started
from scanner.transport.descriptors import descriptor_limit

if TYPE_CHECKING:
    from datetime import date

    from scanner.inventory import Inventory

_SITE = "CHU de Démonstration"


@command_of(
    __doc__,
    examples=(
        ("The whole hospital:", "vetuste demo"),
        (
            "A small one, with another seed and mix:",
            "vetuste demo --hosts 500 --seed 7 --mix xp=120,samba=30",
        ),
    ),
)
@click.option(
    "--hosts", cls=Option, type=click.IntRange(1, 30000), default=15_000, help="How many workstations."
)
@click.option("--seed", cls=Option, type=int, default=1, help="Another seed, another hospital.")
@click.option(
    "--mix", cls=Option, default="", metavar="KIND=N,…", help="How many of which kind; the rest as usual."
)
@click.option("--db", cls=Option, default="inventory.db", metavar="FILE", help="Where the inventory is left.")
@click.option(
    "--out", cls=Option, default="remediation.csv", metavar="FILE", help="Where the remediation list is left."
)
@today
def command(*, hosts: int, seed: int, mix: str, db: str, out: str, today: date) -> None:  # noqa: PLR0913 - one parameter an option
    """Start the hospital, scan it, count, export."""
    database = f"sqlite:///{db}"
    _make_room(Path(db), database, today)
    with TemporaryDirectory(prefix="vetuste-demo-") as folder:
        site_file = Path(folder) / "site.toml"
        tell("starting a hospital of {hosts} workstations on 127.0.0.0/8 …", hosts=hosts)
        with started(site_file, {"hosts": str(hosts), "seed": str(seed), "mix": mix}):
            source = read_site(site_file)
            request = Request(site=source.file, profile="lab")
            ground = prepare(request, descriptor_limit())
            tally = perform(Job(ground, request, source, database, today))
    summarise(tally, ground)
    if tally.interrupted:
        sys.exit(INTERRUPTED)
    with open_inventory(database) as inventory:
        print_counts(
            sorted_counts(count_rows(inventory, by=("ward",), pattern="Windows XP", today=today)), ("ward",)
        )
        _export(inventory, Path(out), today)
    say()
    say(
        "The inventory is in {db}, what to do in {out}. Next: vetuste count --by os --db {db}", db=db, out=out
    )


def _export(inventory: Inventory, target: Path, today: date) -> None:
    (remediation,) = (export for export in formats() if export.name == "remediation")
    assets = assets_for(remediation, inventory, None, today)
    write_file(remediation, assets, target, Options(today, switches().spoken))


def _make_room(file: Path, database: str, today: date) -> None:
    """Forget the demonstration before; never touch the inventory of a real site."""
    if not file.exists():
        return
    with open_inventory(database) as inventory:
        others = {row.keys["site"] for row in count_rows(inventory, by=("site",), today=today)} - {_SITE}
    if others:
        raise ConfigError(
            "holds a real site, {site}: name another file for the demonstration with --db",
            file=file,
            site=min(others),
        )
    for suffix in ("", "-wal", "-shm"):
        file.with_name(file.name + suffix).unlink(missing_ok=True)
