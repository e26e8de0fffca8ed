"""Alarms, and what became of them, as people and programs read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from scanner.alerts.model import Outcome
from scanner.cli.terminal.objects import moment
from scanner.cli.terminal.output import say, write_line, write_lines
from scanner.cli.terminal.table import Cell, Column, table, terminal_width
from scanner.cli.terminal.words import heading
from scanner.inventory import SUMMARY
from scanner.language import Message, translate

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from scanner.alerts import Result, Summary
    from scanner.inventory import Delivery, Raised

_OUTCOMES: Final = {
    Outcome.SENT: Message("{channel}: told of {number}"),
    Outcome.NOTHING: Message("{channel}: nothing to tell"),
    Outcome.QUIET: Message("{channel}: quiet hours, {number} kept until they end"),
    Outcome.FAILED: Message("{channel}: failed, {number} kept for the next try: {why}"),
    Outcome.BUSY: Message("{channel}: another process was sending all the time; {number} kept"),
}
_TESTED: Final = {
    Outcome.SENT: Message("{channel}: took the test"),
    Outcome.FAILED: Message("{channel}: failed: {why}"),
}


def alarm_object(raised: Raised) -> dict[str, Any]:
    """An alarm for programs."""
    return {
        "id": raised.id,
        "site": raised.site,
        "rule": raised.rule,
        "subject": raised.alarm.subject,
        "ward": raised.alarm.ward,
        "address": raised.alarm.address,
        "says": raised.alarm.told.render(),
        "raised": moment(raised.raised),
        "cleared": _moment(raised.cleared),
        "channels": [
            {
                "channel": each.channel,
                "sent": _moment(each.sent),
                "tries": each.tries,
                "tried": _moment(each.tried),
                "why": each.why.render() if each.why else None,
            }
            for each in raised.deliveries
        ],
    }


def print_alarms(alarms: Sequence[Raised]) -> None:
    """A table, newest first."""
    heads = [
        Column(translate("raised (UTC)")),
        Column(translate("rule")),
        Column(heading("ward")),
        Column(translate("what")),
        Column(translate("told")),
    ]
    rows = [
        [
            Cell(f"{each.raised:%Y-%m-%d %H:%M}"),
            Cell(each.rule),
            Cell(each.alarm.ward),
            Cell(_what(each)),
            Cell("; ".join(map(_delivery, each.deliveries)) or translate("summed up")),
        ]
        for each in alarms
    ]
    write_lines(table(heads, rows, width=terminal_width()))
    say()
    say("Alarms: {number}.", number=len(alarms))


def print_sent(summary: Summary) -> None:
    """What a call of ``alert send`` did."""
    say("Alarms raised: {raised}, cleared: {cleared}.", raised=summary.raised, cleared=summary.cleared)
    _print(summary.results, _OUTCOMES)


def print_tested(summary: Summary) -> None:
    """The same of ``alert test``."""
    _print(summary.results, _TESTED)


def summary_object(summary: Summary) -> dict[str, Any]:
    """The same for programs."""
    return {
        "raised": summary.raised,
        "cleared": summary.cleared,
        "channels": [
            {
                "channel": each.channel,
                "outcome": each.outcome.value,
                "alarms": each.alarms,
                "why": each.why.render() if each.why else None,
            }
            for each in summary.results
        ],
    }


def _print(results: Sequence[Result], words: dict[Outcome, Message]) -> None:
    for each in results:
        why = each.why.render() if each.why else ""
        values = {"channel": each.channel, "number": str(each.alarms), "why": why}
        write_line(Message(words[each.outcome].text, values).render())


def _what(each: Raised) -> str:
    told = each.alarm.told.render()
    if each.cleared is None or each.alarm.subject == SUMMARY:
        return told
    over = Message("over since {moment} UTC", {"moment": f"{each.cleared:%Y-%m-%d %H:%M}"})
    return f"{told} ({over.render()})"


def _delivery(each: Delivery) -> str:
    if each.sent is not None:
        return f"{each.channel} {each.sent:%Y-%m-%d %H:%M}"
    if each.why is None:
        return Message("{channel} waits", {"channel": each.channel}).render()
    values = {"channel": each.channel, "number": str(each.tries), "why": each.why.render()}
    return Message("{channel} failed ({number}): {why}", values).render()


def _moment(of: datetime | None) -> str | None:
    return None if of is None else moment(of)
