"""Transactions through SQLAlchemy: one at a time, short, and said aloud."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError

from scanner.inventory.database import guarded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import Connection

    from scanner.inventory.database import Database
    from scanner.inventory.store import Inventory


@contextmanager
def translated(database: Database) -> Iterator[None]:
    """Turn the database's errors, as SQLAlchemy or its driver raise them, into ours.

    Raises:
        InventoryError: the database could not do what was asked of it.
    """
    try:
        with guarded(database):
            yield
    except DBAPIError as error:
        raise database.fault(error.orig or error) from error


@contextmanager
def reading(inventory: Inventory) -> Iterator[Connection]:
    """A read transaction, all of one moment; keep it short: SQLite's log, or what is dead, grows meanwhile.

    Raises:
        InventoryError: the inventory cannot be read now.
    """
    with translated(inventory.database), inventory.engine.connect() as opened:
        connection = opened.execution_options(snapshot=True)
        with connection.begin():
            yield connection


@contextmanager
def writing(inventory: Inventory, *, rebuilding: bool = False) -> Iterator[Connection]:
    """A write transaction: all of it or nothing; there is one at a time.

    Args:
        inventory: where to.
        rebuilding: whether tables that others refer to are made anew; SQLite does not watch references
            meanwhile (https://www.sqlite.org/lang_altertable.html, section 7).

    Raises:
        InventoryError: the inventory cannot be written now.
    """
    with translated(inventory.database), inventory.engine.connect() as opened:
        connection = opened.execution_options(immediate=True, rebuilding=rebuilding)
        with connection.begin():
            yield connection
