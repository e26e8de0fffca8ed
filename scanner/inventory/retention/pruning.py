"""``db prune``: in small transactions, so that a scan may write between any two of them.

Whatever ends it, what is left is sound: each transaction takes whole observations with their evidence, and
nothing that another one needs.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, func, select

from scanner.inventory.blocks import block_of
from scanner.inventory.ledger import unpacked
from scanner.inventory.retention.old import (
    alarms_over,
    attempts_after,
    doubled_sights,
    observations_of,
    scans_before,
)
from scanner.inventory.tables import (
    ALARMS,
    ASSETS,
    DELIVERIES,
    EVIDENCE,
    LEDGER,
    OBSERVATIONS,
    SCANS,
    SIGHTS,
    VISITS,
)
from scanner.inventory.transactions import reading, translated, writing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from scanner.inventory.store import Inventory

_ASSETS: Final = 2000
"""Assets whose observations are looked through in one transaction."""
_ADDRESSES: Final = 500
"""The same, of the ledger."""
_IDS: Final = 500
"""Observations that are named in one statement."""


@dataclass(frozen=True, slots=True)
class Keep:
    """Since when what is kept; of scans that ended before, the rest goes. None: everything stays."""

    observations: datetime | None = None
    """Observations, their evidence and raw answers; more than one sight a day; alarms that are over."""
    ledger: datetime | None = None
    """Attempts."""
    site: str | None = None
    """Only what is of the site of this name."""


@dataclass(frozen=True, slots=True)
class Pruned:
    """How many rows went, or would go."""

    observations: int = 0
    evidence: int = 0
    sights: int = 0
    attempts: int = 0
    alarms: int = 0

    def plus(self, other: Pruned) -> Pruned:
        """Both together."""
        return Pruned(*(one + more for one, more in zip(astuple(self), astuple(other), strict=True)))


def prune(inventory: Inventory, keep: Keep, *, dry: bool = False) -> Iterator[Pruned]:
    """Let go what is older than it is to be kept, a transaction at a time.

    Of observations those stay on which an asset's identity rests; of sights the last one of each day; of the
    ledger what alone knows when an address was asked; of alarms those that stand, or of which a channel is
    still to be told. Counts, lists, verdicts, coverage and exports are the same afterwards.

    Args:
        inventory: the inventory, open for as long as this is iterated.
        keep: what is to be kept.
        dry: only count.

    Returns:
        What went (or would go), a transaction at a time.

    Raises:
        InventoryError: the inventory cannot be written; what went before is gone, what is left is sound.
    """
    if keep.observations is not None:
        for first in _steps(inventory):
            with (reading if dry else writing)(inventory) as connection:
                pruned = _heard(connection, keep, keep.observations, first, dry=dry)
            yield pruned
        yield from _alarms(inventory, keep, keep.observations, dry=dry)
    if keep.ledger is not None:
        yield from _ledger(inventory, keep, keep.ledger, dry=dry)


def _steps(inventory: Inventory) -> Iterator[int]:
    """The first ids of ranges that hold all assets."""
    with reading(inventory) as connection:
        most = connection.scalar(select(func.max(ASSETS.c.id))) or 0
    return iter(range(0, most + 1, _ASSETS))


def _heard(connection: Connection, keep: Keep, moment: datetime, first: int, *, dry: bool) -> Pruned:
    """Observations and sights of some assets; which scans may go is asked anew: one may be sealed by now."""
    scans = sorted(scans_before(connection, moment, keep.site))
    if not scans:
        return Pruned()
    last = first + _ASSETS - 1
    ids = list(connection.scalars(observations_of(scans, first, last)))
    evidence = sum(_evidence(connection, ids[at : at + _IDS], dry=dry) for at in range(0, len(ids), _IDS))
    doubled = doubled_sights(scans, first, last)
    if dry:
        number = connection.scalar(select(func.count()).select_from(SIGHTS).where(doubled)) or 0
    else:
        number = connection.execute(delete(SIGHTS).where(doubled)).rowcount
    return Pruned(len(ids), evidence, number)


def _evidence(connection: Connection, ids: Sequence[int], *, dry: bool) -> int:
    theirs = EVIDENCE.c.observation_id.in_(ids)
    if dry:
        return connection.scalar(select(func.count()).select_from(EVIDENCE).where(theirs)) or 0
    number = connection.execute(delete(EVIDENCE).where(theirs)).rowcount
    connection.execute(delete(OBSERVATIONS).where(OBSERVATIONS.c.id.in_(ids)))
    return number


def _ledger(inventory: Inventory, keep: Keep, moment: datetime, *, dry: bool) -> Iterator[Pruned]:
    with reading(inventory) as connection:
        scans = sorted(scans_before(connection, moment, keep.site))
    for scan in scans:
        after = b""
        while True:
            with (reading if dry else writing)(inventory) as connection:
                if scan not in scans_before(connection, moment, keep.site):
                    break
                addresses = list(connection.scalars(attempts_after(scan, after, _ADDRESSES)))
                number = _attempts(connection, scan, addresses, dry=dry)
            if not addresses:
                break
            after = addresses[-1]
            yield Pruned(attempts=number)


def _attempts(connection: Connection, scan: int, addresses: Sequence[bytes], *, dry: bool) -> int:
    """Those of addresses that some scan is done with: of others the ledger alone knows when that was."""
    done = _done(connection, scan, addresses)
    theirs = (LEDGER.c.scan_id == scan, LEDGER.c.address.in_(done))
    if dry:
        return connection.scalar(select(func.count()).select_from(LEDGER).where(*theirs)) or 0
    return connection.execute(delete(LEDGER).where(*theirs)).rowcount


def _done(connection: Connection, scan: int, addresses: Sequence[bytes]) -> list[bytes]:
    numbers = {address: unpacked(address) for address in addresses}
    blocks = {block_of(number) for number in numbers.values()}
    bits: dict[tuple[int, bytes], int] = {}
    of_site = select(SCANS.c.site_id).where(SCANS.c.id == scan).scalar_subquery()
    wanted = (
        select(VISITS.c.version, VISITS.c.block, VISITS.c.addresses)
        .join(SCANS, SCANS.c.id == VISITS.c.scan_id)
        .where(SCANS.c.site_id == of_site, VISITS.c.block.in_({block for _, block in blocks}))
    )
    for version, block, found in connection.execute(wanted):
        bits[version, block] = bits.get((version, block), 0) | int.from_bytes(found, "little")
    return [
        address for address, number in numbers.items() if bits.get(block_of(number), 0) >> (number & 0xFF) & 1
    ]


def _alarms(inventory: Inventory, keep: Keep, moment: datetime, *, dry: bool) -> Iterator[Pruned]:
    over = alarms_over(moment, keep.site)
    with (reading if dry else writing)(inventory) as connection:
        number = connection.scalar(select(func.count()).select_from(over.subquery())) or 0
        if not dry:
            connection.execute(delete(DELIVERIES).where(DELIVERIES.c.alarm_id.in_(over)))
            connection.execute(delete(ALARMS).where(ALARMS.c.id.in_(over)))
    yield Pruned(alarms=number)


def shrink(inventory: Inventory) -> None:
    """Give the room of what went back to the disk.

    It needs as much free room as what is left, twice, and nobody can write meanwhile.

    Raises:
        InventoryError: somebody else writes, or there is no room; the inventory is as it was.
    """
    with translated(inventory.database), closing(inventory.engine.raw_connection()) as connection:
        if inventory.engine.dialect.name != "sqlite":
            connection.driver_connection.autocommit = True  # type: ignore[union-attr]  # psycopg's own
        with closing(connection.cursor()) as cursor:
            cursor.execute("VACUUM")
            if inventory.engine.dialect.name == "sqlite":
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
