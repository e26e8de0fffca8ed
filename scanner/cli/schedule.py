"""Scan by itself: add, list, show, next, run, remove schedules; install, uninstall their timers.

A schedule says when a site is scanned, on the clocks of its time zone, and on which terms. Everything is
checked when it is added. Timers of systemd run them; where there is no systemd, let cron call run --due.
"""

from __future__ import annotations

import os
import shlex
import sys
from datetime import UTC, datetime
from heapq import merge
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scanner.cli.terminal.asking import arguments_of, job_of, scan_options
from scanner.cli.terminal.commands import CommandGroup
from scanner.cli.terminal.commands import command as command_of
from scanner.cli.terminal.options import Where, formats, where
from scanner.cli.terminal.output import say, tell, write_json, write_json_list
from scanner.cli.terminal.schedule_lines import (
    print_next,
    print_runs,
    print_schedules,
    schedule_object,
)
from scanner.cli.terminal.switches import Argument, Option
from scanner.cli.terminal.text import safe
from scanner.cli.terminal.timing import tell_of_skipped, timed
from scanner.cli.terminal.unit_files import install, own_command, uninstall
from scanner.config import read_site
from scanner.errors import ConfigError
from scanner.language import translate
from scanner.schedule.entries import Schedule, demand_name, demand_no_secret
from scanner.schedule.holding import holder
from scanner.schedule.running import carry_out, schedule_named
from scanner.schedule.state import changing, schedules_in, state_folder
from scanner.schedule.times import parse_times

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_name: Callable[[Any], Any] = click.argument("name", cls=Argument)


def _state() -> Path:
    return state_folder(os.environ)


@command_of(
    """Add a schedule, checked as a scan would be: site file, signatures, targets, inventory.

    Its name is that of the site file, unless one is given. Nothing is sent, and no timer is set: install does
    that. Paths are looked for where they are now.
    """,
    name="add",
    examples=(
        (
            "Two nights a week:",
            'vetuste schedule add --site site.toml --every "tue,thu 22:00" --tz Europe/Paris',
        ),
        (
            "One ward, each night, more quickly:",
            'vetuste schedule add labo --every "daily 02:30" --tz Europe/Paris --target Labo --profile lab',
        ),
    ),
)
@click.argument("name", cls=Argument, required=False)
@where
@timed
@click.option(
    "--target",
    "targets",
    cls=Option,
    multiple=True,
    metavar="TARGET",
    help="Only this one; may be repeated. Otherwise every ward.",
)
@scan_options
def add(*, name: str | None, where: Where, every: str, zone: str, **asked: Any) -> None:  # noqa: ANN401 - the options of a scan
    """Check all of it, keep it, and say when it is due."""
    now = datetime.now(UTC)
    times = parse_times(every, zone)
    database = demand_no_secret(where.database)
    site = where.site_path()
    if site is None:
        raise ConfigError("there is no site file: name one with --site (docs/site-file.md)")
    today = now.astimezone().date()
    job_of({**asked, "planned": False, "resume": False, "fresh": True, "today": today}, where)
    called = demand_name(site.stem if name is None else name)
    arguments = (*_own_data(), *arguments_of(asked))
    made = Schedule(called, str(times), zone, site.absolute(), Path.cwd(), now, database, arguments)
    with changing(_state()) as kept:
        if called in kept:
            raise ConfigError(
                "there is a schedule {name}: remove it first, or give this one another name", name=called
            )
        kept[called] = made
    tell_of_skipped(made.name, made.times, now)
    say(
        "The schedule {name} is due {every}, {zone}; next at {next} UTC.",
        name=called,
        every=times,
        zone=zone,
        next=f"{times.next_after(now):%Y-%m-%d %H:%M}",
    )


def _own_data() -> tuple[str, ...]:
    """Where the site's own data are, if not where its site file says."""
    folder = click.get_current_context().params.get("data") or os.environ.get("VETUSTE_DATA", "")
    return (f"--data={Path(folder).absolute()}",) if folder else ()


@command_of(
    """List the schedules: when each is due, and how its last run ended.""",
    name="list",
    examples=(("All of this user:", "vetuste schedule list"),),
)
@formats("table", "json")
def list_(*, form: str) -> None:
    """Print one line a schedule."""
    now, running, found = datetime.now(UTC), holder(_state()), schedules_in(_state()).values()
    if form == "json":
        write_json_list(schedule_object(each, now, running) for each in found)
        return
    print_schedules(tuple(found), now, running)


@command_of(
    """Show a schedule and its runs: begin, end, counts, errors.""",
    name="show",
    examples=(("What became of each night:", "vetuste schedule show site"),),
)
@_name
@formats("table", "json")
def show(*, name: str, form: str) -> None:
    """Print what is asked for, then the runs."""
    found, running = schedule_named(schedules_in(_state()), name), holder(_state())
    if form == "json":
        write_json(schedule_object(found, datetime.now(UTC), running))
        return
    print_schedules((found,), datetime.now(UTC), running)
    say("It runs: {command}", command=shlex.join(("vetuste", "scan", *found.where, *found.arguments)))
    if found.runs:
        say()
        print_runs(found, running)


@command_of(
    """Say when schedules are due next.""",
    name="next",
    examples=(("The next ten times:", "vetuste schedule next -n 10"),),
)
@click.option(
    "-n", "--number", cls=Option, type=click.IntRange(1, 1000), default=10, help="So many; 10 otherwise."
)
@formats("table", "json")
def next_(*, number: int, form: str) -> None:
    """Print the next times of all schedules together."""
    now = datetime.now(UTC)
    each_coming = (_coming(each, now) for each in schedules_in(_state()).values())
    coming = list(islice(merge(*each_coming, key=lambda pair: pair[0]), number))
    if form == "json":
        write_json_list(
            {"at": when.isoformat(), "name": each.name, "zone": each.zone} for when, each in coming
        )
        return
    print_next(coming)


def _coming(schedule: Schedule, now: datetime) -> Iterator[tuple[datetime, Schedule]]:
    times, when = schedule.times, now
    while True:
        when = times.next_after(when)
        yield when, schedule


@command_of(
    """Run a schedule now, as its timer does, and keep how it ended.

    Two runs never overlap: while one goes on, a second says so and ends with exit code 3, or waits with
    --wait. A run that was cut short is gone on with. The exit code is that of the scan.
    """,
    name="run",
    examples=(
        ("Now, whatever the time is:", "vetuste schedule run site"),
        ("For cron: what is due, or was missed, once each:", "vetuste schedule run --due"),
    ),
)
@click.argument("name", cls=Argument, required=False)
@click.option("--due", cls=Option, is_flag=True, help="All that were due since their last run, once each.")
@click.option("--wait", cls=Option, is_flag=True, help="Wait for a run that goes on.")
def run(*, name: str | None, due: bool, wait: bool) -> None:
    """Run it, then let alerts be sent."""
    if (name is None) != due or (due and wait):
        raise click.UsageError(translate("name one schedule, or say --due"))
    now, state = datetime.now(UTC), _state()
    kept = schedules_in(state)
    names = [each.name for each in kept.values() if each.due(now)] if name is None else [name]
    if due and holder(state) is not None:  # cron need not hear of that: it comes again
        return
    codes = [_run(state, schedule_named(kept, each), wait=wait) for each in names]
    raise click.exceptions.Exit(max(codes, default=0))


def _run(state: Path, schedule: Schedule, *, wait: bool) -> int:
    name = schedule.name
    ended = carry_out(state, name, own_command(), _pass_on, _after(schedule), wait=wait)
    tell(
        "the schedule {name} ended with exit code {code}: {seen} machines seen, "
        "{attempts} connection attempts",
        name=name,
        code=ended.code,
        seen=ended.counts.get("seen", 0),
        attempts=ended.counts.get("attempts", 0),
    )
    return ended.code or 0


def _after(schedule: Schedule) -> tuple[str, ...]:
    """What is run after a scan, with its site and inventory: alerts, where the site file has some."""
    try:
        alerts = read_site(schedule.site).file.alerts
    except ConfigError:
        return ()  # the scan will say what is wrong with it
    return ("alert", "send") if alerts else ()


def _pass_on(line: str) -> None:
    sys.stderr.write(f"{safe(line.rstrip())}\n")
    sys.stderr.flush()


@command_of(
    """Remove a schedule and what is known of its runs; its timer is removed by uninstall.""",
    name="remove",
    examples=(("It is not needed any more:", "vetuste schedule remove site"),),
)
@_name
def remove(*, name: str) -> None:
    """Forget it."""
    with changing(_state()) as kept:
        del kept[schedule_named(kept, name).name]
    say("The schedule {name} was removed.", name=name)


command = CommandGroup(
    "schedule",
    {made.name: made for made in (add, list_, show, next_, run, remove, install, uninstall) if made.name},
    help=__doc__,
)
command.examples = (
    (
        "From a site file to a scan each night:",
        (
            'vetuste schedule add --site site.toml --every "daily 22:00" --tz Europe/Paris\n'
            "vetuste schedule install\nvetuste schedule list"
        ),
    ),
)
