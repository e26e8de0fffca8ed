"""The beginning of a scan: its row, and the certainty that no other scan comes to the same hosts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import insert, select, update

from scanner.addresses import AddressSet, address_of
from scanner.errors import InventoryError
from scanner.inventory.delivered import going_on
from scanner.inventory.tables import CAMPAIGN_SCANS, SCANS, SITES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from scanner.addresses import Span
    from scanner.inventory.database import Database


@dataclass(frozen=True, slots=True)
class Intent:
    """What a scan is going to do."""

    profile: str
    scope: str
    versions: Mapping[str, str]
    started: datetime
    request: Mapping[str, object]
    digest: str
    spans: Sequence[Span]


def begin_scan(
    connection: Connection, database: Database, site_id: int, intent: Intent, resumed: int | None
) -> tuple[int, datetime]:
    """Write the beginning of a scan, or of the rest of one; gives its id, and when it was started.

    Raises:
        InventoryError: a living scan comes to the same hosts, or there is nothing to resume.
    """
    spans = intent.spans
    if resumed is not None and not spans:
        spans = json.loads(connection.scalar(select(SCANS.c.spans).where(SCANS.c.id == resumed)) or "[]")
    _demand_apart(connection, database, site_id, spans)
    if resumed is not None:
        return resumed, _resume(connection, database, site_id, resumed, intent)
    return _insert(connection, site_id, intent), intent.started


def _demand_apart(connection: Connection, database: Database, site_id: int, spans: Sequence[Span]) -> None:
    """Go on only where no living scan comes to one of these addresses; the dead are marked as killed.

    One address is one host for all scans of a machine, whatever site they are of. Two sites may use the same
    addresses for different hosts: their scans are apart where other machines carry them out.
    """
    ours = AddressSet(spans)
    columns = (SCANS.c.id, SCANS.c.started, SCANS.c.spans, SCANS.c.site_id, SITES.c.name)
    running = select(*columns).join(SITES).where(SCANS.c.state == "running")
    named = connection.scalar(select(SITES.c.name).where(SITES.c.id == site_id))
    elsewhere = going_on(connection)
    for scan, started, theirs, site, name in connection.execute(running).all():
        if scan in elsewhere:
            continue  # nothing of it is sent from here
        lock = database.lock(scan)
        if not lock.held():
            lock.forget()
            connection.execute(update(SCANS).where(SCANS.c.id == scan).values(state="killed"))
            continue
        shared = [
            max(first, low) for first, last in json.loads(theirs) for low, _ in ours.overlapping(first, last)
        ]
        if shared and not (named and name and site != site_id and lock.elsewhere()):
            raise InventoryError(
                "scan {scan}, running since {since} UTC, comes to {address} as well: "
                "wait until it ends, or halt it with vetuste stop",
                file=database.place,
                scan=scan,
                since=f"{started:%Y-%m-%d %H:%M}",
                address=address_of(min(shared)),
            )


def _insert(connection: Connection, site_id: int, intent: Intent) -> int:
    row = {
        "site_id": site_id,
        "started": intent.started,
        "state": "running",
        "profile": intent.profile,
        "scope": intent.scope,
        "versions": json.dumps(dict(intent.versions)),
        "counts": "{}",
        "request": json.dumps(dict(intent.request), ensure_ascii=False),
        "digest": intent.digest,
        "spans": json.dumps(list(intent.spans)),
    }
    scan_id: int = connection.execute(insert(SCANS).values(row).returning(SCANS.c.id)).scalar_one()
    return scan_id


def _resume(connection: Connection, database: Database, site_id: int, scan: int, intent: Intent) -> datetime:
    """Set a scan running again; what was asked for stays, and so do its addresses where none are named."""
    if connection.scalar(select(CAMPAIGN_SCANS.c.scan_id).where(CAMPAIGN_SCANS.c.scan_id == scan).limit(1)):
        raise InventoryError(
            "scan {scan} is sealed by a campaign, and cannot be resumed: begin a new one (--fresh)",
            file=database.place,
            scan=scan,
        )
    unfinished = (SCANS.c.id == scan, SCANS.c.site_id == site_id, SCANS.c.state.not_in(["done", "running"]))
    row = {"state": "running", "ended": None, "versions": json.dumps(dict(intent.versions))}
    if intent.spans:
        row["spans"] = json.dumps(list(intent.spans))
    started: datetime | None = connection.scalar(
        update(SCANS).where(*unfinished).values(row).returning(SCANS.c.started)
    )
    if started is None:
        raise InventoryError(
            "scan {scan} cannot be resumed: somebody else resumed it meanwhile",
            file=database.place,
            scan=scan,
        )
    return started
