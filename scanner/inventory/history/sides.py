"""What a diff is between: what is typed, as scans, as those that a campaign sealed, or as a day."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import func, select

from scanner.errors import ConfigError
from scanner.inventory.tables import CAMPAIGN_SCANS, CAMPAIGNS, SCANS
from scanner.inventory.transactions import reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Connection

    from scanner.inventory.store import Inventory

_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LARGEST_ID: Final = (1 << 63) - 1
_DIGITS: Final = 100
"""So many are no number that anybody types."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two that are compared."""

    told: str
    """As it was typed."""
    day: date
    """On which its verdicts are judged: of scans, the one on which the last of them began; in UTC."""
    scans: tuple[int, ...] = ()
    """What these scans saw, and nothing else; empty: everything that was known on the day."""
    last: int = 0
    """The last scan that counts; 0: none."""


def sides_of(inventory: Inventory, *told: str) -> tuple[Side, ...]:
    """What was typed: a scan's id, a day as ISO 8601 writes it (in UTC, to its end), or a closed campaign.

    A campaign of which the name is a number is meant where no scan has this number.

    Raises:
        ConfigError: there is no such scan, or it is no scan, no day and no closed campaign.
        InventoryError: the inventory cannot be read.
    """
    with reading(inventory) as connection:
        return tuple(_side(connection, text.strip()) for text in told)


def beginning_of(inventory: Inventory, told: str) -> date:
    """The day of what was typed, as for :func:`sides_of`; of scans, on which the first began (UTC).

    Raises:
        ConfigError: there is no such scan, or it is no scan, no day and no closed campaign.
        InventoryError: the inventory cannot be read.
    """
    (side,) = sides_of(inventory, told)
    if not side.scans:
        return side.day
    with reading(inventory) as connection:
        started = select(func.min(SCANS.c.started)).where(SCANS.c.id.in_(side.scans))
        first: datetime = connection.execute(started).scalar_one()
    return first.date()


def _side(connection: Connection, told: str) -> Side:
    if _DAY.fullmatch(told):
        return _of_day(connection, told)
    is_number = told.isascii() and told.isdecimal() and len(told) < _DIGITS
    numbered = _of_scans(connection, told, [int(told)]) if is_number else None
    if side := numbered or _of_scans(connection, told, _scans_called(connection, told)):
        return side
    if is_number:
        raise ConfigError("there is no scan {scan} in this inventory", scan=told)
    raise ConfigError(
        "{name} is no scan, no day and no closed campaign: write a scan's number, a day such as 2026-11-23, "
        "or a campaign's name (vetuste campaign list)",
        name=repr(told),
    )


def _scans_called(connection: Connection, name: str) -> Sequence[int]:
    """The scans that a campaign of this name sealed; none while it is open."""
    wanted = select(CAMPAIGN_SCANS.c.scan_id).join(CAMPAIGNS).where(func.trim(CAMPAIGNS.c.name) == name)
    return connection.scalars(wanted).all()


def _of_scans(connection: Connection, told: str, scans: Sequence[int]) -> Side | None:
    wanted = select(SCANS.c.id, SCANS.c.started).where(
        SCANS.c.id.in_([scan for scan in scans if scan <= _LARGEST_ID])
    )
    found = connection.execute(wanted.order_by(SCANS.c.id)).all()
    if not found:
        return None
    return Side(told, found[-1].started.date(), tuple(row.id for row in found), found[-1].id)


def _of_day(connection: Connection, told: str) -> Side:
    try:
        day = date.fromisoformat(told)
    except ValueError:
        raise ConfigError("{value} is not a day such as 2026-11-23", value=repr(told)) from None
    return Side(told, day, last=last_scan_of(connection, day))


def last_scan_of(connection: Connection, day: date) -> int:
    """The last scan that began on a day (UTC) or before; 0 without one.

    Scans are in the order in which they began in this inventory: no clock that was set back changes it.
    """
    wanted = select(func.max(SCANS.c.id))
    if day < date.max:
        wanted = wanted.where(SCANS.c.started < datetime.combine(day + timedelta(days=1), time(), UTC))
    return int(connection.scalar(wanted) or 0)
