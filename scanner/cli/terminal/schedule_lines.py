"""Schedules and their runs as people and programs read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from scanner.cli.terminal.objects import moment
from scanner.cli.terminal.output import say, write_lines
from scanner.cli.terminal.table import Cell, Column, table, terminal_width
from scanner.cli.terminal.words import heading
from scanner.language import translate

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from scanner.schedule.entries import Run, Schedule
    from scanner.schedule.holding import Holder

_COUNTS: Final = {"visited": "addresses", "seen": "machines", "attempts": "connection attempts"}
"""Of all that a run counted, what people read of it, and under which heads."""


def print_schedules(schedules: Sequence[Schedule], now: datetime, running: Holder | None) -> None:
    """The table of ``schedule list``."""
    heads = [
        *(Column(translate("schedule")), Column(heading("site")), Column(translate("every"))),
        *(Column(translate("last run")), Column(translate("how it ended")), Column(translate("next run"))),
    ]
    rows = [
        [
            *(
                each.name,
                str(each.site),
                f"{each.times} {each.zone}",
                _local(each, each.last.begun if each.last else None),
            ),
            "-" if each.last is None else _ended(each, each.last, running),
            _local(each, each.times.next_after(now)),
        ]
        for each in schedules
    ]
    _print(heads, rows)
    say()
    say("Schedules: {number}.", number=len(schedules))


def print_runs(schedule: Schedule, running: Holder | None) -> None:
    """The runs of a schedule, the newest first."""
    heads = [
        *(Column(translate("began")), Column(translate("ended")), Column(translate("how it ended"))),
        *(Column(translate(head), figures=True) for head in _COUNTS.values()),
    ]
    rows = [
        [
            *(_local(schedule, run.begun), _local(schedule, run.ended), _ended(schedule, run, running)),
            *(str(run.counts.get(name, "-")) for name in _COUNTS),
        ]
        for run in reversed(schedule.runs)
    ]
    _print(heads, rows)


def print_next(coming: Iterable[tuple[datetime, Schedule]]) -> None:
    """What is due next, on the clocks of the schedules and in UTC."""
    heads = [Column(translate("next run")), Column("UTC"), Column(translate("schedule"))]
    _print(heads, [[_local(each, when), f"{when:%Y-%m-%d %H:%M}", each.name] for when, each in coming])


def schedule_object(schedule: Schedule, now: datetime, running: Holder | None) -> dict[str, Any]:
    """A schedule for programs, with all its runs."""
    said = {"name": schedule.name, "every": str(schedule.times), "zone": schedule.zone}
    places = {name: str(getattr(schedule, name)) for name in ("site", "folder", "database")}
    times = {"added": moment(schedule.added), "next": moment(schedule.times.next_after(now))}
    runs = [run_object(schedule, run, running) for run in schedule.runs]
    return {**said, **places, "arguments": list(schedule.arguments), **times, "runs": runs}


def run_object(schedule: Schedule, run: Run, running: Holder | None) -> dict[str, Any]:
    """A run for programs."""
    ended = None if run.ended is None else moment(run.ended)
    times = {"begun": moment(run.begun), "ended": ended, "running": _runs(schedule, run, running)}
    return {**times, "code": run.code, "counts": dict(run.counts), "says": run.says}


def _runs(schedule: Schedule, run: Run, running: Holder | None) -> bool:
    ours = running is not None and running.schedule == schedule.name
    return ours and run.ended is None and run == schedule.last


def _ended(schedule: Schedule, run: Run, running: Holder | None) -> str:
    if _runs(schedule, run, running):
        return translate("running")
    if run.code is None:
        return translate("broken off: killed, or the machine went off")
    return run.says or (translate("interrupted") if run.cut_short else translate("done"))


def _local(schedule: Schedule, when: datetime | None) -> str:
    return "-" if when is None else f"{when.astimezone(schedule.times.zone):%Y-%m-%d %H:%M}"


def _print(heads: Sequence[Column], rows: Iterable[Sequence[str]]) -> None:
    cells = [[Cell(text) for text in row] for row in rows]
    write_lines(table(heads, cells, width=terminal_width()))
