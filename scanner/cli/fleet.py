"""Scan many sites from one centre: init its database, add sites and plans, start and follow runs.

The centre is a PostgreSQL database that --db or VETUSTE_DB names; at each site, vetuste worker takes its
jobs. docs/fleet.md tells it from nothing, with roles, certificates, backup and upgrade.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from scanner.cli.terminal import fleet_plans, fleet_running, fleet_sites
from scanner.cli.terminal.asking import wish
from scanner.cli.terminal.commands import CommandGroup
from scanner.cli.terminal.commands import command as command_of
from scanner.cli.terminal.fleet_centre import centre, checked_request, database, file_of
from scanner.cli.terminal.fleet_lines import RUN_STATE, print_runs, run_object
from scanner.cli.terminal.options import formats
from scanner.cli.terminal.output import say, tell, write_json_list, write_lines
from scanner.cli.terminal.switches import Argument, Option
from scanner.errors import ConfigError
from scanner.fleet.model import RunState
from scanner.inventory import open_inventory

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from scanner.fleet.centre_store import CentreStore

_run: Callable[[Any], Any] = click.argument("run", cls=Argument, type=int)


@command_of(
    """Make a database the centre, or bring it to this version: inventory, tables, roles and rights.

    Its owner runs it; twice changes nothing. A database of a newer version is refused.
    """,
    name="init",
    examples=(
        ("A new centre, and after each upgrade:", "vetuste fleet init"),
        (
            "What an administrator runs once, where the owner is none:",
            "vetuste fleet init --print-sql | sudo -u postgres psql vetuste",
        ),
    ),
)
@click.option(
    "--print-sql",
    cls=Option,
    is_flag=True,
    help="Print what an administrator has to run in the database; change nothing.",
)
@database
def init(*, url: str, dsn: str, print_sql: bool) -> None:
    """Make what is missing."""
    from scanner.fleet.engine import apply_schema  # noqa: PLC0415 - Procrastinate, an extra
    from scanner.fleet.schema import administrators_sql, install, program_version  # noqa: PLC0415 - the same

    if print_sql:
        write_lines(administrators_sql().splitlines())
        return
    open_inventory(url, create=True).close()
    done = install(dsn, apply_schema)
    say("The centre is ready, for workers of version {version}.", version=program_version())
    if not done:
        tell(
            "an administrator is still to run, once, what vetuste fleet init --print-sql prints: "
            "without it, a stolen role could hold up the centre"
        )


@command_of(
    """Have a site scanned now.

    TARGETS are as those of vetuste scan; without any, every ward of the site file. The centre's process,
    vetuste fleet run, gives it to the site's workers.
    """,
    name="scan",
    examples=(("One ward of a site:", "vetuste fleet scan nord Cardiologie"),),
)
@click.argument("key", cls=Argument)
@click.argument("targets", nargs=-1, cls=Argument)
@wish
@database
def scan(*, url: str, dsn: str, key: str, **asked: Any) -> None:  # noqa: ANN401 - the options of a wish
    """Cut it into chunks, and say how many."""
    from scanner.fleet.centre_store import CentreStore  # noqa: PLC0415 - psycopg, an extra
    from scanner.fleet.planning import ask  # noqa: PLC0415 - the same

    with CentreStore(dsn) as store, open_inventory(url) as inventory:
        site = store.sites.one(key)
        file = file_of(site)
        run = ask(store, inventory, site, file, checked_request(file, **asked))
    say("Run {run} waits for a worker of {site}; chunks: {number}.", run=run.id, number=run.chunks, site=key)


@command_of(
    """List the runs of all sites, the newest first.""",
    name="runs",
    examples=(("The last ten:", "vetuste fleet runs --limit 10"),),
)
@click.option(
    "--limit", cls=Option, type=click.IntRange(min=1), default=100, help="So many at most; 100 otherwise."
)
@centre
@formats("table", "json")
def runs(*, store: CentreStore, limit: int, form: str) -> None:
    """Print a line each."""
    _show(store, form, most=limit)


@command_of(
    """Say how far the runs are that have not ended, or one run.

    Chunks that were delivered, addresses visited and how many a second, machines seen, and when a worker of
    the site last gave a sign of life.
    """,
    name="status",
    examples=(
        ("What is under way:", "vetuste fleet status"),
        ("One run, for a program:", "vetuste fleet status 7 --json"),
    ),
)
@click.argument("run", cls=Argument, type=int, required=False)
@centre
@formats("table", "json")
def status(*, store: CentreStore, run: int | None, form: str) -> None:
    """Print a line each."""
    if run is not None:
        store.runs.one(run)
    _show(store, form, run=run or 0, ended=False)


def _show(store: CentreStore, form: str, **which: Any) -> None:  # noqa: ANN401 - as statuses() has it
    from scanner.fleet.status import statuses  # noqa: PLC0415 - psycopg, an extra

    found = statuses(store.link, **which)
    if form == "json":
        write_json_list(map(run_object, found))
    else:
        print_runs(found)


@command_of(
    """Let nothing more be sent for a run, until it is resumed.""",
    name="pause",
    examples=(("Something is wrong at the site:", "vetuste fleet pause 7"),),
)
@_run
@centre
def pause(*, store: CentreStore, run: int) -> None:
    """Pause it."""
    _set(store, run, RunState.PAUSED, (RunState.QUEUED, RunState.RUNNING))
    say("Run {run} is paused: nothing is sent for it from a few seconds on.", run=run)


@command_of(
    """Let a run that was paused go on, where it was.""",
    name="resume",
    examples=(("Nothing was wrong:", "vetuste fleet resume 7"),),
)
@_run
@centre
def resume(*, store: CentreStore, run: int) -> None:
    """Let it go on."""
    _set(store, run, RunState.RUNNING, (RunState.PAUSED,))
    say("Run {run} goes on.", run=run)


@command_of(
    """End a run for good: nothing more is sent for it, and what was learnt is kept.""",
    name="cancel",
    examples=(("It was not meant:", "vetuste fleet cancel 7"),),
)
@_run
@centre
def cancel(*, store: CentreStore, run: int) -> None:
    """End it."""
    _set(store, run, RunState.CANCELLED, (RunState.QUEUED, RunState.RUNNING, RunState.PAUSED))
    say("Run {run} is cancelled: nothing is sent for it from a few seconds on.", run=run)


def _set(store: CentreStore, run: int, state: RunState, of: Collection[RunState]) -> None:
    """Change the state of a run that has one of these."""
    with store.transaction():
        before = store.runs.one(run)
        if not store.runs.set_state(run, state, of=of):
            raise ConfigError("run {run} is {state}", run=run, state=RUN_STATE[before.state].render())


def _commands() -> dict[str, click.Command]:
    groups = (fleet_sites.command, fleet_plans.command)
    made = (init, *groups, fleet_running.command, scan, runs, status, pause, resume, cancel)
    return {each.name: each for each in made if each.name}


command = CommandGroup("fleet", _commands(), help=__doc__)
command.examples = (
    ("A centre with one site:", "vetuste fleet init\nvetuste fleet site add nord.toml --key nord"),
    ("Every night:", 'vetuste fleet plan add nord --every "daily 22:00" --tz Europe/Paris'),
    ("How far is it?", "vetuste fleet status"),
)
