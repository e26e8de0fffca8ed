"""Running a scan from a command: its inventory, its record, its progress, its summary."""

from __future__ import annotations

import platform
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from scanner.addresses import IPV6_END, AddressSet
from scanner.classify import default_classifier
from scanner.cli.terminal.logs import event
from scanner.cli.terminal.output import tell
from scanner.cli.terminal.progress import duration, progress
from scanner.inventory import (
    Recorder,
    inventory_exists,
    open_inventory,
    settle_registers,
    unfinished_scan,
)
from scanner.inventory.findings.today import settle
from scanner.scan import SPARED_FOR, Lore, Past, Settling, listened_to, lore_of, past_of, run

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from scanner.config import SiteSource
    from scanner.inventory import ScanRow
    from scanner.scan import Ground, Request, Tally
    from scanner.sweep.plan import Share


@dataclass(frozen=True, slots=True)
class Job:
    """A scan that is ready to be carried out."""

    ground: Ground
    request: Request
    source: SiteSource | None
    database: str
    today: date
    """The day by which verdicts are judged while it goes."""
    resumed: ScanRow | None = None
    """The unfinished scan that it goes on with."""


def known_of(database: str, source: SiteSource | None) -> tuple[Lore, ScanRow | None]:
    """What earlier scans of a site say, and the one that was not finished; nothing is made or changed.

    Raises:
        VetusteError: there is an inventory, and it cannot be read.
    """
    if not inventory_exists(database):
        return Lore(), None
    site = source.file.site.name if source else ""
    with open_inventory(database) as inventory:
        return lore_of(inventory, site), unfinished_scan(inventory, site)


def spared(lore: Lore, database: str, source: SiteSource | None) -> Lore:
    """The same, with the hosts of which listening told enough in the last days.

    Raises:
        VetusteError: there is an inventory, and it cannot be read.
    """
    if not inventory_exists(database):
        return lore
    site = source.file.site.name if source else ""
    with open_inventory(database) as inventory:
        listened = listened_to(inventory, site, datetime.now(UTC), SPARED_FOR)
        certain = listened.certain(default_classifier(), AddressSet([(0, IPV6_END)]))
    return replace(lore, certain=certain)


def perform(job: Job) -> Tally:
    """Carry a scan out, into an inventory that is made where there is none.

    Raises:
        VetusteError: nothing could be recorded, or the network went away; what was recorded is kept.
    """
    classifier = default_classifier()
    ground, resumed = job.ground, job.resumed
    with open_inventory(job.database, create=True) as inventory:
        recorder = Recorder(
            inventory,
            job.source.file if job.source else None,
            profile=ground.profile,
            scope=ground.scope,
            versions={"data": classifier.version, "python": platform.python_version()},
            started=datetime.now(UTC),
            request=job.request.options(),
            digest=job.source.digest if job.source else "",
            spans=ground.asked.spans,
            resumed=resumed.id if resumed else None,
        )
        past = past_of(inventory, resumed.id) if resumed else Past()
        listened = listened_to(inventory, job.source.file.site.name if job.source else "", datetime.now(UTC))
        settling = Settling(classifier, job.today, ground.policies, listened)
        scan = _Scan(recorder.scan_id, job.source.file.site.name if job.source else "", ground.profile)
        with progress() as screen, scan.logged(resumed=resumed is not None):
            scan.tally = tally = run(ground, recorder, settling, screen, past)
        settle_registers(inventory, classifier)
        settle(inventory)
        return tally


@dataclass(slots=True)
class _Scan:
    """A scan in the log."""

    id: int
    site: str
    profile: str
    tally: Tally | None = None
    """What it did, once it has ended; None: it failed."""

    @contextmanager
    def logged(self, *, resumed: bool) -> Iterator[None]:
        """Log its beginning, and its end however it comes to it."""
        told: dict[str, Any] = {"scan": self.id, "site": self.site, "profile": self.profile}
        began = time.monotonic()
        event("scan_begun", resumed=resumed, **told)
        try:
            yield
        finally:
            tally, seconds = self.tally, round(time.monotonic() - began, 3)
            state = "failed" if tally is None else "interrupted" if tally.interrupted else "done"
            counts = {} if tally is None else {**tally.counts(), "breakers": len(tally.trips)}
            event("scan_ended", state=state, seconds=seconds, counts=counts, **told)


def summarise(tally: Tally, ground: Ground) -> None:
    """What was done, on standard error: the figures themselves are for ``count``."""
    seconds = (datetime.now(UTC) - tally.started).total_seconds()
    tell(
        "{visited} addresses visited in {duration}: {seen} machines seen, {identified} identified, "
        "{attempts} connection attempts ({profile})",
        visited=tally.visited,
        duration=duration(seconds),
        seen=tally.seen,
        identified=tally.identified,
        attempts=tally.attempts,
        profile=ground.profile,
    )
    if ground.untouched:
        tell(
            "{number} addresses were not touched: excluded or passive (vetuste coverage)",
            number=ground.untouched,
        )
    if ground.held_off:
        tell(
            "{number} addresses were not touched: fragile, or stopped (vetuste breaker fragile, list)",
            number=ground.held_off,
        )
    if ground.heard:
        tell(
            "{number} addresses were not asked: already heard, listening told enough of their machines",
            number=ground.heard,
        )
    if tally.phantoms:
        tell(
            "{number} addresses are no machines: a firewall or a router answers for them, all alike",
            number=tally.phantoms,
        )
    for trip in tally.trips:
        tell(
            "{subnet} was stopped by the circuit breaker: vetuste breaker clear {subnet}, then scan --resume",
            subnet=trip.subnet,
        )
    if tally.interrupted:
        tell("interrupted: what was learnt up to here is kept; vetuste scan --resume goes on")


def plan_rows(shares: Sequence[Share]) -> list[dict[str, object]]:
    """A plan as a list for programs: one row a profile, least and most."""
    return [
        {
            "profile": share.profile,
            "addresses": share.addresses,
            "ports": list(share.ports),
            "probes": {name: list(where) for name, where in share.probes.items()},
            "not_asked": {name: why.render() for name, why in share.unasked.items()},
            **{
                f"{name}_{end}": round(getattr(getattr(share, name), end))
                for name in ("connections", "packets", "seconds")
                for end in ("least", "most")
            },
        }
        for share in shares
    ]
