"""Writing down a scan that another inventory recorded: in one transaction, by the writers of our own scans.

What it heard is kept as it was; what machines are is decided here, by the data of this program. What is known
of a machine from a later day stays as it is, and what was brought before is not written again.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select, update

from scanner.addresses import AddressSet, address_of
from scanner.errors import DataError
from scanner.inventory.blocks import number_of_block
from scanner.inventory.carried import Taken
from scanner.inventory.interning import Numbers
from scanner.inventory.phantoms import settle_phantoms
from scanner.inventory.places import keep_site
from scanner.inventory.tables import CAMPAIGN_SCANS, LEDGER, SCANS, SITES, TAKEN, VISITS, WARDS
from scanner.inventory.transactions import writing
from scanner.inventory.unloading import AHEAD, Unloading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from sqlalchemy.engine import Connection

    from scanner.classify import Classifier
    from scanner.inventory.carried import Carried, Item
    from scanner.inventory.giving import Head
    from scanner.inventory.store import Inventory


def take_scan(
    inventory: Inventory,
    carried: Carried,
    items: Callable[[], Iterable[Item]],
    classifier: Classifier,
    scan: int | None = None,
) -> Taken:
    """Write a scan down, all of it or nothing.

    Args:
        inventory: where to.
        carried: what is known of it.
        items: begins to read what it brought: hosts, attempts, visits and the rest, in this order.
        classifier: makes identities of evidence.
        scan: a scan of ours that it belongs to; None: it is one of its own.

    Raises:
        DataError: it is of the future, or older than a scan that came to the same addresses.
        InventoryError: the inventory cannot be written.
    """
    with writing(inventory) as connection:
        before = _already(connection, carried, scan)
        if before is not None:
            return Taken(before, already=True)
        _demand_past(carried.head)
        site_id, wards = _site(connection, carried)
        number = (
            _begin(connection, site_id, carried)
            if scan is None
            else _go_on(connection, site_id, carried, scan)
        )
        row = {"key": carried.key, "scan_id": number, "at": datetime.now(UTC), "digest": carried.digest}
        connection.execute(insert(TAKEN).values(row))
        numbers = Numbers(site_id, classifier.version, wards)
        taking = Unloading(
            connection, carried, classifier, numbers, Taken(number), _started(connection, number)
        )
        for item in items():
            taking.add(item)
        taking.finish()
        if scan is None:
            _demand_newest(connection, site_id, number)
        return taking.taken


def _already(connection: Connection, carried: Carried, scan: int | None) -> int | None:
    """The scan that this is, where it was taken before, or was made here."""
    found: int | None = connection.scalar(select(TAKEN.c.scan_id).where(TAKEN.c.key == carried.key))
    if found is None and scan is None:
        same = (SITES.c.name == carried.head.name, SCANS.c.started == carried.head.started)
        found = connection.scalar(select(func.min(SCANS.c.id)).join(SITES).where(*same))
    return found


def _demand_past(head: Head) -> None:
    if max(head.started, head.ended or head.started) > datetime.now(UTC) + AHEAD:
        raise DataError("its scan is of the future: the clock there or here is wrong")


def _site(connection: Connection, carried: Carried) -> tuple[int, dict[str, int]]:
    """The site's id, and those of its wards; how it was then is not written over how it was later."""
    newer = select(SITES.c.id).join(SCANS).where(SITES.c.name == carried.head.name)
    known = connection.scalar(newer.where(SCANS.c.started > carried.head.started).limit(1))
    if known is None or carried.here:
        return keep_site(connection, carried.file)
    wards = select(WARDS.c.name, WARDS.c.id).where(WARDS.c.site_id == known)
    return known, {row.name: row.id for row in connection.execute(wards)}


def _begin(connection: Connection, site_id: int, carried: Carried) -> int:
    head = carried.head
    row = {
        "site_id": site_id,
        "started": head.started,
        "ended": None if carried.part else head.ended,
        "state": "running" if carried.part else head.state,
        "profile": head.profile,
        "scope": head.scope,
        "versions": json.dumps(dict(head.versions)),
        "counts": json.dumps(dict(head.counts)),
        "request": json.dumps(dict(head.request), ensure_ascii=False),
        "digest": head.digest,
        "spans": json.dumps(list(head.spans)),
    }
    number: int = connection.execute(insert(SCANS).values(row).returning(SCANS.c.id)).scalar_one()
    return number


def _go_on(connection: Connection, site_id: int, carried: Carried, scan: int) -> int:
    """Add another part's addresses to a scan.

    Raises:
        DataError: it is another site's, there is none, or a campaign sealed it.
    """
    row = connection.execute(
        select(SCANS).where(SCANS.c.id == scan, SCANS.c.site_id == site_id)
    ).one_or_none()
    if row is None:
        raise DataError("scan {scan} is none of {site}", scan=scan, site=repr(carried.head.name))
    if connection.scalar(select(CAMPAIGN_SCANS.c.scan_id).where(CAMPAIGN_SCANS.c.scan_id == scan).limit(1)):
        raise DataError("scan {scan} is sealed by a campaign: nothing is added to it", scan=scan)
    spans = AddressSet((*map(tuple, json.loads(row.spans)), *carried.head.spans)).spans
    values = {"spans": json.dumps(spans), "started": min(row.started, carried.head.started)}
    if values["started"] != row.started:  # what was sent is told by its distance from there
        shift = (row.started - carried.head.started) // timedelta(milliseconds=1)
        connection.execute(update(LEDGER).where(LEDGER.c.scan_id == scan).values(at=LEDGER.c.at + shift))
    connection.execute(update(SCANS).where(SCANS.c.id == scan).values(values))
    return scan


def _started(connection: Connection, scan: int) -> datetime:
    started: datetime = connection.execute(select(SCANS.c.started).where(SCANS.c.id == scan)).scalar_one()
    return started


def _demand_newest(connection: Connection, site_id: int, scan: int) -> None:
    """Go on only where no newer scan came to the same addresses: history is told in the order of scans.

    Raises:
        DataError: one did.
    """
    mine = VISITS.alias()
    wanted = (
        select(
            SCANS.c.id, SCANS.c.started, mine.c.version, mine.c.block, mine.c.addresses, VISITS.c.addresses
        )
        .select_from(mine)
        .join(VISITS, (VISITS.c.version == mine.c.version) & (VISITS.c.block == mine.c.block))
        .join(SCANS, SCANS.c.id == VISITS.c.scan_id)
        .where(
            mine.c.scan_id == scan, SCANS.c.site_id == site_id, SCANS.c.started > _started(connection, scan)
        )
    )
    for other, started, version, block, bits, theirs in connection.execute(wanted):
        both = int.from_bytes(bits, "little") & int.from_bytes(theirs, "little")
        if both:
            number = number_of_block(version, block) + (both & -both).bit_length() - 1
            raise DataError(
                "scan {scan}, of {since} UTC, is newer and came to {address} as well: bundles are imported "
                "in the order of their scans, the oldest first",
                scan=other,
                since=f"{started:%Y-%m-%d %H:%M}",
                address=address_of(number),
            )


def end_scan(
    inventory: Inventory, scan: int, state: str, counts: Mapping[str, int], ended: datetime | None
) -> None:
    """Look for phantoms in what it brought, and close it.

    Raises:
        InventoryError: the inventory cannot be written.
    """
    row = {"state": state, "counts": json.dumps(dict(counts)), "ended": ended}
    with writing(inventory) as connection:
        site_id = connection.execute(select(SCANS.c.site_id).where(SCANS.c.id == scan)).scalar_one()
        settle_phantoms(connection, site_id, scan)
        connection.execute(update(SCANS).where(SCANS.c.id == scan).values(row))
