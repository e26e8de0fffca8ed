"""What records say of the assets that they are, as evidence beside what those said themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from scanner.inventory.records.record import Standing, said_by, tells
from scanner.inventory.tables import ASSETS, RECORDS

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement
    from sqlalchemy.engine import Connection, Row

    from scanner.model import Evidence

COLUMNS = tuple(
    RECORDS.c[name] for name in ("register", "system", "version", "managed", "contact", "gone", "asset_id")
)


def standing(row: Row[*tuple[Any, ...]]) -> Standing:
    """Where the record of a row with these columns stands."""
    managed = None if row.managed is None else bool(row.managed)
    gone = row.gone is not None
    return Standing(row.register, row.system, row.version, managed, row.contact, gone)


def told_by_records(connection: Connection, which: ColumnElement[bool]) -> dict[int, Evidence]:
    """By asset: what its records tell of it as it was last seen; assets that none tells of are left out.

    Args:
        connection: in a transaction.
        which: which assets.
    """
    wanted = (
        select(*COLUMNS, ASSETS.c.last_seen)
        .join(ASSETS, ASSETS.c.id == RECORDS.c.asset_id)
        .where(which)
        .order_by(RECORDS.c.id)
    )
    found: dict[int, Evidence] = {}
    for row in connection.execute(wanted):
        record = standing(row)
        if tells(record, row.last_seen) and (said := said_by(record)):
            found[row.asset_id] = {**found.get(row.asset_id, {}), **said}
    return found
