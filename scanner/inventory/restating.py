"""Going through stored evidence, and keeping what is newly made of it (for ``rejudge``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, select, update

from scanner.inventory.evidence import evidence_of
from scanner.inventory.identities import from_columns
from scanner.inventory.interning import Numbers
from scanner.inventory.tables import ASSETS, IDENTITIES, SITES, WARDS
from scanner.inventory.transactions import reading, writing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy.engine import Connection

    from scanner.inventory.store import Inventory
    from scanner.model import Evidence, Identity

_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Stated:
    """What is stored of an asset: what it said, and what was made of it."""

    asset: int
    address: str
    site: str
    ward: str
    identity: Identity
    identity_id: int
    evidence: Evidence


def stated(inventory: Inventory) -> Iterator[list[Stated]]:
    """Every asset, some hundred at a time, each batch in a read transaction that has ended when it comes.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    last = 0
    while True:
        with reading(inventory) as connection:
            batch = _after(connection, last)
        if not batch:
            return
        yield batch
        last = batch[-1].asset


def _after(connection: Connection, last: int) -> list[Stated]:
    columns = IDENTITIES.c
    identity = (columns.candidates, columns.certainty, columns.reasons, columns.attributes)
    wanted = (
        select(
            ASSETS.c.id,
            ASSETS.c.address,
            SITES.c.name,
            WARDS.c.name.label("ward"),
            ASSETS.c.identity_id,
            *identity,
        )
        .join(SITES, SITES.c.id == ASSETS.c.site_id)
        .join(WARDS, WARDS.c.id == ASSETS.c.ward_id, isouter=True)
        .join(IDENTITIES, IDENTITIES.c.id == ASSETS.c.identity_id)
        .where(ASSETS.c.id > last)
        .order_by(ASSETS.c.id)
        .limit(_AT_ONCE)
    )
    rows = connection.execute(wanted).all()
    heard = evidence_of(connection, [row.id for row in rows])
    return [
        Stated(
            row.id,
            row.address,
            row.name,
            row.ward or "",
            from_columns(row.candidates, row.certainty, row.reasons, row.attributes),
            row.identity_id,
            heard[row.id][0],
        )
        for row in rows
    ]


def restate(inventory: Inventory, new: Sequence[tuple[Stated, Identity]], data_version: str) -> None:
    """Keep new identities, but for assets that a scan gave another one meanwhile: that one is newer.

    Raises:
        InventoryError: the inventory cannot be written.
    """
    change = (
        update(ASSETS)
        .where(ASSETS.c.id == bindparam("asset"), ASSETS.c.identity_id == bindparam("before"))
        .values(identity_id=bindparam("after"))
    )
    numbers = Numbers(0, data_version, {})
    with writing(inventory) as connection:
        changes = [
            {"asset": old.asset, "before": old.identity_id, "after": numbers.identity(connection, identity)}
            for old, identity in new
        ]
        changes = [values for values in changes if values["before"] != values["after"]]
        if changes:
            connection.execute(change, changes)
