"""What may go: statements over a few assets, or a few addresses, at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import Text, and_, func, or_, select, type_coerce

from scanner.inventory.retention.sealed import kept_scans
from scanner.inventory.tables import ALARMS, ASSETS, DELIVERIES, LEDGER, OBSERVATIONS, SCANS, SIGHTS, SITES

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlalchemy import ColumnElement, Select
    from sqlalchemy.engine import Connection

_DAY: Final = len("2026-11-20")


def scans_before(connection: Connection, moment: datetime, site: str | None) -> frozenset[int]:
    """The scans that ended before a moment, of one site or of all; none that goes on, none that is kept."""
    last = func.coalesce(SCANS.c.ended, SCANS.c.started)
    wanted = select(SCANS.c.id).join(SITES).where(SCANS.c.state != "running", last < moment)
    if site is not None:
        wanted = wanted.where(SITES.c.name == site)
    return frozenset(connection.scalars(wanted)) - kept_scans(connection)


def observations_of(scans: Collection[int], first: int, last: int) -> Select[int]:
    """The observations of these scans of assets from one id to another on which no identity rests."""
    rests_on = func.coalesce(ASSETS.c.identity_scan_id, ASSETS.c.last_scan_id)
    return (
        select(OBSERVATIONS.c.id)
        .join(ASSETS, ASSETS.c.id == OBSERVATIONS.c.asset_id)
        .where(
            OBSERVATIONS.c.asset_id.between(first, last),
            OBSERVATIONS.c.scan_id.in_(scans),
            OBSERVATIONS.c.scan_id != rests_on,
        )
    )


def doubled_sights(scans: Collection[int], first: int, last: int) -> ColumnElement[bool]:
    """That a sight of one of these scans is not the last one of its day, of its asset at its address."""
    later = SIGHTS.alias("later")
    mine, its = type_coerce(SIGHTS.c.at, Text), type_coerce(later.c.at, Text)
    after = or_(its > mine, and_(its == mine, later.c.scan_id > SIGHTS.c.scan_id))
    same = (later.c.asset_id == SIGHTS.c.asset_id, later.c.packed == SIGHTS.c.packed)
    same_day = func.substr(its, 1, _DAY) == func.substr(mine, 1, _DAY)
    newer = select(later.c.scan_id).where(*same, same_day, after).exists()
    return and_(SIGHTS.c.asset_id.between(first, last), SIGHTS.c.scan_id.in_(scans), newer)


def attempts_after(scan: int, address: bytes, most: int) -> Select[bytes]:
    """The addresses of the next attempts of a scan, in order."""
    wanted = select(LEDGER.c.address).where(LEDGER.c.scan_id == scan, LEDGER.c.address > address)
    return wanted.distinct().order_by(LEDGER.c.address).limit(most)


def alarms_over(moment: datetime, site: str | None) -> Select[int]:
    """The alarms that were over before a moment, of one site or of all; none that a channel is owed.

    The newest of all stays: receivers know an alarm again by its number, which would be given a second time.
    """
    untold = select(DELIVERIES.c.alarm_id).where(DELIVERIES.c.sent.is_(None))
    older = ALARMS.c.id < select(func.max(ALARMS.c.id)).scalar_subquery()
    wanted = select(ALARMS.c.id).where(ALARMS.c.cleared < moment, ALARMS.c.id.not_in(untold), older)
    return wanted if site is None else wanted.where(ALARMS.c.site == site)
