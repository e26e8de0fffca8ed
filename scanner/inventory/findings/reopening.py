"""Findings that the rules opened again, and that nobody decided about since."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from scanner.inventory.findings.states import State
from scanner.inventory.tables import ASSETS, FINDING_CHANGES, FINDINGS, SITES, WARDS
from scanner.inventory.transactions import reading

if TYPE_CHECKING:
    from scanner.inventory.store import Inventory


@dataclass(frozen=True, slots=True)
class Reopened:
    """A machine with such a finding."""

    asset: int
    address: str
    name: str
    ward: str


def reopened_rows(inventory: Inventory, site: str, before: State) -> tuple[Reopened, ...]:
    """The machines of a site with a finding that was in a state, until the rules opened it again.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    changes = FINDING_CHANGES.c
    every = FINDING_CHANGES.alias()
    newest = select(func.max(every.c.id)).where(every.c.finding_id == FINDINGS.c.id).scalar_subquery()
    wanted = (
        select(ASSETS.c.id, ASSETS.c.address, ASSETS.c.name, WARDS.c.name.label("ward"))
        .join(FINDINGS, FINDINGS.c.asset_id == ASSETS.c.id)
        .join(FINDING_CHANGES, changes.finding_id == FINDINGS.c.id)
        .join(SITES, SITES.c.id == ASSETS.c.site_id)
        .outerjoin(WARDS, WARDS.c.id == ASSETS.c.ward_id)
        .where(SITES.c.name == site, FINDINGS.c.state == State.OPEN.value, changes.id == newest)
        .where(changes.author == "", changes.before.contains(f'"state": "{before.value}"'))
        .order_by(ASSETS.c.id)
        .distinct()
    )
    with reading(inventory) as connection:
        return tuple(
            Reopened(row.id, row.address, row.name, row.ward or "") for row in connection.execute(wanted)
        )
