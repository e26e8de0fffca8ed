"""What somebody decides about findings, as the command line says it."""

from __future__ import annotations

import os
import pwd
import sys
from typing import TYPE_CHECKING, Any, Final

import click

from scanner.cli.terminal.options import together
from scanner.cli.terminal.switches import Option
from scanner.errors import ConfigError
from scanner.inventory import Decision, State, networks_named
from scanner.language import translate
from scanner.wire import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scanner.inventory import Inventory

_LONGEST: Final = 2000
"""Characters of a note, a measure or an owner's name."""


by_hand = together(
    click.option("--note", cls=Option, default="", metavar="TEXT", help="For those who read the history."),
    click.option(
        "--by", cls=Option, metavar="WHO", help="Who decides (otherwise the account that runs this)."
    ),
)
"""Who decides, and why."""


def account() -> str:
    """The account that runs this process; its number where it has no name."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def decision_of(given: dict[str, Any]) -> Decision:
    """The decision in the options of ``findings set``.

    Raises:
        ConfigError: a text is too long.
        UsageError: nothing is decided.
    """
    decision = Decision(
        State(given["state"]) if given["state"] else None,
        _text("--owner", given["owner"]),
        given["due"],
        given["until"],
        _text("--measure", given["measure"]),
        given["isolated_in"] or None,
        _text("--note", given["note"]) or "",
    )
    if not decision:
        raise click.UsageError(translate("say what is decided: --state, --owner, --due or --note"))
    return decision


def _text(option: str, text: str | None) -> str | None:
    if text is not None and len(text) > _LONGEST:
        raise ConfigError("is longer than {most} characters", key=option, most=_LONGEST)
    return None if text is None else printable(" ".join(text.split()), _LONGEST)


def networks_of(inventory: Inventory, places: Sequence[str]) -> tuple[str, ...]:
    """The networks of subnets and wards.

    Raises:
        ConfigError: one is neither.
    """
    found: list[str] = []
    for place in places:
        networks = networks_named(inventory, place)
        if not networks:
            raise ConfigError(
                "is neither a subnet nor a ward with subnets: {place}",
                key="--isolated-in",
                place=repr(place),
            )
        found += networks
    return tuple(dict.fromkeys(found))


def sure(number: int, *, yes: bool) -> None:
    """Ask whether so many findings are meant.

    Raises:
        ConfigError: nobody is there to be asked, or said no.
    """
    if yes or not number:
        return
    if not sys.stdin.isatty():
        raise ConfigError("{number} findings would be changed: say --yes where that is meant", number=number)
    if not click.confirm(translate("Change {number} findings?").format(number=number), err=True):
        raise ConfigError("nothing was changed")
