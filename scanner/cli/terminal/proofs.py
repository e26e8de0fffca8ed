"""The proof of one machine: evidence, fingerprints, candidates, dates, verdict, and what was sent."""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

import click

from scanner.cli.terminal.ledger_lines import attempt_object, print_attempts
from scanner.cli.terminal.objects import asset_object, day, moment
from scanner.cli.terminal.output import say, say_under, write_line, write_lines
from scanner.cli.terminal.switches import coloured
from scanner.cli.terminal.table import Cell, Column, table, terminal_width
from scanner.cli.terminal.unasked import print_unasked
from scanner.cli.terminal.words import CERTAINTY, COLOUR, OUTCOME, ROLE, STATUS
from scanner.language import translate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scanner.classify import Step
    from scanner.inventory import Asset, AssetDetail, Heard, LedgerRow
    from scanner.language import Message
    from scanner.model import Release

_LINES: Final = 40
"""Lines of the ledger that are shown one by one; more are summed up by scan."""


def proof_object(detail: AssetDetail, steps: Sequence[Step]) -> dict[str, Any]:
    """The proof as ``explain --json`` prints it."""
    return {
        **asset_object(detail.asset),
        "evidence": {key: list(values) for key, values in detail.asset.evidence.items()},
        "data_version": detail.asset.data_version,
        "displaced": detail.displaced and moment(detail.displaced),
        "proof": [_step_object(step) for step in steps],
        "observations": [_heard_object(heard) for heard in detail.observations],
        "asked_by": detail.asked_by,
        "not_asked": {probe: why.render() for probe, why in detail.unasked.items()},
        "ledger": [attempt_object(row) for row in detail.ledger],
    }


def _step_object(step: Step) -> dict[str, Any]:
    return {
        "key": step.key,
        "value": step.value,
        "fingerprint": step.fingerprint or None,
        "file": step.file or None,
        "asserts": dict(step.asserts),
        "names": dict(step.names),
        "remaining": list(step.remaining),
    }


def _heard_object(heard: Heard) -> dict[str, Any]:
    return {
        "scan": heard.scan,
        "endpoint": heard.endpoint,
        "probe": heard.probe,
        "at": moment(heard.at),
        "outcome": heard.outcome.value,
        "detail": heard.detail,
        "connections": heard.connections,
        "evidence": {key: list(values) for key, values in heard.evidence.items()},
    }


def print_proof(detail: AssetDetail, steps: Sequence[Step]) -> None:
    """The proof, in the order in which it convinces."""
    asset = detail.asset
    _print_machine(asset)
    if detail.displaced is not None:
        since = f"{detail.displaced:%Y-%m-%d %H:%M}"
        say(
            "Others answer at its address since {since} UTC, and nothing else tells it: it counts nowhere.",
            since=since,
        )
    print_title(translate("Evidence, and what it proves"))
    _print_steps(steps, asset.identity.reasons)
    print_title(translate("Candidates and their dates"))
    _print_candidates(asset.candidates)
    print_title(translate("Verdict"))
    _print_verdict(asset)
    print_title(translate("What was sent to it, and what came back"))
    _print_conversations(detail)
    print_title(translate("Ledger: every connection and datagram to its address"))
    _print_ledger(detail.ledger)


def print_title(title: str) -> None:
    """The title of a part, after an empty line."""
    write_line("")
    write_lines([click.style(title, bold=True) if coloured() else title])


def _print_machine(asset: Asset) -> None:
    place = asset.place
    write_line(
        " ".join(part for part in (asset.address, asset.name, asset.fqdn, asset.domain, asset.mac) if part)
    )
    where = (place.site, place.ward, place.building, place.floor, place.unit, place.owner)
    write_line(", ".join(part for part in where if part))
    seen = {"first": f"{asset.first_seen:%Y-%m-%d %H:%M}", "last": f"{asset.last_seen:%Y-%m-%d %H:%M}"}
    say("asset {id}, first seen {first} UTC, last seen {last} UTC", id=asset.id, **seen)


def _print_steps(steps: Sequence[Step], reasons: Sequence[Message]) -> None:
    for step in steps:
        if step.told is not None:
            write_line(step.told.render())
            if step.asserts and step.proves:
                say_under("asserts: {asserts}", asserts=_pairs(step.asserts))
            elif step.asserts:
                say_under("suggests: {claims}", claims=_pairs(step.asserts))
            if step.names:
                say_under("names: {names}", names=_pairs(step.names))
    told = {step.told for step in steps}
    for reason in reasons:
        if reason not in told:
            write_line(reason.render())
    unused = ", ".join(f"{step.key} = {step.value}" for step in steps if step.told is None)
    if unused:
        say("kept, and used by no fingerprint: {evidence}", evidence=unused)


def _pairs(said: Mapping[str, str]) -> str:
    return ", ".join(f"{key} = {value}" for key, value in said.items())


def _print_candidates(releases: Sequence[Release]) -> None:
    heads = [
        Column(translate("release")),
        Column(translate("role")),
        Column(translate("end of support")),
        Column(translate("paid until")),
        Column(translate("source")),
    ]
    rows = [
        [
            Cell(release.name),
            Cell(ROLE[release.role].render()),
            Cell(day(release.end) or translate("not published")),
            Cell(day(release.esu_end) or "-"),
            Cell(release.source),
        ]
        for release in sorted(releases, key=lambda each: (day(each.end) or "9", each.name))
    ]
    write_lines(table(heads, rows, width=terminal_width()))


def _print_verdict(asset: Asset) -> None:
    verdict = asset.verdict
    status = STATUS[verdict.status].render()
    shown = click.style(status, fg=COLOUR[verdict.status] or None, bold=True) if coloured() else status
    write_lines([f"{shown} ({CERTAINTY[asset.identity.certainty].render()})"])
    if verdict.earliest == verdict.latest and verdict.latest:
        say("support ends on {date}", date=verdict.latest)
    elif verdict.earliest and verdict.latest:
        say("support ends between {earliest} and {latest}", earliest=verdict.earliest, latest=verdict.latest)
    in_the_table = {(release.name, day(release.end)) for release in asset.candidates}
    for reason in verdict.reasons:
        if (reason.values.get("release"), reason.values.get("date")) not in in_the_table:
            write_line(reason.render())
    say("judged with the data of version {version}", version=asset.data_version)


def _print_conversations(detail: AssetDetail) -> None:
    heads = [
        Column(translate("when (UTC)")),
        Column(translate("endpoint")),
        Column(translate("probe")),
        Column(translate("outcome")),
        Column(translate("connections"), figures=True),
    ]
    rows = [
        [
            Cell(f"{heard.at:%Y-%m-%d %H:%M:%S}"),
            Cell(heard.endpoint),
            Cell(heard.probe),
            Cell(" ".join(part for part in (OUTCOME[heard.outcome].render(), heard.detail) if part)),
            Cell(str(heard.connections)),
        ]
        for heard in detail.observations
    ]
    write_lines(table(heads, rows, width=terminal_width()))
    if detail.asked_by is not None:
        say("Last asked by scan {scan}.", scan=detail.asked_by)
    print_unasked(detail.unasked)


def _print_ledger(ledger: Sequence[LedgerRow]) -> None:
    if len(ledger) <= _LINES:
        print_attempts(ledger)
        return
    for scan, rows in groupby(ledger, key=attrgetter("scan")):
        attempts = [row.attempt for row in rows]
        outcomes = Counter(OUTCOME[attempt.outcome].render() for attempt in attempts)
        say(
            "scan {scan}, {first} to {last} UTC: {number} attempts, {sent} bytes sent, {received} received "
            "({outcomes})",
            scan=scan,
            first=f"{attempts[0].at:%Y-%m-%d %H:%M:%S}",
            last=f"{attempts[-1].at:%Y-%m-%d %H:%M:%S}",
            number=len(attempts),
            sent=sum(attempt.sent for attempt in attempts),
            received=sum(attempt.received for attempt in attempts),
            outcomes=", ".join(f"{word} {number}" for word, number in outcomes.items()),
        )
    say("vetuste ledger prints every line of it.")
