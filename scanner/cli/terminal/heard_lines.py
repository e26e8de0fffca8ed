"""What listening found, as people and programs read it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import click

from scanner.cli.terminal.output import say, tell, write_lines
from scanner.cli.terminal.table import Cell, Column, table, terminal_width
from scanner.cli.terminal.words import heading
from scanner.language import translate
from scanner.model import Status

if TYPE_CHECKING:
    from scanner.cli.terminal.hearing import Heard
    from scanner.cli.terminal.listening import Summary

_SPAN: Final = re.compile(r"([1-9][0-9]{0,5})([smhd])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Span(click.ParamType[float]):
    """So long: ``90s``, ``30m``, ``24h``, ``7d``; in seconds."""

    name = "span"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The seconds of a text."""
        if isinstance(value, float):
            return value
        found = _SPAN.fullmatch(str(value).strip())
        if found is None:
            text = translate("{value} is no time: write 90s, 30m, 24h or 7d")
            self.fail(text.format(value=repr(value)), param, ctx)
        return float(int(found[1]) * _SECONDS[found[2]])


def print_heard(summary: Summary) -> None:
    """Which machines were heard, by whom, and what was left out."""
    say(
        "Machines heard: {machines}, of which identified: {identified}, unsupported: {unsupported}.",
        machines=summary.machines,
        identified=summary.identified,
        unsupported=summary.statuses[Status.UNSUPPORTED],
    )
    if summary.sources:
        rows = [
            [Cell(name), Cell(str(number))]
            for name, number in sorted(summary.sources.items(), key=lambda each: (-each[1], each[0]))
        ]
        heads = [Column(heading("source")), Column(heading("machines"), figures=True)]
        write_lines(table(heads, rows, width=terminal_width()))
    if summary.outside:
        say("Left out, as no ward of the site file has their address: {number}.", number=len(summary.outside))
    if summary.homeless:
        say("Left out, as only their network card is known: {number}.", number=len(summary.homeless))
    if summary.outdated:
        say("Left out, as something newer is known that contradicts: {number}.", number=summary.outdated)


def summary_object(summary: Summary, heard: Heard) -> dict[str, object]:
    """The same, for programs."""
    statuses = {status.value: summary.statuses[status] for status in Status}
    sources = dict(sorted(summary.sources.items()))
    more = {"statuses": statuses, "sources": sources, "interrupted": heard.interrupted}
    return {"scan": summary.scan, **heard.counts(), **summary.counts(), **more}


def tell_packets(heard: Heard) -> None:
    """How much an interface told, by the kernel's count."""
    tell("{packets} packets heard, {lost} lost by the kernel", packets=heard.packets, lost=heard.lost)
