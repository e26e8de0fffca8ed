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
        there = {asset: address for address, asset in holders(connection, site, addresses).items()}
        wanted = (
            select(OBSERVATIONS)
            .join(ASSETS, (ASSETS.c.id == OBSERVATIONS.c.asset_id))
            .where(OBSERVATIONS.c.scan_id == ASSETS.c.identity_scan_id, ASSETS.c.id.in_(list(there)))
            .order_by(OBSERVATIONS.c.id)
        )
        rows = connection.execute(wanted).all()
        evidence = values_of(connection, [row.id for row in rows])
    found: dict[str, tuple[Observation, ...]] = {}
    for row in rows:
        if row.id in evidence:
            endpoint = Endpoint(row.address, row.port, Transport(row.transport), row.service)
            detail = row.detail or f"heard by scan {row.scan_id}"
            outcome = Outcome(row.outcome)
            heard = Observation(endpoint, row.probe, row.at, outcome, evidence[row.id], detail)
            address = there[row.asset_id]
            found[address] = (*found.get(address, ()), heard)
    return found


def unasked_at(inventory: Inventory, site: str, addresses: Sequence[str]) -> dict[str, dict[str, Message]]:
    """By address (some hundred): which probes the last scan did not hold there, and why.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    with reading(inventory) as connection:
        wanted = (
            select(ASSETS.c.address, UNASKED.c.reasons)
            .join(UNASKED, UNASKED.c.id == ASSETS.c.unasked_id)
            .where(ASSETS.c.id.in_(list(holders(connection, site, addresses).values())))
        )
        return {row.address: reasons_from_column(row.reasons) for row in connection.execute(wanted)}
