"""One machine: what it is, why that is so, what was sent to it, where it was, what is to be done."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException

from scanner.classify import default_classifier
from scanner.dashboard.pages import Page
from scanner.dashboard.pages.machines import PATH
from scanner.dashboard.rendering import render
from scanner.inventory import causes
from scanner.inventory.machine import NEWEST, Machine, machine_of
from scanner.inventory.words import OUTCOME, known_by, tied
from scanner.wire import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from starlette.requests import Request
    from starlette.responses import Response

    from scanner.classify import Step
    from scanner.dashboard.house import House
    from scanner.inventory import Asset, Finding, Heard, LedgerRow
    from scanner.language import Message
    from scanner.model import Verdict

_ID: Final = re.compile(r"[0-9]{1,18}")
"""What fits into every database; no asset has the id 0."""
_LINES: Final = 40
"""Lines of the ledger that are shown one by one; more are summed up by scan."""


@dataclass(frozen=True, slots=True)
class _Proof:
    """One piece of evidence: what it proves, and who heard it."""

    step: Step
    heard: Heard | None
    """None: a register says it."""


@dataclass(frozen=True, slots=True)
class _Sent:
    """What one scan sent to the machine."""

    scan: int
    first: datetime
    last: datetime
    attempts: int
    sent: int
    received: int


def machine(request: Request) -> Response:
    """The page; who may not see the machine is told what they are told where there is none."""
    house: House = request.app.state.house
    number, visitor = request.path_params["id"], request.state.visitor
    asset_id = int(number) if _ID.fullmatch(number) else 0
    found = machine_of(house.inventory, asset_id, visitor.sees, today=house.today)
    if found is None:
        raise HTTPException(404)
    asset, ledger = found.asset, found.detail.ledger
    proofs = tuple(_proofs(found))
    told = {proof.step.told for proof in proofs}
    return render(
        request,
        "machine.html",
        machine=found,
        asset=asset,
        title=printable(asset.name or asset.address, 80),
        where=_where(asset),
        passive=_is_passive(house, asset),
        candidates=sorted(asset.candidates, key=lambda each: (str(each.end or "9"), each.name)),
        interval=_interval(asset.verdict),
        reasons=[reason for reason in asset.identity.reasons if reason not in told],
        why=_why(asset),
        proofs=[proof for proof in proofs if proof.step.told is not None],
        unused=[proof for proof in proofs if proof.step.told is None],
        ledger=ledger if len(ledger) <= _LINES else (),
        sums=tuple(_sums(ledger)) if len(ledger) > _LINES else (),
        newest=NEWEST,
        outcome=OUTCOME,
        tied=tied,
        known_by=lambda how: known_by(how, visitor.language),
        cause=lambda finding: _cause(finding, visitor.language),
        findings=[each for each in found.findings if each.is_live]
        + [each for each in found.findings if not each.is_live],
        today_is=house.today,
    )


def _where(asset: Asset) -> tuple[str, ...]:
    place = asset.place
    return tuple(filter(None, (place.site, place.ward, place.building, place.floor, place.unit)))


def _is_passive(house: House, asset: Asset) -> bool:
    site, place = house.site, asset.place
    if site is None or site.site.name != place.site:
        return False
    return any(ward.name == place.ward and ward.passive_only for ward in site.wards)


def _interval(verdict: Verdict) -> tuple[str, ...]:
    """The earliest and the latest end of support, once where they are one."""
    return tuple(dict.fromkeys(str(day) for day in (verdict.earliest, verdict.latest) if day))


def _why(asset: Asset) -> list[Message]:
    """Reasons of the verdict that the table of candidates does not tell."""
    told = {(release.name, str(release.end)) for release in asset.candidates}
    return [
        reason
        for reason in asset.verdict.reasons
        if (reason.values.get("release"), reason.values.get("date")) not in told
    ]


def _proofs(found: Machine) -> Iterator[_Proof]:
    """The steps from evidence to candidates, each with the newest conversation that heard it."""
    heard: dict[tuple[str, str], Heard] = {}
    for each in found.detail.observations:
        heard.update({(key, value): each for key, values in each.evidence.items() for value in values})
    for step in default_classifier().proof(found.asset.evidence):
        yield _Proof(step, heard.get((step.key, step.value)))


def _sums(ledger: Sequence[LedgerRow]) -> Iterator[_Sent]:
    """What each scan sent, the newest first."""
    by_scan = sorted(ledger, key=lambda row: (-row.scan, row.attempt.at))
    for scan, rows in groupby(by_scan, key=lambda row: row.scan):
        attempts = [row.attempt for row in rows]
        sent, received = sum(each.sent for each in attempts), sum(each.received for each in attempts)
        yield _Sent(scan, attempts[0].at, attempts[-1].at, len(attempts), sent, received)


def _cause(finding: Finding, language: str) -> str:
    known = causes().get(finding.cause)
    return finding.cause if known is None else known.words.render(language)


PAGES: Final = (Page(f"{PATH}/{{id}}", machine),)
