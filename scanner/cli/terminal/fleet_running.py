"""The centre's loop as a command: ``vetuste fleet run``."""

from __future__ import annotations

import signal

import click

from scanner.cli.terminal.commands import command as command_of
from scanner.cli.terminal.fleet_centre import database
from scanner.cli.terminal.output import tell
from scanner.cli.terminal.switches import Option
from scanner.inventory import open_inventory


@command_of(
    """Be the centre: begin what is due, give out jobs, record what comes back.

    One process, as a service. It may be ended at any time: another one goes on where it was.
    """,
    name="run",
    examples=(
        ("As a service:", "VETUSTE_DB=postgresql:///vetuste vetuste fleet run"),
        ("From cron:", "vetuste fleet run --once --db postgresql:///vetuste"),
    ),
)
@click.option("--once", cls=Option, is_flag=True, help="Do what is to be done now, and end.")
@database
def command(*, once: bool, url: str, dsn: str) -> None:
    """Go on until somebody says stop."""
    from scanner.fleet.centre import Centre  # noqa: PLC0415 - needs the fleet's packages
    from scanner.fleet.centre_store import CentreStore  # noqa: PLC0415 - the same
    from scanner.fleet.engine import JobDispatcher  # noqa: PLC0415 - the same

    stopped: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda told, _: stopped.append(told))
    with CentreStore(dsn) as store, open_inventory(url) as inventory:
        centre = Centre(store, inventory, JobDispatcher(dsn))
        centre.demand_alone()
        if once:
            centre.round()
        else:
            tell("the centre is at work (Ctrl-C ends it)")
            centre.work(lambda: bool(stopped))
