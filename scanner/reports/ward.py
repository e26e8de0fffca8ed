"""The report for a ward: the machines to fetch, the most pressing first, with room to tick."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scanner.errors import ConfigError
from scanner.exports.actions import action_for
from scanner.exports.remediation import STATES
from scanner.inventory import State, causes, count_rows, ranked_assets, risk_of
from scanner.inventory.rows import Filters
from scanner.model import Status
from scanner.reports.asked import scans_of
from scanner.reports.counts import all_of
from scanner.reports.rendering import render
from scanner.reports.typography import name

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from scanner.inventory import Asset, CountRow, Finding, Inventory
    from scanner.reports.asked import Asked

LISTED: Final = 40
"""Machines that the report lists; the file beside it has them all."""


@dataclass(frozen=True, slots=True)
class Task:
    """One machine that somebody must act on."""

    asset: Asset
    score: int
    why: str
    what: str
    """What is to be done; empty where a finding alone says it."""
    findings: tuple[str, ...]
    states: tuple[str, ...]
    """Without that of most: open."""
    owner: str
    due: tuple[date, ...]
    """The days it was given; else the day that support ends or ended."""
    is_given: bool
    """Whether somebody gave it that day."""


def ward(inventory: Inventory, asked: Asked) -> str:
    """The report as HTML.

    Raises:
        ConfigError: there is no such ward.
        InventoryError: the inventory cannot be read.
    """
    wanted = Filters(sites=asked.sites, ward=asked.ward)

    def counted(status: Status | None) -> list[CountRow]:
        rows = count_rows(inventory, by=("site", "ward"), status=status, sites=asked.sites, today=asked.today)
        return [
            row for row in rows if row.keys["ward"] and wanted.of_place(row.keys["site"], row.keys["ward"])
        ]

    everything = counted(None)
    if not everything:
        raise ConfigError("there is no ward {ward} in the inventory (vetuste count)", ward=repr(asked.ward))
    tasks: list[Task] = []
    number = 0
    for asset in ranked_assets(inventory, wanted, today=asked.today):
        live = [finding for finding in asset.findings if finding.is_live]
        number += bool(live)
        if live and len(tasks) < LISTED:
            tasks.append(_task(asset, live, asked))
    scans = scans_of(inventory, asked)
    return render(
        "ward.html",
        asked.language,
        asked.today,
        asked=asked,
        title=name(", ".join(dict.fromkeys(row.keys["ward"] for row in everything))),
        wards=[(row.keys["site"], row.keys["ward"]) for row in everything],
        whole=all_of(everything),
        without=all_of(counted(Status.UNSUPPORTED)),
        tasks=tasks,
        number_of_tasks=number,
        last=max((scan.ended or scan.started for scan in scans), default=None),
    )


def _task(asset: Asset, live: list[Finding], asked: Asked) -> Task:
    known, language = causes(), asked.language
    told = asset.evidence
    risk = risk_of(asset.verdict, asset.identity.certainty, told, asset.place.criticality, asked.today)
    action = action_for(asset, asked.today)
    given = tuple(sorted({finding.standing.due for finding in live if finding.standing.due}))
    fallback = () if action.due is None else (action.due,)
    return Task(
        asset,
        risk.score,
        risk.render(language),
        "" if action.what is None else action.what.render(language),
        tuple(
            known[each.cause].words.render(language) if each.cause in known else each.cause for each in live
        ),
        tuple(
            STATES[state].render(language)
            for state in STATES
            if state is not State.OPEN and any(each.standing.state is state for each in live)
        ),
        _joined(each.standing.owner for each in live) or asset.place.owner,
        given or fallback,
        bool(given),
    )


def _joined(texts: Iterable[str]) -> str:
    return " / ".join(dict.fromkeys(text for text in texts if text))
