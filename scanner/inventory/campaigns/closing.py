"""Closing a campaign: what belongs to it, and the one transaction that seals it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select, update

from scanner.addresses import AddressSet
from scanner.errors import ConfigError, InventoryError
from scanner.inventory.campaigns.reading import Campaign, Scanned, campaigns_in, scanned
from scanner.inventory.delivered import going_on
from scanner.inventory.tables import CAMPAIGN_SCANS, CAMPAIGNS, SCANS
from scanner.inventory.transactions import writing

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from scanner.inventory.store import Inventory


@dataclass(frozen=True, slots=True)
class Closing:
    """A campaign that is about to be closed."""

    campaign: Campaign
    at: datetime
    scans: tuple[Scanned, ...]


def begin_closing(inventory: Inventory, name: str, at: datetime) -> Closing:
    """Find what belongs to a campaign; it stays open.

    Raises:
        ConfigError: there is no such campaign, it is closed, or nothing belongs to it.
        InventoryError: a scan of its scope is running, the clock went back, or the inventory fails.
    """
    with writing(inventory) as connection:
        return _closing(inventory, connection, name, at)


def seal(
    inventory: Inventory, closing: Closing, account: str, made: Callable[[str], tuple[str, str]]
) -> None:
    """Close a campaign, all of it or nothing, if what belongs to it is still the same.

    Args:
        inventory: where it is.
        closing: what was found.
        account: who closes it.
        made: makes manifest and head, of the head of the campaign closed before (empty: there is none).

    Raises:
        ConfigError: somebody else closed it.
        InventoryError: scans began or ended meanwhile, or the inventory fails; it stays open.
    """
    campaign = closing.campaign
    with writing(inventory) as connection:
        again = _closing(inventory, connection, campaign.name, closing.at)
        if again.scans != closing.scans:
            raise InventoryError(
                "scans of the campaign began or ended meanwhile: it stays open; close it again",
                file=inventory.database.place,
            )
        place = connection.scalar(select(func.max(CAMPAIGNS.c.place))) or 0
        before = select(CAMPAIGNS.c.head).where(CAMPAIGNS.c.place == place)
        manifest, head = made(connection.scalar(before) or "")
        row = {"manifest": manifest, "head": head, "place": place + 1}
        row |= {"closed": closing.at, "closed_by": account}
        connection.execute(update(CAMPAIGNS).where(CAMPAIGNS.c.id == campaign.id).values(row))
        rows = [{"campaign_id": campaign.id, "scan_id": scan["id"]} for scan in closing.scans]
        connection.execute(insert(CAMPAIGN_SCANS), rows)


def mark_exported(inventory: Inventory, campaign: Campaign, at: datetime) -> None:
    """Note that a campaign's bundle was written; from now on its observations may be pruned.

    Raises:
        InventoryError: the inventory cannot be written.
    """
    with writing(inventory) as connection:
        connection.execute(update(CAMPAIGNS).where(CAMPAIGNS.c.id == campaign.id).values(exported=at))


def _closing(inventory: Inventory, connection: Connection, name: str, at: datetime) -> Closing:
    known = list(campaigns_in(connection))
    campaign = next((each for each in known if each.name == name), None)
    if campaign is None:
        raise ConfigError("there is no campaign {name} (vetuste campaign list)", name=repr(name))
    if campaign.closed is not None:
        raise ConfigError("the campaign {name} was closed already", name=name)
    site = select(SCANS).where(SCANS.c.site_id == campaign.site_id).order_by(SCANS.c.id)
    rows = [dict(row) for row in connection.execute(site).mappings()]
    mine = [row for row in rows if row["started"] >= campaign.since and _within(row, campaign)]
    for row in rows:
        if row["state"] == "running" and _within(row, campaign):
            _demand_dead(inventory, connection, row)
    moments = [campaign.opened, *(each.closed for each in known if each.closed)]
    moments += [row[name] for row in mine for name in ("started", "ended") if row[name]]
    _demand_past(inventory, max(moments), at)
    if not mine:
        raise ConfigError("no scan belongs to the campaign {name}: there is nothing to seal", name=name)
    return Closing(campaign, at, tuple(scanned(row) for row in mine))


def _within(row: dict[str, Any], campaign: Campaign) -> bool:
    """Whether a scan came to addresses of a campaign; an import, which has no addresses, may have."""
    spans = json.loads(row["spans"])
    if campaign.spans is None or not spans:
        return True
    ours = AddressSet(campaign.spans)
    return any(any(ours.overlapping(first, last)) for first, last in spans)


def _demand_dead(inventory: Inventory, connection: Connection, row: dict[str, Any]) -> None:
    """Go on only where nobody living carries a scan out, here or elsewhere; it is marked as killed."""
    if row["id"] in going_on(connection):
        raise InventoryError(
            "scan {scan} of this campaign is still being delivered: wait until its run has ended",
            file=inventory.database.place,
            scan=row["id"],
        )
    if inventory.database.lock(row["id"]).held():
        raise InventoryError(
            "scan {scan} of this campaign is running: wait until it ends, or halt it with vetuste stop",
            file=inventory.database.place,
            scan=row["id"],
        )
    connection.execute(update(SCANS).where(SCANS.c.id == row["id"]).values(state="killed"))
    row["state"] = "killed"


def _demand_past(inventory: Inventory, last: datetime, at: datetime) -> None:
    if last > at:
        raise InventoryError(
            "the clock says {now} UTC, and the inventory knows of {last} UTC: set the clock right first",
            file=inventory.database.place,
            now=f"{at:%Y-%m-%d %H:%M}",
            last=f"{last:%Y-%m-%d %H:%M}",
        )
