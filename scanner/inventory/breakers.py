"""Circuit breakers, and the hosts that are not to be touched."""

from __future__ import annotations

import json
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from scanner.addresses import number_of
from scanner.errors import ConfigError
from scanner.inventory.rows import BreakerRow, FragileRow
from scanner.inventory.tables import ASSETS, BREAKERS, IDENTITIES, SITES
from scanner.inventory.transactions import reading, writing
from scanner.language import Message

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from scanner.inventory.store import Inventory
    from scanner.model import Trip


def keep_trip(
    connection: Connection, site_id: int, scan_id: int, trip: Trip, cleared: datetime | None = None
) -> None:
    """Write a breaker, and when somebody cleared it."""
    row = {
        "site_id": site_id,
        "ward": trip.ward,
        "subnet": trip.subnet,
        "at": trip.at,
        "cause": json.dumps([trip.cause.text, dict(trip.cause.values)], ensure_ascii=False),
        "fallen": json.dumps(trip.fallen),
        "scan_id": scan_id,
        "cleared": cleared,
    }
    connection.execute(insert(BREAKERS).values(row))


def breakers_rows(inventory: Inventory, site: str | None = None) -> tuple[BreakerRow, ...]:
    """The breakers that nobody has cleared, oldest first, of the site of that name or of all.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    with reading(inventory) as connection:
        return _open(connection, site)


def clear_breakers(
    inventory: Inventory, wanted: Sequence[str] | None, *, at: datetime, site: str | None = None
) -> tuple[BreakerRow, ...]:
    """Let their subnets be scanned again: all that is wanted, or nothing.

    Args:
        inventory: the inventory.
        wanted: ids and subnets; None: every breaker.
        at: now.
        site: of the site of this name alone.

    Returns:
        The breakers that were cleared.

    Raises:
        ConfigError: one of those wanted is not there.
        InventoryError: the inventory cannot be written.
    """
    with writing(inventory) as connection:
        known = _open(connection, site)
        chosen = known if wanted is None else _chosen(known, wanted)
        ids = [breaker.id for breaker in chosen]
        connection.execute(update(BREAKERS).where(BREAKERS.c.id.in_(ids)).values(cleared=at))
    return chosen


def _chosen(known: Sequence[BreakerRow], wanted: Sequence[str]) -> tuple[BreakerRow, ...]:
    chosen: dict[int, BreakerRow] = {}
    for word in wanted:
        found = {breaker.id: breaker for breaker in known if _is(breaker, word.strip())}
        if not found:
            raise ConfigError(
                "there is no breaker {wanted}: vetuste breaker list shows those that there are",
                wanted=repr(word),
            )
        chosen |= found
    return tuple(chosen.values())


def _is(breaker: BreakerRow, word: str) -> bool:
    if word == str(breaker.id):
        return True
    try:
        return ip_network(word, strict=False) == ip_network(breaker.subnet) and "/" in word
    except ValueError:
        return False


def _open(connection: Connection, site: str | None) -> tuple[BreakerRow, ...]:
    wanted = select(BREAKERS, SITES.c.name).join(SITES).where(BREAKERS.c.cleared.is_(None))
    if site is not None:
        wanted = wanted.where(SITES.c.name == site)
    return tuple(_row(row) for row in connection.execute(wanted.order_by(BREAKERS.c.id)))


def _row(row: Any) -> BreakerRow:  # noqa: ANN401 - a row of the table, and its site's name
    cause, fallen = Message(*json.loads(row.cause)), tuple(json.loads(row.fallen))
    return BreakerRow(row.id, row.name, row.ward, row.subnet, row.at, cause, fallen, row.scan_id)


def fragile_rows(inventory: Inventory, site: str | None = None) -> tuple[FragileRow, ...]:
    """The hosts of a site, or of all, that are not to be touched, by address, and why.

    Those that fell silent when a breaker fell, until it is cleared, and those whose identity says so (its
    attribute ``fragile``).

    Raises:
        InventoryError: the inventory cannot be read.
    """
    told = (
        select(ASSETS.c.address, IDENTITIES.c.attributes, ASSETS.c.first_seen)
        .join(IDENTITIES)
        .join(SITES, SITES.c.id == ASSETS.c.site_id)
        .where(IDENTITIES.c.attributes.contains('"fragile"'))
    )
    if site is not None:
        told = told.where(SITES.c.name == site)
    with reading(inventory) as connection:
        known = [
            FragileRow(address, Message("its evidence says so: {what}", {"what": str(what)}), since)
            for address, stored, since in connection.execute(told)
            if (what := json.loads(stored).get("fragile")) is not None
        ]
        breakers = _open(connection, site)
    fallen = [
        FragileRow(
            address,
            Message("fell silent after a probe (breaker {breaker})", {"breaker": str(each.id)}),
            each.at,
        )
        for each in breakers
        for address in each.fallen
    ]
    rows = {row.address: row for row in (*known, *fallen)}
    return tuple(sorted(rows.values(), key=lambda row: number_of(row.address)))
