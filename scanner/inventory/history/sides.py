"""What a diff is between: what is typed, as scans or as a day."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import func, select

from scanner.errors import ConfigError
from scanner.inventory.tables import SCANS
from scanner.inventory.transactions import reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Connection

    from scanner.inventory.store import Inventory

_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LARGEST_ID: Final = (1 << 63) - 1


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
    """What was typed: a scan's id, or a day as ISO 8601 writes it (in UTC, to its end).

    Raises:
        ConfigError: there is no such scan, or it is neither a scan nor a day.
        InventoryError: the inventory cannot be read.
    """
    with reading(inventory) as connection:
        return tuple(_side(connection, text.strip()) for text in told)


def _side(connection: Connection, told: str) -> Side:
    if told.isascii() and told.isdecimal():
        return _of_scans(connection, told, [int(told)])
    if _DAY.fullmatch(told):
        return _of_day(connection, told)
    scans = _scans_called(connection, told)
    if not scans:
        raise ConfigError(
            "{name} is neither a scan nor a day: write the number of a scan, or a day such as 2026-11-23",
            name=repr(told),
        )
    return _of_scans(connection, told, scans)


def _scans_called(connection: Connection, name: str) -> Sequence[int]:  # noqa: ARG001 - see below
    """The scans that have a name together; none has one yet.

    This is the place where a campaign's name becomes its scans: everything else takes any number of them.
    """
    return ()


def _of_scans(connection: Connection, told: str, scans: Sequence[int]) -> Side:
    wanted = select(SCANS.c.id, SCANS.c.started).where(
        SCANS.c.id.in_([scan for scan in scans if scan <= _LARGEST_ID])
    )
    found = connection.execute(wanted.order_by(SCANS.c.id)).all()
    if not found:
        raise ConfigError("there is no scan {scan} in this inventory", scan=told)
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
