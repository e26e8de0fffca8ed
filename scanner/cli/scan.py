"""Sweep subnets, ask what answers, judge it and record it.

TARGETS are addresses, networks (10.20.0.0/24), ranges (10.20.0.1-50), names of wards, or @FILE with one of
these a line; without any, every ward of the site file is scanned. Exclusions and passive wards are never
touched. The default profile, clinical, sends at most 50 connection attempts a second, and 4 to any one host.
"""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime
from typing import Any

import click

from scanner.cli.terminal.commands import command as command_of
from scanner.cli.terminal.exits import DONE, FINDINGS, INTERRUPTED
from scanner.cli.terminal.options import Where, formats, today, where
from scanner.cli.terminal.output import say, tell, write_json_list
from scanner.cli.terminal.progress import duration
from scanner.cli.terminal.scanning import perform, plan_rows, summarise
from scanner.cli.terminal.switches import Argument, Option
from scanner.errors import ConfigError
from scanner.inventory import count_rows, open_inventory
from scanner.model import Status
from scanner.scan import Ground, Request, prepare
from scanner.transport.descriptors import descriptor_limit
from scanner.transport.limits import PROFILES


@command_of(
    __doc__,
    examples=(
        ("Every ward of the site file, at its pace:", "vetuste scan --site site.toml"),
        ("What would be sent, without sending it:", "vetuste scan --site site.toml --plan"),
        (
            "One ward and one host, leaving out a scanner:",
            "vetuste scan Cardiologie 10.20.3.7 --exclude 10.20.0.40",
        ),
        (
            "For a scheduler: exit code 1 where something is unsupported:",
            "vetuste scan --fail-on unsupported",
        ),
    ),
)
@click.argument("targets", nargs=-1, cls=Argument)
@where
@click.option(
    "--exclude", cls=Option, multiple=True, metavar="TARGET", help="Never touch these; may be repeated."
)
@click.option(
    "--profile", cls=Option, type=click.Choice(list(PROFILES)), help="How carefully; clinical otherwise."
)
@click.option(
    "--rate", cls=Option, type=click.FloatRange(min=0.01), help="At most so many attempts a second."
)
@click.option("--ports", cls=Option, metavar="LIST", help="Only these of the profile's ports: 445,139.")
@click.option("--allow-public", cls=Option, is_flag=True, help="Let public addresses be scanned.")
@click.option(
    "--plan", "planned", cls=Option, is_flag=True, help="Say what would be sent and how long; send nothing."
)
@click.option(
    "--fail-on",
    cls=Option,
    multiple=True,
    type=click.Choice([status.value for status in Status]),
    help="End with code 1 where a machine has this status; may be repeated.",
)
@formats("table", "json")
@today
def command(
    *,
    where: Where,
    planned: bool,
    fail_on: tuple[str, ...],
    form: str,
    today: date,
    **asked: Any,  # noqa: ANN401 - the options that _request reads by name
) -> None:
    """Prepare, then plan or scan."""
    site = where.site()
    ground = prepare(_request(asked, site), descriptor_limit())
    if planned:
        _print_plan(ground, form)
        return
    ground.demand_open_window(datetime.now(UTC))
    if ground.held_back:
        tell(
            "only {number} hosts at a time: no more files may be open; ulimit -n or LimitNOFILE raises that",
            number=ground.in_flight,
        )
    tally = perform(ground, site, where.url())
    summarise(tally, ground)
    if form == "json":
        write_json_list([tally.counts()])
    sys.exit(INTERRUPTED if tally.interrupted else _verdict(where.url(), fail_on, today))


def _request(asked: dict[str, Any], site: Any) -> Request:  # noqa: ANN401 - a SiteFile or None
    return Request(
        asked["targets"],
        site,
        asked["exclude"],
        asked["profile"],
        asked["rate"],
        _ports(asked["ports"]),
        asked["allow_public"],
    )


def _ports(text: str | None) -> frozenset[int] | None:
    if text is None:
        return None
    try:
        ports = frozenset(int(part) for part in text.split(","))
    except ValueError:
        ports = frozenset({0})
    if not all(0 < port < 1 << 16 for port in ports):
        raise ConfigError(
            "{ports} are no ports: write numbers with commas between them", key="--ports", ports=repr(text)
        )
    return ports


def _verdict(database: str, fail_on: tuple[str, ...], today: date) -> int:
    """The exit code: 1 where a machine of the inventory has one of these statuses."""
    if not fail_on:
        return DONE
    with open_inventory(database) as inventory:
        rows = count_rows(inventory, by=("status",), today=today)
    found = any(row.certain + row.probable + row.to_verify for row in rows if row.keys["status"] in fail_on)
    return FINDINGS if found else DONE


def _print_plan(ground: Ground, form: str) -> None:
    rows = plan_rows(ground.plan())
    if form == "json":
        write_json_list(rows)
        return
    for row in rows:
        say(
            "{profile}: {addresses} addresses on ports {ports}: {connections_least} to {connections_most} "
            "connection attempts, {packets_least} to {packets_most} packets, {shortest} to {longest}",
            shortest=duration(float(str(row["seconds_least"]))),
            longest=duration(float(str(row["seconds_most"]))),
            **{**row, "ports": ", ".join(map(str, row["ports"]))},  # type: ignore[call-overload]  # a list of numbers
        )
    if ground.untouched:
        say("{number} addresses would not be touched: excluded or passive", number=ground.untouched)
    say("Nothing was sent.")
