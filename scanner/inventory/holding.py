"""Which asset has an address now: of all that had it, the one that was seen there last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select

from scanner.inventory.tables import ASSETS, SITES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement
    from sqlalchemy.engine import Connection

LAST_SEEN: Final[tuple[ColumnElement[Any], ...]] = (ASSETS.c.last_seen, ASSETS.c.last_scan_id, ASSETS.c.id)
"""In this order, the last asset of an address is the one that has it now."""


def holders(connection: Connection, site: str, addresses: Sequence[str]) -> dict[str, int]:
    """By address (some hundred): the asset that has it; addresses that none has are left out.

    Args:
        connection: in a transaction.
        site: the name of the site whose addresses they are.
        addresses: as text.
    """
    wanted = (
        select(ASSETS.c.address, ASSETS.c.id)
        .join(SITES, SITES.c.id == ASSETS.c.site_id)
        .where(SITES.c.name == site, ASSETS.c.address.in_(list(addresses)))
        .order_by(*LAST_SEEN)
    )
    return {row.address: row.id for row in connection.execute(wanted)}
