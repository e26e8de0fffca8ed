"""The report for an auditor: how it was found out, of what, with which proofs, and what it cannot tell."""

from __future__ import annotations

import hashlib
import heapq
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Final

from scanner.addresses import AddressSet
from scanner.classify import default_classifier
from scanner.inventory import (
    CoverageRow,
    asset_detail,
    assets_rows,
    breakers_rows,
    count_rows,
    coverage_rows,
)
from scanner.inventory.campaigns.reading import campaigns_rows
from scanner.inventory.rows import Filters
from scanner.inventory.sent import sent_rows
from scanner.model import Status
from scanner.probes import probes
from scanner.reports.asked import scans_of
from scanner.reports.counts import all_of
from scanner.reports.rendering import render
from scanner.reports.typography import DASH
from scanner.transport.limits import PROFILES, REFUSED_PORTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from scanner.classify import Step
    from scanner.inventory import Asset, Inventory
    from scanner.reports.asked import Asked

SAMPLE: Final = 3
"""Machines of each status whose proof is told."""
SCANS: Final = 20
"""Scans that are listed, the newest ones."""


def auditor(inventory: Inventory, asked: Asked) -> str:
    """The report as HTML.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    today, sites = asked.today, asked.sites
    scans = scans_of(inventory, asked)
    covered = _covered(inventory, asked)
    return render(
        "auditor.html",
        asked.language,
        today,
        asked=asked,
        scans=scans[:SCANS],
        number_of_scans=len(scans),
        last=max((scan.ended or scan.started for scan in scans), default=None),
        versions=dict(scans[0].versions) if scans else {},
        data=default_classifier().version,
        profiles=[PROFILES[name] for name in sorted({scan.profile for scan in scans}) if name in PROFILES],
        probes=probes(),
        refused=_ranges(REFUSED_PORTS),
        covered=covered,
        all_covered=reduce(CoverageRow.plus, covered, CoverageRow({}, excluded=0, passive=0)),
        stopped=[row for row in breakers_rows(inventory) if asked.holds(row.site)],
        whole=all_of(count_rows(inventory, by=("site", "ward"), sites=sites, today=today)),
        systems=count_rows(inventory, by=("os",), sites=sites, today=today),
        statuses=count_rows(inventory, by=("status",), sites=sites, today=today),
        sample=tuple(_proofs(inventory, asked)),
        each=SAMPLE,
        sent=sent_rows(inventory, sites),
        campaigns=[row for row in campaigns_rows(inventory) if asked.holds(row.site)],
    )


def _covered(inventory: Inventory, asked: Asked) -> list[CoverageRow]:
    rows = coverage_rows(inventory, by=("site", "ward"), site=asked.file)
    return [row for row in rows if asked.holds(row.keys["site"])]


def _ranges(ports: Iterable[int]) -> str:
    runs = AddressSet((port, port) for port in ports).spans
    return ", ".join(str(first) if first == last else f"{first}{DASH}{last}" for first, last in runs)


@dataclass(frozen=True, slots=True)
class Proof:
    """What is said of one machine, and why."""

    asset: Asset
    """With its evidence."""
    steps: tuple[Step, ...]
    """Those that tell something."""
    observations: int
    attempts: int
    """Of the ledger, to its address."""


def _proofs(inventory: Inventory, asked: Asked) -> Iterator[Proof]:
    """The proofs of the sample, status by status."""
    classifier = default_classifier()
    for asset in sample(assets_rows(inventory, Filters(sites=asked.sites), today=asked.today)):
        detail = asset_detail(inventory, asset.id, today=asked.today)
        steps = classifier.proof(detail.asset.evidence)
        told = tuple(step for step in steps if step.told is not None)
        yield Proof(detail.asset, told, len(detail.observations), len(detail.ledger))


def sample(assets: Iterable[Asset], each: int = SAMPLE) -> list[Asset]:
    """So many machines of each status: those whose digest is smallest, which nobody chooses."""
    lots: dict[Status, list[tuple[int, int, Asset]]] = {status: [] for status in Status}
    for asset in assets:
        key = int.from_bytes(
            hashlib.sha256(f"{asset.place.site} {asset.address} {asset.id}".encode()).digest()
        )
        lot, entry = lots[asset.verdict.status], (-key, asset.id, asset)
        if len(lot) < each:
            heapq.heappush(lot, entry)
        else:
            heapq.heappushpop(lot, entry)
    return [asset for lot in lots.values() for _, _, asset in sorted(lot, key=lambda entry: -entry[0])]
