"""A stamp of an inventory: as long as it is the same, nothing was written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import text

from scanner.inventory.transactions import reading

if TYPE_CHECKING:
    from scanner.inventory.store import Inventory

_SNAPSHOT: Final = text("SELECT pg_current_snapshot()::text")
"""Which transactions are seen: https://www.postgresql.org/docs/current/functions-info.html."""


def stamp_of(inventory: Inventory) -> str:
    """A short text that is another one after every change, and now and then without one.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    place = inventory.database.place
    if isinstance(place, Path):
        return " ".join(_told(path) for path in (place, place.with_name(place.name + "-wal")))
    with reading(inventory) as connection:
        return str(connection.scalar(_SNAPSHOT))


def _told(path: Path) -> str:
    """When a file was written last, and its size; of one that is empty or not there nothing.

    A reader makes an empty log where there is none, and takes it away again.
    """
    try:
        found = path.stat()
    except OSError:
        return "-"
    return f"{found.st_mtime_ns}:{found.st_size}" if found.st_size else "-"
