"""``vetuste fleet plan``: when sites are scanned by themselves."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from scanner.cli.terminal.asking import wish
from scanner.cli.terminal.commands import CommandGroup
from scanner.cli.terminal.commands import command as command_of
from scanner.cli.terminal.fleet_centre import centre, checked_request, file_of
from scanner.cli.terminal.fleet_lines import plan_object, print_plans
from scanner.cli.terminal.options import formats
from scanner.cli.terminal.output import say, write_json_list
from scanner.cli.terminal.switches import Argument
from scanner.cli.terminal.timing import tell_of_skipped, timed
from scanner.schedule.times import parse_times

if TYPE_CHECKING:
    from collections.abc import Callable

    from scanner.fleet.centre_store import CentreStore

_plan: Callable[[Any], Any] = click.argument("plan", cls=Argument, type=int)


@command_of(
    """Add a plan for a site, checked as a scan would be.

    TARGETS are as those of vetuste scan; without any, every ward of the site file.
    """,
    name="add",
    examples=(
        (
            "Two nights a week:",
            'vetuste fleet plan add nord --every "tue,thu 22:00" --tz Europe/Paris',
        ),
    ),
)
@click.argument("key", cls=Argument)
@click.argument("targets", nargs=-1, cls=Argument)
@timed
@wish
@centre
def add(*, store: CentreStore, key: str, every: str, zone: str, **asked: Any) -> None:  # noqa: ANN401 - the options of a wish
    """Check all of it, keep it, and say when it is due."""
    now = datetime.now(UTC)
    times = parse_times(every, zone)
    request = checked_request(file_of(store.sites.one(key)), **asked)
    plan = store.plans.add(key, str(times), zone, request)
    tell_of_skipped(str(times), times, now)
    say(
        "Plan {plan}: {site} is due {every}, {zone}; next at {next} UTC.",
        plan=plan.id,
        site=key,
        every=times,
        zone=zone,
        next=f"{times.next_after(now):%Y-%m-%d %H:%M}",
    )


@command_of(
    """List the plans, and when each is due next.""",
    name="list",
    examples=(("Of all sites:", "vetuste fleet plan list"),),
)
@centre
@formats("table", "json")
def list_(*, store: CentreStore, form: str) -> None:
    """Print them in the order in which they were made."""
    found, now = store.plans.all(), datetime.now(UTC)
    if form == "json":
        write_json_list(plan_object(plan, now) for plan in found)
    else:
        print_plans(found, now)


@command_of(
    """Let a plan make no more runs, until it is resumed.""",
    name="pause",
    examples=(("For a while:", "vetuste fleet plan pause 3"),),
)
@_plan
@centre
def pause(*, store: CentreStore, plan: int) -> None:
    """Pause it."""
    store.plans.set_paused(plan, paused=True)
    say("Plan {plan} is paused.", plan=plan)


@command_of(
    """Let a plan that was paused make runs again; what was missed meanwhile is not caught up.""",
    name="resume",
    examples=(("From now on:", "vetuste fleet plan resume 3"),),
)
@_plan
@centre
def resume(*, store: CentreStore, plan: int) -> None:
    """Let it go on."""
    store.plans.set_paused(plan, paused=False)
    say("Plan {plan} goes on.", plan=plan)


@command_of(
    """Forget a plan; its runs stay.""",
    name="remove",
    examples=(("One:", "vetuste fleet plan remove 3"),),
)
@_plan
@centre
def remove(*, store: CentreStore, plan: int) -> None:
    """Forget it."""
    store.plans.remove(plan)
    say("Plan {plan} was removed.", plan=plan)


command = CommandGroup(
    "plan",
    {made.name: made for made in (add, list_, pause, resume, remove) if made.name},
    help="""Look after the plans of a centre: add, list, pause, resume, remove.

    A plan says when a site is scanned, on the clocks of its time zone; what was missed is caught up once.
    """,
)
command.examples = (("What is due, and when?", "vetuste fleet plan list"),)
