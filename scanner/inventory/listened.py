"""What listening heard of machines: where, and what of it still counts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from scanner.addresses import AddressSet, number_of
from scanner.inventory.resting import resting_on
from scanner.inventory.tables import OBSERVATIONS, SCANS, SITES
from scanner.inventory.transactions import reading

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from scanner.inventory.store import Inventory
    from scanner.model import Observation

LISTENING: Final = "listen"
"""The key in the request of a run that says that it was listening, and to what."""
_AT_ONCE: Final = 900
"""Runs in one statement."""


def listening_runs(inventory: Inventory, site: str) -> frozenset[int]:
    """The runs of a site that heard what machines say to each other.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    wanted = select(SCANS.c.id, SCANS.c.request).join(SITES).where(SITES.c.name == site)
    with reading(inventory) as connection:
        rows = connection.execute(wanted).all()
    return frozenset(row.id for row in rows if LISTENING in json.loads(row.request))


def listened_at(inventory: Inventory, runs: Iterable[int], since: datetime) -> AddressSet:
    """The addresses at which these runs heard anything since then.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    found: set[str] = set()
    wanted = select(OBSERVATIONS.c.address).distinct().where(OBSERVATIONS.c.at >= since)
    ids = sorted(runs)
    with reading(inventory) as connection:
        for start in range(0, len(ids), _AT_ONCE):
            of_some = wanted.where(OBSERVATIONS.c.scan_id.in_(ids[start : start + _AT_ONCE]))
            found.update(connection.scalars(of_some))
    return AddressSet((number_of(address),) * 2 for address in found)


def listened_of(
    inventory: Inventory, site: str, addresses: Sequence[str], runs: Iterable[int], since: datetime
) -> dict[str, tuple[Observation, ...]]:
    """By address (some hundred): of what the machine there rests on, what these runs heard since then.

    Each says in its detail which run heard it, also where a scan has recorded it beside its own since.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    theirs = frozenset(f"heard by scan {run}" for run in runs)
    return {
        address: heard
        for address, known in resting_on(inventory, site, addresses).items()
        if (heard := tuple(seen for seen in known if seen.detail in theirs and seen.at >= since))
    }
