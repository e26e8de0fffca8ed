"""What records say of the assets that they are, as evidence beside what those said themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select

from scanner.inventory.records.record import Standing, said_by, tells
from scanner.inventory.tables import ASSETS, RECORDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement
    from sqlalchemy.engine import Connection, Row

    from scanner.model import Evidence

_WITH_AGENTS: Final = "glpi"
"""The register whose agents keep its records."""

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


def kept_by_agents(connection: Connection, assets: Sequence[int]) -> frozenset[int]:
    """Those of some assets (a few hundred) that a register has from an agent on the machine itself.

    However long ago that was: as long as the register has the record, it is the agent's.
    """
    theirs = (RECORDS.c.register == _WITH_AGENTS, RECORDS.c.managed == 1, RECORDS.c.gone.is_(None))
    wanted = select(RECORDS.c.asset_id).where(RECORDS.c.asset_id.in_(list(assets)), *theirs)
    return frozenset(connection.scalars(wanted))
