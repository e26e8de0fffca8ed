"""Who has an address now: of all assets that ever had it, the one that was met there last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from scanner.inventory.identity.traits import ADDRESS
from scanner.inventory.tables import ASSETS, EVIDENCE_KEYS, SITES, TRAITS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Connection


def holders(connection: Connection, addresses: Sequence[str], site: str | None = None) -> dict[int, str]:
    """The assets that have these addresses (some hundred), of one site or one of each; by asset, which it is.

    What an older program recorded is found by the address that the asset is called by.
    """
    key = select(EVIDENCE_KEYS.c.id).where(EVIDENCE_KEYS.c.key == ADDRESS).scalar_subquery()
    sites = select(SITES.c.id).where(SITES.c.name == site) if site is not None else select(SITES.c.id)
    wanted = list(addresses)
    known = (
        select(TRAITS.c.site_id, TRAITS.c.value, TRAITS.c.asset_id)
        .where(TRAITS.c.site_id.in_(sites), TRAITS.c.key_id == key, TRAITS.c.value.in_(wanted))
        .order_by(TRAITS.c.last, TRAITS.c.asset_id)
    )
    called = (
        select(ASSETS.c.site_id, ASSETS.c.address, ASSETS.c.id)
        .where(ASSETS.c.site_id.in_(sites), ASSETS.c.address.in_(wanted))
        .order_by(ASSETS.c.last_seen, ASSETS.c.id)
    )
    latest = {(site_id, address): asset for site_id, address, asset in connection.execute(called)}
    latest |= {(site_id, address): asset for site_id, address, asset in connection.execute(known)}
    return {asset: address for (_, address), asset in latest.items()}
