"""Sites, plans and runs of a centre, as people and programs read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from scanner.cli.terminal.objects import moment
from scanner.cli.terminal.output import say, write_line, write_lines
from scanner.cli.terminal.progress import duration
from scanner.cli.terminal.table import Cell, Column, table, terminal_width
from scanner.cli.terminal.words import heading
from scanner.fleet.model import RunState
from scanner.language import Message, translate
from scanner.schedule.times import parse_times

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from scanner.fleet.model import Plan
    from scanner.fleet.status import RunStatus, SiteSeen

RUN_STATE: Final = {
    RunState.QUEUED: Message("queued"),
    RunState.RUNNING: Message("running"),
    RunState.PAUSED: Message("paused"),
    RunState.CANCELLED: Message("cancelled"),
    RunState.DONE: Message("done"),
    RunState.FAILED: Message("failed"),
}


def site_object(site: SiteSeen) -> dict[str, Any]:
    """A site for programs."""
    said = {"key": site.key, "name": site.name, "digest": site.digest, "paused": site.paused}
    return {**said, "changed": moment(site.changed), "silent_seconds": _rounded(site.silent)}


def print_sites(sites: Sequence[SiteSeen]) -> None:
    """A line a site."""
    heads = [
        *(Column(translate("key")), Column(heading("site")), Column(translate("state"))),
        *(Column(translate("site file")), Column(translate("sign of life"))),
    ]
    rows = [
        [
            *(site.key, site.name, translate("paused") if site.paused else "-"),
            *(f"{site.changed:%Y-%m-%d %H:%M}", _ago(site.silent)),
        ]
        for site in sites
    ]
    _print(heads, rows)
    say("Sites: {number}.", number=len(sites))


def plan_object(plan: Plan, now: datetime) -> dict[str, Any]:
    """A plan for programs."""
    said = {"plan": plan.id, "site": plan.site, "every": plan.every, "zone": plan.zone, "paused": plan.paused}
    following = parse_times(plan.every, plan.zone).next_after(now)
    return {**said, "next": None if plan.paused else moment(following), "request": dict(plan.request)}


def print_plans(plans: Sequence[Plan], now: datetime) -> None:
    """A line a plan, each on its own clocks."""
    heads = [
        *(Column(translate("plan"), figures=True), Column(heading("site")), Column(translate("every"))),
        Column(translate("next run")),
    ]
    rows = []
    for plan in plans:
        times = parse_times(plan.every, plan.zone)
        following = f"{times.next_after(now).astimezone(times.zone):%Y-%m-%d %H:%M %Z}"
        due = translate("paused") if plan.paused else following
        rows.append([str(plan.id), plan.site, f"{plan.every} {plan.zone}", due])
    _print(heads, rows)
    say("Plans: {number}.", number=len(plans))


def run_object(status: RunStatus) -> dict[str, Any]:
    """A run for programs."""
    run = status.run
    what = {"run": run.id, "site": run.site, "state": run.state.value, "plan": run.plan, "scan": run.scan}
    chunks = {"chunks": run.chunks, "delivered": status.delivered, "recorded": status.recorded}
    counts = {"visited": status.visited, "addresses": status.addresses, "seen": status.seen}
    rate = None if status.rate is None else round(status.rate, 1)
    times = {name: getattr(status, name) for name in ("asked", "started", "ended")}
    return {
        **what,
        **chunks,
        "taken_up_again": status.tries,
        **counts,
        "attempts": status.attempts,
        "addresses_per_second": rate,
        **{name: None if when is None else moment(when) for name, when in times.items()},
        "silent_seconds": _rounded(status.silent),
        "says": status.says,
        "request": dict(run.request),
    }


def print_runs(runs: Sequence[RunStatus]) -> None:
    """A line a run, and under them what went wrong."""
    heads = [
        *(Column(translate("run"), figures=True), Column(heading("site")), Column(translate("state"))),
        *(Column(translate("asked (UTC)")), Column(translate("chunks"), figures=True)),
        *(Column(translate("addresses"), figures=True), Column(translate("a second"), figures=True)),
        *(Column(heading("seen"), figures=True), Column(translate("sign of life"))),
    ]
    rows = [
        [
            *(str(each.run.id), each.run.site, RUN_STATE[each.run.state].render()),
            *(f"{each.asked:%Y-%m-%d %H:%M}", f"{each.delivered}/{each.run.chunks}"),
            *(f"{each.visited}/{each.addresses}", "-" if each.rate is None else f"{each.rate:.1f}"),
            *(str(each.seen), _ago(each.silent)),
        ]
        for each in runs
    ]
    _print(heads, rows)
    for each in runs:
        if each.says:
            write_line(f"{each.run.id} ({each.run.site}): {each.says}")
    say("Runs: {number}.", number=len(runs))


def _print(heads: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    write_lines(table(heads, [[Cell(text) for text in row] for row in rows], width=terminal_width()))
    say()


def _ago(silent: float | None) -> str:
    return (
        translate("none")
        if silent is None
        else translate("{time} ago").format(time=duration(max(0.0, silent)))
    )


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)
