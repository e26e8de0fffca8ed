"""Opening a campaign."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from sqlalchemy import insert, select

from scanner.addresses import IPV6_END, AddressMap, AddressSet
from scanner.errors import ConfigError
from scanner.inventory.places import keep_site
from scanner.inventory.tables import CAMPAIGNS, SITES, SUBNETS, WARDS
from scanner.inventory.transactions import writing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from scanner.addresses import Span
    from scanner.config import SiteFile
    from scanner.inventory.store import Inventory

_LONGEST: Final = 100


def open_campaign(  # noqa: PLR0913 - what a campaign is, each by name
    inventory: Inventory,
    name: str,
    *,
    site: SiteFile | None,
    wards: Sequence[str] = (),
    since: datetime,
    at: datetime,
    account: str,
) -> None:
    """Open a campaign; its addresses are those that its wards have now.

    Args:
        inventory: where to.
        name: what it is called.
        site: the site file; without one the only site of the inventory is meant.
        wards: names; none: all of the site.
        since: scans that began before do not belong to it.
        at: now.
        account: who opens it.

    Raises:
        ConfigError: the name is taken or cannot be printed, or there is no such site or ward.
        InventoryError: the inventory cannot be written.
    """
    if not name.isprintable() or not name.strip() or len(name) > _LONGEST:
        raise ConfigError("a campaign's name has 1 to 100 characters that can be printed")
    with writing(inventory) as connection:
        site_id = _site(connection) if site is None else keep_site(connection, site)[0]
        if connection.scalar(select(CAMPAIGNS.c.id).where(CAMPAIGNS.c.name == name)):
            raise ConfigError("there is a campaign {name} already: name it otherwise", name=name)
        spans = _spans(connection, site_id, wards)
        row = {"name": name, "wards": json.dumps(list(wards), ensure_ascii=False)}
        row |= {"spans": json.dumps(spans), "opened_by": account}
        times = {"since": since, "opened": at}
        connection.execute(insert(CAMPAIGNS).values(site_id=site_id, **row, **times))


def _site(connection: Connection) -> int:
    known = connection.scalars(select(SITES.c.id)).all()
    if len(known) != 1:
        raise ConfigError("whose campaign is it? name the site file with --site (docs/site-file.md)")
    return int(known[0])


def _spans(connection: Connection, site_id: int, wards: Sequence[str]) -> list[Span] | None:
    """The addresses of wards, each address being of the narrowest ward that has it."""
    if not wards:
        return None
    names = set(connection.scalars(select(WARDS.c.name).where(WARDS.c.site_id == site_id)))
    for ward in wards:
        if ward not in names:
            raise ConfigError("the site has no ward {ward}", ward=repr(ward))
    subnets = select(SUBNETS.c.network, WARDS.c.name).join(WARDS).where(WARDS.c.site_id == site_id)
    ground = AddressMap((AddressSet.of([row.network]), row.name) for row in connection.execute(subnets))
    parts = ground.divide(AddressSet([(0, IPV6_END)]))
    return list(AddressSet(span for found, ward in parts if ward in wards for span in found.spans).spans)
