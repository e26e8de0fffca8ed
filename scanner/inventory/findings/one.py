"""One finding with its machine, as whoever decides about it needs to see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from scanner.inventory.assets import read_assets
from scanner.inventory.findings.reading import finding_history
from scanner.inventory.tables import FINDINGS
from scanner.inventory.transactions import reading
from scanner.inventory.verdicts import Verdicts
from scanner.inventory.wards import wards_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from scanner.inventory.findings.rows import Finding, FindingChange
    from scanner.inventory.rows import Asset
    from scanner.inventory.store import Inventory
    from scanner.model import Release

_LARGEST: Final = (1 << 31) - 1
"""No id of a finding is larger in PostgreSQL."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A finding, its machine with evidence, and what became of it."""

    asset: Asset
    finding: Finding
    changes: tuple[FindingChange, ...]
    """Oldest first."""

    @property
    def seen(self) -> int:
        """The id of its last change: who decides says which one they had seen."""
        return max((change.id for change in self.changes), default=0)


def finding_shown(
    inventory: Inventory, number: int, *, today: date, releases: Mapping[str, Release] | None = None
) -> Shown | None:
    """One finding; None where there is none of that id.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    if number > _LARGEST:
        return None
    with reading(inventory) as connection:
        asset = connection.scalar(select(FINDINGS.c.asset_id).where(FINDINGS.c.id == number))
        if asset is None:
            return None
        wards = {ward.key: ward for ward in wards_of(connection)}
        assets = read_assets(connection, [asset], wards, Verdicts(today, releases), evidence=True)
        finding, changes = finding_history(inventory, number)
    return Shown(assets[0], finding, changes) if assets else None
