"""Bringing findings up to date: as of this very day, whatever day a command judges by."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from scanner.inventory.findings.settling import is_settled, settle_findings

if TYPE_CHECKING:
    from scanner.inventory.store import Inventory


def settle(inventory: Inventory, *, anew: bool = False) -> None:
    """Settle what is due; an inventory where nothing is, is only read.

    Raises:
        InventoryError: it cannot be read or written.
    """
    today = datetime.now().astimezone().date()
    if anew or not is_settled(inventory, today=today):
        settle_findings(inventory, today=today, anew=anew)
