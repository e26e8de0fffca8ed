"""Opening an inventory: an SQLite file, or a PostgreSQL database."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

from scanner.inventory import schema
from scanner.inventory.database import database_of

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

    from scanner.inventory.database import Database, Plain


class Inventory:
    """An open inventory. Connections are made where they are used, and closed there."""

    def __init__(self, database: Database) -> None:
        self.database = database

    @property
    def path(self) -> Path:
        """The file of an inventory in SQLite.

        Raises:
            TypeError: it is in another database; it is a mistake of the caller.
        """
        if not isinstance(self.database.place, Path):
            raise TypeError(f"no file: {self.database.place}")
        return self.database.place

    @cached_property
    def engine(self) -> Engine:
        """SQLAlchemy's engine, made (and SQLAlchemy imported) on first use."""
        return self.database.engine()

    def connect(self) -> Plain:
        """A plain connection that cannot write, for what must be fast; the caller closes it."""
        return self.database.connect()

    def close(self) -> None:
        """Let the database go; closing twice does no harm."""
        if "engine" in self.__dict__:
            self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def inventory_exists(url: str) -> bool:
    """Whether there is an inventory at a URL, of whatever version.

    Raises:
        ConfigError: the URL names no database, or what is there is no inventory.
        InventoryError: that cannot be told now.
    """
    return database_of(url).version() is not None


def open_inventory(url: str, *, create: bool = False) -> Inventory:
    """Open the inventory at a URL (``sqlite:///FILE``, ``postgresql://[USER@]HOST/DATABASE``).

    Args:
        url: where it is.
        create: make it where there is none; one that is there is opened all the same.

    Raises:
        ConfigError: there is none, or it is not an inventory of this version; nothing was touched.
        InventoryError: it cannot be read or written now.
    """
    database = database_of(url)
    if create and database.version() is None:
        database.create()
    schema.demand_current(database)
    return Inventory(database)
