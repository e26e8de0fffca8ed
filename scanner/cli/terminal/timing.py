"""When something is to be done by itself, as the command line asks and tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from scanner.cli.terminal.output import tell
from scanner.cli.terminal.switches import Option
from scanner.schedule.times import due

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from scanner.schedule.times import Times


def timed(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options ``--every`` and ``--tz``: what :func:`scanner.schedule.times.parse_times` takes."""
    every = click.option(
        "--every",
        cls=Option,
        required=True,
        metavar="TIMES",
        help='"tue,thu 22:00", "mon-fri 22:00,03:00", "daily 02:30" or "monthly 1 02:30".',
    )
    zone = click.option(
        "--tz", "zone", cls=Option, required=True, metavar="ZONE", help="On whose clocks: Europe/Paris."
    )
    return every(zone(function))


def tell_of_skipped(name: str, times: Times, now: datetime) -> None:
    """Which times of the coming year the clocks skip, and when what is called so is due instead."""
    for local in times.skipped(now.astimezone(times.zone).date()):
        tell(
            "the clocks of {zone} skip {time} on {day}: {name} is due at {then} on that day",
            zone=times.zone.key,
            time=f"{local:%H:%M}",
            day=f"{local:%Y-%m-%d}",
            name=name,
            then=f"{due(local).astimezone(local.tzinfo):%H:%M}",
        )
