"""What one kind of question did in a scan that goes on: who was asked it, and of whom it told."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from scanner.inventory.evidence import values_of
from scanner.inventory.ledger import unpacked
from scanner.inventory.tables import ASSETS, LEDGER, LEDGER_KINDS, OBSERVATIONS
from scanner.inventory.transactions import reading

if TYPE_CHECKING:
    from scanner.inventory.store import Inventory

_AT_ONCE: Final = 500
"""Observations whose evidence is looked up in one statement."""


def asked_by(inventory: Inventory, scan: int, probe: str) -> frozenset[int]:
    """The addresses that a scan has sent a probe's questions to, on the number line.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    wanted = (
        select(LEDGER.c.address)
        .join(LEDGER_KINDS, LEDGER_KINDS.c.id == LEDGER.c.kind_id)
        .where(LEDGER.c.scan_id == scan, LEDGER_KINDS.c.probe == probe)
        .distinct()
    )
    with reading(inventory) as connection:
        return frozenset(map(unpacked, connection.scalars(wanted)))


def evidence_by(inventory: Inventory, scan: int, probe: str, key: str) -> dict[int, tuple[str, ...]]:
    """The values of a key that a probe told of machines in a scan, by address on the number line.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    wanted = (
        select(OBSERVATIONS.c.id, ASSETS.c.packed)
        .join(ASSETS, ASSETS.c.id == OBSERVATIONS.c.asset_id)
        .where(OBSERVATIONS.c.scan_id == scan, OBSERVATIONS.c.probe == probe)
        .order_by(OBSERVATIONS.c.id)
    )
    found: dict[int, tuple[str, ...]] = {}
    with reading(inventory) as connection:
        rows = iter(connection.execute(wanted).all())
        while part := {row.id: unpacked(row.packed) for row in islice(rows, _AT_ONCE)}:
            for observation, evidence in values_of(connection, list(part)).items():
                before = found.get(part[observation], ())
                found[part[observation]] = tuple(dict.fromkeys((*before, *evidence.get(key, ()))))
    return found
