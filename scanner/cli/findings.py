"""List what somebody must act on; decide about it; show what became of it.

One finding a machine and cause: its system is unsupported, or may be; SMB1 is on… Scans open findings, close
those whose cause is gone, and open again what shows again: a waiver that ended, an isolated machine that
answers, a replaced one that is seen. People decide the rest: vetuste findings set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from scanner.cli.terminal.commands import CommandGroup
from scanner.cli.terminal.commands import command as command_of
from scanner.cli.terminal.deciding import account, by_hand, decision_of, networks_of, sure
from scanner.cli.terminal.filters import filters
from scanner.cli.terminal.finding_lines import (
    cause_of,
    finding_object,
    history_line,
    plain,
    print_findings,
    standing_object,
    why,
)
from scanner.cli.terminal.options import Day, Where, formats, today, together, where
from scanner.cli.terminal.output import say, say_under, write_csv, write_json, write_line, write_objects
from scanner.cli.terminal.switches import Argument, Option
from scanner.cli.terminal.words import STATE
from scanner.inventory import State, Wanted, causes, decide, finding_history, findings_rows, open_inventory
from scanner.inventory.findings.today import settle
from scanner.language import translate

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from scanner.inventory import Filters

_CSV: Final = (
    *("id", "asset", "ip", "name", "site", "ward", "cause", "state", "owner", "due", "overdue"),
    *("until", "measure", "isolated_in", "opened", "changed", "note"),
)


def _about_findings(prefix: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """``--state --cause --owner --due-before --overdue``; while something is set, the first is ``--from``."""
    return together(
        click.option(
            prefix,
            "states",
            cls=Option,
            multiple=True,
            type=click.Choice([state.value for state in State]),
            help="Only in this state; may be repeated. Otherwise all but closed ones.",
        ),
        click.option(
            "--cause",
            "cause",
            cls=Option,
            multiple=True,
            type=click.Choice(list(causes())),
            help="Only of this cause; may be repeated.",
        ),
        click.option(
            "--due-before", cls=Option, type=Day(), metavar="DATE", help="Only those due before this day."
        ),
        click.option("--overdue", cls=Option, is_flag=True, help="Only those that should be done by now."),
    )


def _wanted(given: dict[str, Any], today: date, owner: str = "") -> Wanted:
    limits = [given["due_before"]] if given["due_before"] else []
    states = frozenset(map(State, given["states"]))
    if given["overdue"]:
        limits.append(today)
        states = states or frozenset(State) - {State.CLOSED, State.REPLACED}
    return Wanted(states, frozenset(given["cause"]), owner, min(limits, default=None))


def _list(
    *,
    where: Where,
    wanted: Filters,
    owner: str,
    form: str,
    today: date,
    **given: Any,  # noqa: ANN401 - the options that are read by name
) -> None:
    """Print the list, where no other command was given."""
    if click.get_current_context().invoked_subcommand is not None:
        return
    with open_inventory(where.url()) as inventory:
        settle(inventory)
        found = findings_rows(inventory, wanted, _wanted(given, today, owner), today=today)
        objects = (finding_object(asset, finding, today) for asset, finding in found)
        if form == "csv":
            write_csv(_CSV, ({**each, "isolated_in": " ".join(each["isolated_in"])} for each in objects))
        elif form in {"json", "jsonl"}:
            write_objects(form, objects)
        else:
            print_findings(found, today)


@command_of(
    """Decide about findings: their state, who does it, by when.

    IDS are those of vetuste findings; or --all, for every finding that the filters leave. A waiver needs its
    end and what makes up for it. Nothing is overwritten in silence: vetuste findings show has the history.
    """,
    name="set",
    examples=(
        (
            "Somebody does it by a day:",
            "vetuste findings set 12 13 --state planned --owner DSI --due 2027-03-31",
        ),
        (
            "Cut off, and to be seen in its own subnet alone:",
            "vetuste findings set 12 --state isolated --isolated-in 10.20.200.0/24",
        ),
        (
            "Borne until a day:",
            'vetuste findings set 12 --state waived --until 2027-06-30 --measure "VLAN, jump host"',
        ),
        ("All of a ward:", "vetuste findings set --all --ward Cardiologie --cause smb1 --owner DSI --yes"),
    ),
)
@click.argument("ids", nargs=-1, type=click.IntRange(min=1), cls=Argument)
@where
@click.option(
    "--state", cls=Option, type=click.Choice([state.value for state in State]), help="What becomes of it."
)
@click.option("--owner", cls=Option, metavar="WHO", help="Who does it: a team, or a person.")
@click.option("--due", cls=Option, type=Day(), metavar="DATE", help="By when.")
@click.option("--until", cls=Option, type=Day(), metavar="DATE", help="The last day of a waiver.")
@click.option("--measure", cls=Option, metavar="TEXT", help="What makes up for it while it is waived.")
@click.option(
    "--isolated-in",
    cls=Option,
    multiple=True,
    metavar="PLACE",
    help="A subnet or a ward where it may still be seen; may be repeated.",
)
@by_hand
@click.option("--all", "everything", cls=Option, is_flag=True, help="Every finding that the filters leave.")
@click.option("--yes", cls=Option, is_flag=True, help="Do not ask whether that is meant.")
@_about_findings("--from")
@filters
@today
def set_(  # noqa: PLR0913 - one parameter an option
    *,
    ids: tuple[int, ...],
    where: Where,
    wanted: Filters,
    everything: bool,
    yes: bool,
    by: str | None,
    today: date,
    **given: Any,  # noqa: ANN401 - the options that are read by name
) -> None:
    """Decide, and say of how many."""
    if everything == bool(ids):
        raise click.UsageError(translate("name findings by their ids, or say --all"))
    with open_inventory(where.url()) as inventory:
        given["isolated_in"] = networks_of(inventory, given["isolated_in"])
        decision = decision_of(given)
        if everything:
            settle(inventory)
            found = findings_rows(inventory, wanted, _wanted(given, today), today=today)
            ids = tuple(finding.id for _, finding in found)
            sure(len(ids), yes=yes)
        number = decide(inventory, ids, decision, author=by or account(), today=today)
    say("Findings changed: {number}.", number=number)


@command_of(
    "Show a finding and its history: who changed what, when and why.",
    name="show",
    examples=(("What became of it?", "vetuste findings show 12"),),
)
@click.argument("number", metavar="ID", type=click.IntRange(min=1), cls=Argument)
@where
@formats("table", "json")
def show(*, number: int, where: Where, form: str) -> None:
    """Print it, oldest change first."""
    with open_inventory(where.url()) as inventory:
        finding, changes = finding_history(inventory, number)
    if form == "json":
        write_json({**standing_object(finding), "history": [history_line(change) for change in changes]})
        return
    say(
        "Finding {id}, machine {asset}: {cause}, {state}",
        id=finding.id,
        asset=finding.asset,
        cause=cause_of(finding),
        state=STATE[finding.standing.state].render(),
    )
    for change in changes:
        write_line(f"{change.at:%Y-%m-%d %H:%M:%S}  {change.author or 'vetuste'}")
        for name, after in change.after.items():
            say_under(
                "{name}: {before} → {after}",
                name=name,
                before=plain(change.before.get(name)),
                after=plain(after),
            )
        for text in (why(change), change.note):
            if text:
                write_line(f"  {text}")


def _group() -> CommandGroup:
    """The list with its options, and the commands under it."""
    owner = click.option(
        "--owner", cls=Option, default="", metavar="WHO", help="Only those that this one does."
    )
    listing = where(
        _about_findings("--state")(owner(filters(formats("table", "csv", "json", "jsonl")(today(_list)))))
    )
    made = click.command("findings", CommandGroup, help=__doc__, invoke_without_command=True)(listing)
    for each in (set_, show):
        made.add_command(each)
    made.examples = (
        ("What is still to be done, machine by machine:", "vetuste findings"),
        ("What should be done by now:", "vetuste findings --overdue"),
        ("Every machine with SMB1 on, for a script:", "vetuste findings --cause smb1 --jsonl | jq -r .ip"),
    )
    return made


command = _group()
