"""Look after the inventory: upgrade, backup, check, restore, prune."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from scanner.cli.terminal.commands import CommandGroup
from scanner.cli.terminal.commands import command as command_of
from scanner.cli.terminal.exits import FAILED
from scanner.cli.terminal.options import Where, formats, where
from scanner.cli.terminal.output import complain, say, write_json
from scanner.cli.terminal.pruning import prune
from scanner.cli.terminal.switches import Argument, Option
from scanner.inventory import (
    backup_before_upgrade,
    backup_inventory,
    check_inventory,
    restore_inventory,
    upgrade_inventory,
)
from scanner.language import translate


@command_of(
    """Bring the inventory to the schema of this version.

    A backup is made first, beside the file; of a PostgreSQL database by pg_dump, in the current directory.
    """,
    name="upgrade",
    examples=(("Before the first scan of a new version:", "vetuste db upgrade"),),
)
@click.option("--no-backup", cls=Option, is_flag=True, help="Make no backup first: there is one already.")
@where
def upgrade(*, where: Where, no_backup: bool) -> None:
    """Upgrade and say from where to where."""
    url = where.url()
    kept = None if no_backup else backup_before_upgrade(url, datetime.now().astimezone().date())
    if kept is not None:
        say("The inventory was copied to {target}.", target=kept)
    before, after = upgrade_inventory(url)
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
            translate("put the last backup in its place (vetuste db restore); what is there is kept beside")
        )
        raise click.exceptions.Exit(FAILED)


@command_of(
    """Put a backup in the place of a damaged inventory.

    The backup is looked through first, and what was there is kept beside. A backup of a PostgreSQL database
    goes into an empty one.
    """,
    name="restore",
    examples=(("After damage:", "vetuste db restore /srv/backup/inventory-2026-11-25.db"),),
)
@click.argument("backup", cls=Argument, type=click.Path(path_type=Path), help="What vetuste db backup made.")
@click.option(
    "--replace", cls=Option, is_flag=True, help="Even where a sound inventory is; it is kept beside."
)
@where
def restore(*, where: Where, backup: Path, replace: bool) -> None:
    """Restore and say what is there now."""
    version, kept = restore_inventory(where.url(), backup, replace=replace)
    if kept is not None:
        say("What was there is kept: {file}.", file=kept)
    say("The backup is in place; its schema is {version}.", version=version)


command = CommandGroup(
    "db",
    {made.name: made for made in (upgrade, backup, check, restore, prune) if made.name},
    help=__doc__,
)
command.examples = (
    ("Is it sound, and of this version?", "vetuste db check"),
    ("A copy, even while a scan runs:", "vetuste db backup copy.db"),
)
