"""Opening an inventory: an SQLite file, private to its owner."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Self

from scanner.inventory import schema
from scanner.inventory.sqlite import connect, file_of

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path
    from types import TracebackType

    from sqlalchemy.engine import Engine


class Inventory:
    """An open inventory. Connections are made where they are used, and closed there."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def engine(self) -> Engine:
        """SQLAlchemy's engine over the file, made (and SQLAlchemy imported) on first use."""
        from scanner.inventory.transactions import engine_over  # noqa: PLC0415 - 0.3 s that counting does not pay

        return engine_over(self.path)

    def connect(self) -> sqlite3.Connection:
        """A plain connection that cannot write, for what must be fast; the caller closes it."""
        return connect(self.path)

    def close(self) -> None:
        """Let the file go; closing twice does no harm."""
        if "engine" in self.__dict__:
            self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def inventory_exists(url: str) -> bool:
    """Whether there is anything at a URL (``sqlite:///FILE``), an inventory or not.

    Raises:
        ConfigError: the URL names no SQLite file.
    """
    return schema.is_there(file_of(url))


def open_inventory(url: str, *, create: bool = False) -> Inventory:
    """Open the inventory at a URL (``sqlite:///FILE``).

    Args:
        url: where it is.
        create: make it where there is none; one that is there is opened all the same.

    Raises:
        ConfigError: there is none, or it is not an inventory of this version; nothing was touched.
        InventoryError: it cannot be read or written now.
    """
    path = file_of(url)
    if create and not schema.is_there(path):
        from scanner.inventory.migrating import create_inventory  # noqa: PLC0415 - Alembic, 0.5 s, once

        create_inventory(path)
    schema.demand_current(path)
    return Inventory(path)
