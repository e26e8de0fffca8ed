"""Look after the circuit breaker: list what it stopped, clear it, name fragile devices."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from scanner.cli.terminal.commands import CommandGroup
from scanner.cli.terminal.commands import command as command_of
from scanner.cli.terminal.objects import moment
from scanner.cli.terminal.options import Where, formats, where
from scanner.cli.terminal.output import say, say_under, write_json_list, write_line, write_lines
from scanner.cli.terminal.switches import Argument, Option
from scanner.cli.terminal.table import Cell, Column, table, terminal_width
from scanner.cli.terminal.words import heading
from scanner.inventory import breakers_rows, clear_breakers, fragile_rows, open_inventory
from scanner.language import translate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scanner.inventory import BreakerRow


@command_of(
    """List the subnets to which nothing is sent any more, and why.

    Hosts of a subnet fell silent after a probe; look after them, then clear the breaker.
    """,
    name="list",
    examples=(("What is stopped, and which hosts fell:", "vetuste breaker list"),),
)
@where
@formats("table", "json")
def show(*, where: Where, form: str) -> None:
    """Print the breakers that nobody has cleared."""
    with open_inventory(where.url()) as inventory:
        breakers = breakers_rows(inventory)
    if form == "json":
        write_json_list(_object(breaker) for breaker in breakers)
    else:
        _print(breakers)


@command_of(
    """Let a subnet be scanned again, and the hosts that fell silent in it.

    BREAKERS are ids or subnets of vetuste breaker list. Where one of them is not there, none is cleared.
    """,
    name="clear",
    examples=(
        ("One, once its hosts were looked after:", "vetuste breaker clear 10.20.9.0/24"),
        ("By its id:", "vetuste breaker clear 3"),
    ),
)
@click.argument("breakers", nargs=-1, cls=Argument)
@click.option("--all", "everything", cls=Option, is_flag=True, help="Every breaker.")
@where
@formats("table", "json")
def clear(*, breakers: tuple[str, ...], everything: bool, where: Where, form: str) -> None:
    """Clear, and say what may be sent again."""
    if everything == bool(breakers):
        raise click.UsageError(translate("name breakers by id or subnet, or say --all"))
    with open_inventory(where.url()) as inventory:
        cleared = clear_breakers(inventory, None if everything else breakers, at=datetime.now(UTC))
    if form == "json":
        write_json_list(_object(breaker) for breaker in cleared)
        return
    for breaker in cleared:
        say("{subnet} may be scanned again ({ward})", subnet=breaker.subnet, ward=breaker.ward or "-")
        if breaker.fallen:
            say_under("and so may the hosts that fell silent: {hosts}", hosts=", ".join(breaker.fallen))
    say("Breakers cleared: {number}.", number=len(cleared))


@command_of(
    """List the devices that are not touched any more, because they are known as fragile.

    What they said of themselves tells so, or they fell silent after a probe (until their breaker is cleared).
    """,
    name="fragile",
    examples=(("For the biomedical service:", "vetuste breaker fragile"),),
)
@where
@formats("table", "json")
def fragile(*, where: Where, form: str) -> None:
    """Print them, a line each."""
    with open_inventory(where.url()) as inventory:
        rows = fragile_rows(inventory)
    if form == "json":
        write_json_list(
            {"address": row.address, "why": row.why.render(), "since": moment(row.since)} for row in rows
        )
        return
    for row in rows:
        write_line(f"{row.address}: {row.why.render()}")
    say("Fragile devices: {number}.", number=len(rows))


def _object(breaker: BreakerRow) -> dict[str, Any]:
    return {
        "id": breaker.id,
        "site": breaker.site,
        "ward": breaker.ward,
        "subnet": breaker.subnet,
        "at": moment(breaker.at),
        "cause": breaker.cause.render(),
        "fallen": list(breaker.fallen),
        "scan": breaker.scan,
    }


def _print(breakers: Sequence[BreakerRow]) -> None:
    heads = [
        Column(translate("id"), figures=True),
        Column(translate("subnet")),
        Column(heading("ward")),
        Column(translate("when (UTC)")),
        Column(translate("cause")),
        Column(translate("fallen")),
    ]
    rows = [
        [
            Cell(str(each.id)),
            Cell(each.subnet),
            Cell(each.ward),
            Cell(f"{each.at:%Y-%m-%d %H:%M:%S}"),
            Cell(each.cause.render()),
            Cell(" ".join(each.fallen)),
        ]
        for each in breakers
    ]
    write_lines(table(heads, rows, width=terminal_width()))
    say()
    say("Breakers: {number}.", number=len(breakers))


command = CommandGroup(
    "breaker", {made.name: made for made in (show, clear, fragile) if made.name}, help=__doc__
)
command.examples = (
    ("What is stopped, and why?", "vetuste breaker list"),
    ("What is not touched any more, and why?", "vetuste breaker fragile"),
    ("Go on with a subnet:", "vetuste breaker clear 10.20.9.0/24"),
)
