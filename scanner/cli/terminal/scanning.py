"""Running a scan from a command: its inventory, its record, its progress, its summary."""

from __future__ import annotations

import platform
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from scanner.classify import default_classifier
from scanner.cli.terminal.output import tell
from scanner.cli.terminal.progress import duration, progress
from scanner.inventory import Recorder, open_inventory
from scanner.scan import run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scanner.config import SiteFile
    from scanner.scan import Ground, Tally
    from scanner.sweep.plan import Share


def perform(ground: Ground, site: SiteFile | None, database: str) -> Tally:
    """Scan a prepared ground into an inventory, made where there is none.

    Raises:
        VetusteError: nothing could be recorded, or the network went away; what was recorded is kept.
    """
    classifier = default_classifier()
    versions = {"data": classifier.version, "python": platform.python_version()}
    with open_inventory(database, create=True) as inventory:
        recorder = Recorder(
            inventory,
            site,
            profile=ground.profile,
            scope=ground.scope,
            versions=versions,
            started=datetime.now(UTC),
        )
        with progress() as show:
            return run(ground, recorder, classifier, show)


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
        tell("{number} addresses were not touched: excluded or passive", number=ground.untouched)
    if tally.interrupted:
        tell("interrupted: what was learnt up to here is kept; scan again to complete it")


def plan_rows(shares: Sequence[Share]) -> list[dict[str, object]]:
    """A plan as a list for programs: one row a profile, least and most."""
    return [
        {
            "profile": share.profile,
            "addresses": share.addresses,
            "ports": list(share.ports),
            **{
                f"{name}_{end}": round(getattr(getattr(share, name), end))
                for name in ("connections", "packets", "seconds")
                for end in ("least", "most")
            },
        }
        for share in shares
    ]
