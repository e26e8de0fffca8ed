"""Sweep subnets, ask what answers, judge it and record it.

TARGETS are addresses, networks (10.20.0.0/24), ranges (10.20.0.1-50), names of wards, or @FILE with one of
these a line; without any, every ward of the site file is scanned. Exclusions and passive wards are never
touched. The default profile, clinical, sends at most 50 connection attempts a second, and 4 to any one host.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from scanner.cli.terminal.asking import job_of, scan_options
from scanner.cli.terminal.commands import command as command_of
from scanner.cli.terminal.exits import DONE, FAILED, FINDINGS, INTERRUPTED
from scanner.cli.terminal.options import Where, formats, today, where
from scanner.cli.terminal.output import say, tell, write_json_list
from scanner.cli.terminal.progress import duration
from scanner.cli.terminal.scanning import perform, plan_rows, summarise
from scanner.cli.terminal.switches import Argument, Option
from scanner.cli.terminal.unasked import print_unasked
from scanner.inventory import count_rows, open_inventory
from scanner.model import Status
from scanner.probes.snmp_tables import TABLES

if TYPE_CHECKING:
    from datetime import date

    from scanner.scan import Ground
    from scanner.scan.routers import Routers
    from scanner.sweep.plan import Share


@command_of(
    __doc__,
    examples=(
        ("Every ward of the site file, at its pace:", "vetuste scan --site site.toml"),
        ("What would be sent, without sending it:", "vetuste scan --site site.toml --plan"),
        (
            "One ward and one host, leaving out a scanner:",
            "vetuste scan Cardiologie 10.20.3.7 --exclude 10.20.0.40",
        ),
        ("A laboratory, by half-open looks:", "vetuste scan Labo --profile lab --sweep syn"),
        ("Only what listening left open:", "vetuste scan --passive-first"),
        (
            "For a scheduler: exit code 1 where something is unsupported:",
            "vetuste scan --fail-on unsupported",
        ),
    ),
)
@click.argument("targets", nargs=-1, cls=Argument)
@where
@scan_options
@click.option(
    "--plan", "planned", cls=Option, is_flag=True, help="Say what would be sent and how long; send nothing."
)
@click.option("--resume", cls=Option, is_flag=True, help="Go on with the scan that was interrupted.")
@click.option("--fresh", cls=Option, is_flag=True, help="Begin a new scan, even if one was interrupted.")
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
    **asked: Any,  # noqa: ANN401 - the options that job_of reads by name
) -> None:
    """Prepare, then plan or scan."""
    job = job_of({**asked, "planned": planned, "today": today}, where)
    if planned:
        _print_plan(job.ground, form)
        return
    if job.ground.held_back:
        tell(
            "only {number} hosts at a time: no more files may be open; ulimit -n or LimitNOFILE raises that",
            number=job.ground.gate.in_flight,
        )
    tally = perform(job)
    summarise(tally, job.ground)
    if form == "json":
        write_json_list([tally.counts()])
    if tally.interrupted:
        sys.exit(INTERRUPTED)
    sys.exit(FAILED if tally.trips else _verdict(where.url(), fail_on, today))


def _verdict(database: str, fail_on: tuple[str, ...], today: date) -> int:
    """The exit code: 1 where a machine of the inventory has one of these statuses."""
    if not fail_on:
        return DONE
    with open_inventory(database) as inventory:
        rows = count_rows(inventory, by=("status",), today=today)
    found = any(row.certain + row.probable + row.to_verify for row in rows if row.keys["status"] in fail_on)
    return FINDINGS if found else DONE


def _print_plan(ground: Ground, form: str) -> None:
    shares = ground.plan()
    rows = plan_rows(shares)
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
    for share in shares:
        _print_probes(share)
    _print_routers(ground.routers)
    if ground.untouched:
        say("{number} addresses would not be touched: excluded or passive", number=ground.untouched)
    if ground.heard:
        say(
            "{number} addresses would not be asked: already heard, listening told enough of their machines",
            number=ground.heard,
        )
    say("Nothing was sent.")


def _print_routers(routers: Routers) -> None:
    """How many of the datagrams are for routers, and which of these get none."""
    if routers.asked:
        say(
            "of these, {number} routers would get 1 to {most} datagrams each, and be asked which machines "
            "they know",
            number=len(routers.asked),
            most=TABLES.exchanges,
        )
    for unasked, why in routers.reasons():
        say("routers not asked which machines they know: {routers}: {why}", routers=unasked, why=why.render())


def _print_probes(share: Share) -> None:
    """What is asked, in its order, and what is not."""
    asked = "; ".join(f"{name} ({', '.join(where)})" for name, where in share.probes.items())
    say("{profile}: in this order, until enough is known: {asked}", profile=share.profile, asked=asked)
    print_unasked(share.unasked)
