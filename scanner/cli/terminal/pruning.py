"""``vetuste db prune``: let go what is older than it is to be kept."""

from __future__ import annotations

import re
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import click

from scanner.cli.terminal.commands import command as command_of
from scanner.cli.terminal.options import Where, formats, where
from scanner.cli.terminal.output import say, write_json
from scanner.cli.terminal.switches import Option
from scanner.errors import ConfigError
from scanner.inventory import open_inventory
from scanner.language import translate

if TYPE_CHECKING:
    from scanner.config import SiteFile

_DAYS: Final = re.compile(r"([1-9][0-9]{0,4})d?")


class Age(click.ParamType[timedelta]):
    """So many days: ``400d``."""

    name = "age"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """The days of a text."""
        found = _DAYS.fullmatch(str(value).strip())
        if found is None:
            text = translate("{value} is no age: write days, 400d")
            self.fail(text.format(value=repr(value)), param, ctx)
        return timedelta(days=int(found[1]))


@command_of(
    """Let old observations go: what figures, lists and exports are made of stays.

    An asset keeps what its identity rests on, and when and where it was seen, one sight a day. What goes is
    what else was heard in scans that ended longer ago, with its raw answers, and the alarms that were over by
    then. The ledger has its own age. A scan may run meanwhile. Ages come from the options, then from
    [retention] of the site file; with a site file, only what is of its site goes.
    """,
    name="prune",
    examples=(
        ("How much would go?", "vetuste db prune --older-than 400d --dry-run"),
        ("Every night, by the site file's policy:", "vetuste db prune"),
        ("Three years of ledger, one of observations:", "vetuste db prune --older-than 365d --ledger 1095d"),
    ),
)
@where
@click.option(
    "--older-than",
    cls=Option,
    type=Age(),
    metavar="DAYS",
    help="Observations of scans that ended before, 400d.",
)
@click.option(
    "--ledger", cls=Option, type=Age(), metavar="DAYS", help="Attempts of scans that ended before, 1100d."
)
@click.option("--dry-run", "dry", cls=Option, is_flag=True, help="Only say how much would go.")
@click.option(
    "--vacuum",
    cls=Option,
    is_flag=True,
    help="Give the room back to the disk: needs as much again meanwhile, and nobody can write.",
)
@formats("table", "json")
def prune(  # noqa: PLR0913 - one parameter an option
    *,
    where: Where,
    older_than: timedelta | None,
    ledger: timedelta | None,
    dry: bool,
    vacuum: bool,
    form: str,
) -> None:
    """Prune and say how much."""
    from scanner.inventory import retention  # noqa: PLC0415 - SQLAlchemy, only when it works

    site = where.site()
    observations, attempts = _ages(site, older_than, ledger)
    now = datetime.now(UTC)
    keep = retention.Keep(
        None if observations is None else now - observations,
        None if attempts is None else now - attempts,
        None if site is None else site.site.name,
    )
    total = retention.Pruned()
    with open_inventory(where.url()) as inventory:
        for part in retention.prune(inventory, keep, dry=dry):
            total = total.plus(part)
        if vacuum and not dry:
            retention.shrink(inventory)
    _tell(asdict(total), form, dry=dry)


def _ages(
    site: SiteFile | None, observations: timedelta | None, ledger: timedelta | None
) -> tuple[timedelta | None, timedelta | None]:
    """As asked; what is not asked for, as the site file has it.

    Raises:
        ConfigError: neither says anything: nothing goes that nobody named.
    """
    policy = None if site is None else site.retention
    if policy is not None:
        observations = observations or _days(policy.observations)
        ledger = ledger or _days(policy.ledger)
    if observations is None and ledger is None:
        raise ConfigError(
            "nothing says how long to keep what: write --older-than 400d, or [retention] into the site file"
        )
    return observations, ledger


def _days(number: int | None) -> timedelta | None:
    return None if number is None else timedelta(days=number)


def _tell(figures: dict[str, int], form: str, *, dry: bool) -> None:
    if form == "json":
        write_json({"dry_run": dry, **figures})
    elif dry:
        say(
            "Would go: {observations} observations, {evidence} values, {sights} sights, {attempts} attempts, "
            "{alarms} alarms.",
            **figures,
        )
    else:
        say(
            "Gone: {observations} observations, {evidence} values, {sights} sights, {attempts} attempts, "
            "{alarms} alarms.",
            **figures,
        )
