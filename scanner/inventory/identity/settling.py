"""Making an asset's row agree with what it has, after something was taken from it or given to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select, update

from scanner.addresses import address_of
from scanner.inventory.evidence import values_of
from scanner.inventory.ledger import unpacked
from scanner.inventory.merging import names_of
from scanner.inventory.tables import ASSETS, OBSERVATIONS, SIGHTS
from scanner.model import Endpoint, Observation, Outcome, Transport

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection


def settle_asset(connection: Connection, asset: int) -> None:
    """Make an asset's row agree with its sights and observations: the newest say what it is called."""
    newest = (
        select(SIGHTS)
        .where(SIGHTS.c.asset_id == asset)
        .order_by(SIGHTS.c.at.desc(), SIGHTS.c.scan_id.desc(), SIGHTS.c.packed)
    )
    sight = connection.execute(newest.limit(1)).one_or_none()
    if sight is None:
        return
    first = connection.scalar(select(func.min(SIGHTS.c.at)).where(SIGHTS.c.asset_id == asset))
    told = observed(connection, asset)
    names = {name: value for name, value in names_of([seen for seen, _ in told]).items() if value}
    values = {
        **names,
        "identity_scan_id": max((scan for seen, scan in told if seen.evidence), default=None),
        "packed": sight.packed,
        "address": address_of(unpacked(sight.packed)),
        "ward_id": sight.ward_id,
        "identity_id": sight.identity_id,
        "last_scan_id": sight.scan_id,
        "last_seen": sight.at,
        "first_seen": first,
        "displaced": None,
    }
    connection.execute(update(ASSETS).where(ASSETS.c.id == asset).values(values))


def observed(connection: Connection, asset: int) -> list[tuple[Observation, int]]:
    """The observations of an asset, the newest first, each with the scan that made it."""
    rows = connection.execute(
        select(OBSERVATIONS).where(OBSERVATIONS.c.asset_id == asset).order_by(OBSERVATIONS.c.id.desc())
    ).all()
    evidence = values_of(connection, [row.id for row in rows])
    return [
        (
            Observation(
                Endpoint(row.address, row.port, Transport(row.transport), row.service),
                row.probe,
                row.at,
                Outcome(row.outcome),
                evidence.get(row.id, {}),
            ),
            row.scan_id,
        )
        for row in rows
    ]
