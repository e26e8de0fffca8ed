"""Reading campaigns."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import func, select

from scanner.errors import ConfigError
from scanner.inventory.tables import CAMPAIGN_SCANS, CAMPAIGNS, SCANS, SITES
from scanner.inventory.transactions import reading
from scanner.inventory.utc import stamp

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from scanner.addresses import Span
    from scanner.inventory.store import Inventory

Scanned: TypeAlias = "dict[str, str | int | None]"
"""A scan as a campaign seals it: the texts and moments of its row."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """Scans of one scope over a period; sealed once it is closed."""

    id: int
    site_id: int
    site: str
    name: str
    wards: tuple[str, ...]
    """Empty: all of the site."""
    spans: tuple[Span, ...] | None
    """The addresses of these wards when it was opened; None: all."""
    since: datetime
    """Scans that began before do not belong to it."""
    opened: datetime
    opened_by: str
    """The account of this machine, as for ``closed_by``."""
    closed: datetime | None = None
    closed_by: str | None = None
    place: int | None = None
    """Among all campaigns that were closed here, from 1."""
    manifest: str | None = None
    head: str | None = None
    exported: datetime | None = None


def campaigns_rows(inventory: Inventory) -> tuple[Campaign, ...]:
    """Every campaign, in the order in which they were opened.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    with reading(inventory) as connection:
        return tuple(campaigns_in(connection))


def campaign_named(inventory: Inventory, name: str, *, closed: bool = False) -> Campaign:
    """The campaign of a name.

    Args:
        inventory: where it is.
        name: its name.
        closed: whether it must be closed.

    Raises:
        ConfigError: there is none, or it is still open.
        InventoryError: the inventory cannot be read.
    """
    found = next((each for each in campaigns_rows(inventory) if each.name == name), None)
    if found is None:
        raise ConfigError("there is no campaign {name} (vetuste campaign list)", name=repr(name))
    if closed and found.closed is None:
        raise ConfigError("the campaign {name} is open: close it first (vetuste campaign close)", name=name)
    return found


def campaigns_in(connection: Connection) -> Iterable[Campaign]:
    """The same, in a transaction."""
    wanted = select(CAMPAIGNS, SITES.c.name.label("site")).join(SITES).order_by(CAMPAIGNS.c.id)
    for row in connection.execute(wanted).mappings():
        spans = json.loads(row["spans"])
        plain: dict[str, Any] = dict(row)
        plain["wards"] = tuple(json.loads(row["wards"]))
        plain["spans"] = None if spans is None else tuple((first, last) for first, last in spans)
        yield Campaign(**plain)


def head_of(inventory: Inventory) -> tuple[str, str] | None:
    """Name and head of the campaign that was closed last; None where none ever was.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    wanted = select(CAMPAIGNS.c.name, CAMPAIGNS.c.head).where(CAMPAIGNS.c.place.is_not(None))
    with reading(inventory) as connection:
        row = connection.execute(wanted.order_by(CAMPAIGNS.c.place.desc()).limit(1)).first()
    return None if row is None else (row.name, row.head)


def sealed_scans(connection: Connection) -> dict[int, bool]:
    """The scans that some campaign seals, each with whether the bundles of all of these were exported."""
    wanted = (
        select(CAMPAIGN_SCANS.c.scan_id, func.count(), func.count(CAMPAIGNS.c.exported))
        .join(CAMPAIGNS)
        .group_by(CAMPAIGN_SCANS.c.scan_id)
    )
    return {scan: exported == all_of_them for scan, all_of_them, exported in connection.execute(wanted)}


def scans_of(inventory: Inventory, campaign: Campaign) -> list[Scanned]:
    """The scans that a campaign seals, as they stand in the inventory today.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    mine = select(CAMPAIGN_SCANS.c.scan_id).where(CAMPAIGN_SCANS.c.campaign_id == campaign.id)
    with reading(inventory) as connection:
        rows = connection.execute(select(SCANS).where(SCANS.c.id.in_(mine)).order_by(SCANS.c.id))
        return [scanned(dict(row)) for row in rows.mappings()]


def scanned(row: dict[str, Any]) -> Scanned:
    """A row of scans as it is sealed."""
    ended = row["ended"]
    texts = {name: row[name] for name in ("state", "profile", "scope", "versions", "counts", "request")}
    times = {"started": stamp(row["started"]), "ended": None if ended is None else stamp(ended)}
    return {"id": row["id"], **times, **texts, "digest": row["digest"], "spans": row["spans"]}
