"""Reading what assets rest on, to record more beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from scanner.inventory.evidence import values_of
from scanner.inventory.holding import holders
from scanner.inventory.identities import reasons_from_column
from scanner.inventory.tables import ASSETS, OBSERVATIONS, UNASKED
from scanner.inventory.transactions import reading
from scanner.model import Endpoint, Observation, Outcome, Transport

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Connection

    from scanner.inventory.store import Inventory
    from scanner.language import Message


def resting_on(
    inventory: Inventory, site: str, addresses: Sequence[str]
) -> dict[str, tuple[Observation, ...]]:
    """By address (some hundred): what the identity of the machine there rests on, in the order it was heard.

    Only observations that told something, with neither raw answers nor connections: these count where they
    were made. Each says in its detail which scan heard it.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    with reading(inventory) as connection:
        return rests_at(connection, site, addresses)


def rests_at(
    connection: Connection, site: str, addresses: Sequence[str], scan: int | None = None
) -> dict[str, tuple[Observation, ...]]:
    """The same, in a transaction; of this scan alone, where one is named."""
    wanted = (
        select(OBSERVATIONS)
        .join(ASSETS, (ASSETS.c.id == OBSERVATIONS.c.asset_id))
        .where(
            OBSERVATIONS.c.scan_id == ASSETS.c.identity_scan_id,
            OBSERVATIONS.c.address.in_(list(addresses)),
            ASSETS.c.id.in_(holders(connection, addresses, site)),
        )
        .order_by(OBSERVATIONS.c.id)
    )
    if scan is not None:
        wanted = wanted.where(OBSERVATIONS.c.scan_id == scan)
    rows = connection.execute(wanted).all()
    evidence = values_of(connection, [row.id for row in rows])
    found: dict[str, tuple[Observation, ...]] = {}
    for row in rows:
        if row.id in evidence:
            endpoint = Endpoint(row.address, row.port, Transport(row.transport), row.service)
            detail = row.detail or f"heard by scan {row.scan_id}"
            outcome = Outcome(row.outcome)
            heard = Observation(endpoint, row.probe, row.at, outcome, evidence[row.id], detail)
            found[row.address] = (*found.get(row.address, ()), heard)
    return found


def unasked_at(inventory: Inventory, site: str, addresses: Sequence[str]) -> dict[str, dict[str, Message]]:
    """By address (some hundred): which probes the last scan did not hold there, and why.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    with reading(inventory) as connection:
        found = holders(connection, addresses, site)
        wanted = (
            select(ASSETS.c.id, UNASKED.c.reasons)
            .join(UNASKED, UNASKED.c.id == ASSETS.c.unasked_id)
            .where(ASSETS.c.id.in_(found))
        )
        return {found[row.id]: reasons_from_column(row.reasons) for row in connection.execute(wanted)}
