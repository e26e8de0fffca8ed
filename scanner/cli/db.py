"""Look after the inventory: upgrade, backup, check, prune."""

from __future__ import annotations

from pathlib import Path

import click

from scanner.cli.terminal.commands import CommandGroup
from scanner.cli.terminal.commands import command as command_of
from scanner.cli.terminal.exits import FAILED
from scanner.cli.terminal.options import Where, formats, where
from scanner.cli.terminal.output import complain, say, write_json
from scanner.cli.terminal.pruning import prune
from scanner.cli.terminal.switches import Argument
from scanner.inventory import backup_inventory, check_inventory, upgrade_inventory
from scanner.language import translate


@command_of(
    """Bring the inventory to the schema of this version.

    Nothing is lost; a backup before it does no harm.
    """,
    name="upgrade",
    examples=(("Before the first scan of a new version:", "vetuste db backup old.db\nvetuste db upgrade"),),
)
@where
def upgrade(*, where: Where) -> None:
    """Upgrade and say from where to where."""
    before, after = upgrade_inventory(where.url())
    if before == after:
        say("The inventory has this version's schema already: {version}.", version=after)
    else:
        say("The inventory was upgraded from schema {before} to {after}.", before=before, after=after)


@command_of(
    """Copy the inventory, whole and consistent, even while a scan writes to it.

    The copy is readable by its owner alone.
    """,
    name="backup",
    examples=(("Every night, by cron:", "vetuste db backup /srv/backup/inventory-$(date +%F).db"),),
)
@click.argument(
    "target", cls=Argument, type=click.Path(path_type=Path), help="The file to make; it must not exist."
)
@where
def backup(*, where: Where, target: Path) -> None:
    """Back up and say where."""
    backup_inventory(where.url(), target)
    say("The inventory was copied to {target}.", target=target)


@command_of(
    """Look for damage in the inventory, without changing anything.

    Exit code 3 when there is some.
    """,
    name="check",
    examples=(("The inventory of the current directory:", "vetuste db check"),),
)
@where
@formats("table", "json")
def check(*, where: Where, form: str) -> None:
    """Check and print what was found."""
    found = check_inventory(where.url())
    if form == "json":
        write_json({"schema": found.version, "faults": list(found.faults)})
    elif not found.faults:
        say("The inventory is sound; its schema is {version}.", version=found.version)
    for fault in found.faults if form != "json" else ():
        complain(fault)
    if found.faults:
        complain(
            translate("keep the damaged file, and go on from the last backup (vetuste db backup makes them)")
        )
        raise click.exceptions.Exit(FAILED)


command = CommandGroup(
    "db",
    {made.name: made for made in (upgrade, backup, check, prune) if made.name},
    help=__doc__,
)
command.examples = (
    ("Is it sound, and of this version?", "vetuste db check"),
    ("A copy, even while a scan runs:", "vetuste db backup copy.db"),
)
