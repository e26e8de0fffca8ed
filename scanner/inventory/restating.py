"""Going through stored evidence, and keeping what is newly made of it (for ``rejudge``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, select, update

from scanner.inventory.database import asking
from scanner.inventory.evidence import evidence_between
from scanner.inventory.identities import from_columns
from scanner.inventory.interning import Numbers
from scanner.inventory.tables import ASSETS, IDENTITIES, SITES, WARDS
from scanner.inventory.transactions import reading, writing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy.engine import Connection

    from scanner.inventory.store import Inventory
    from scanner.model import Evidence, Identity

_AT_ONCE: Final = 1000
_REMEMBERED: Final = 4096
"""Identities that are kept as they were read; a hospital has some hundred."""


@dataclass(frozen=True, slots=True)
class Known:
    """An identity as it is stored: one object for all assets that have it, as far as it is remembered."""

    id: int
    identity: Identity
    data_version: str


@dataclass(frozen=True, slots=True)
class Stated:
    """What is stored of an asset: what it said, and what was made of it."""

    asset: int
    address: str
    site: str
    ward: str
    known: Known
    evidence: Evidence


class Restating:
    """One run over all that is stored."""

    def __init__(self, inventory: Inventory, data_version: str) -> None:
        self._inventory = inventory
        self._version = data_version
        self._known: dict[int, Known] = {}
        self._numbers = Numbers(0, data_version, {})

    def stated(self) -> Iterator[list[Stated]]:
        """Every asset, some hundred at a time, each batch in a read transaction that has ended when it comes.

        Raises:
            InventoryError: the inventory cannot be read.
        """
        last = 0
        with asking(self._inventory.database) as opened:
            # SQLite empties its log where a last connection is closed: this one stays, so that none is.
            opened.execute("SELECT 1 FROM assets LIMIT 1").fetchall()
            while True:
                with reading(self._inventory) as connection:
                    batch = self._after(connection, last)
                if not batch:
                    return
                yield batch
                last = batch[-1].asset

    def _after(self, connection: Connection, last: int) -> list[Stated]:
        wanted = (
            select(
                ASSETS.c.id,
                ASSETS.c.address,
                SITES.c.name,
                WARDS.c.name.label("ward"),
                ASSETS.c.identity_id,
            )
            .join(SITES, SITES.c.id == ASSETS.c.site_id)
            .join(WARDS, WARDS.c.id == ASSETS.c.ward_id, isouter=True)
            .where(ASSETS.c.id > last)
            .order_by(ASSETS.c.id)
            .limit(_AT_ONCE)
        )
        rows = connection.execute(wanted).all()
        if not rows:
            return []
        known = self._identities(connection, {row.identity_id for row in rows})
        heard = evidence_between(connection, rows[0].id, rows[-1].id)
        return [
            Stated(asset, address, site, ward or "", known[identity], heard.get(asset, {}))
            for asset, address, site, ward, identity in rows
        ]

    def _identities(self, connection: Connection, wanted: set[int]) -> dict[int, Known]:
        """The identities of a batch, those read that are not remembered."""
        found = {number: self._known[number] for number in wanted if number in self._known}
        columns = IDENTITIES.c
        read = (columns.candidates, columns.certainty, columns.reasons, columns.attributes)
        new = select(columns.id, columns.data_version, *read).where(columns.id.in_(wanted - found.keys()))
        for number, version, *stored in connection.execute(new).all():
            found[number] = Known(number, from_columns(*stored), version)
        if len(self._known) + len(found) > _REMEMBERED:
            self._known.clear()
        self._known.update(found)
        return found

    def restate(self, new: Sequence[tuple[Stated, Identity]]) -> None:
        """Keep new identities, but for assets that a scan gave another one meanwhile: that one is newer.

        Raises:
            InventoryError: the inventory cannot be written.
        """
        new = [(old, after) for old, after in new if not self._is_same(old.known, after)]
        if not new:
            return
        change = (
            update(ASSETS)
            .where(ASSETS.c.id == bindparam("asset"), ASSETS.c.identity_id == bindparam("before"))
            .values(identity_id=bindparam("after"))
        )
        with writing(self._inventory) as connection:
            number = self._numbers.identity
            changes = [
                {"asset": old.asset, "before": old.known.id, "after": number(connection, identity)}
                for old, identity in new
            ]
            connection.execute(change, changes)

    def _is_same(self, known: Known, after: Identity) -> bool:
        return known.data_version == self._version and known.identity == after
