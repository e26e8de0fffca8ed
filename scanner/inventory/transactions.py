"""SQLAlchemy over the file: one transaction at a time, short, and said aloud.

Python's sqlite3 would begin transactions by itself and too late; here SQLAlchemy says BEGIN for a reader and
BEGIN IMMEDIATE for a writer, so that a writer waits for its turn before it has read anything.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from scanner.inventory.sqlite import connect, fault, guarded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy.engine import Connection, Engine

    from scanner.inventory.store import Inventory


def engine_over(path: Path) -> Engine:
    """An engine whose connections are opened for each use: nothing stays open behind a reader's back."""
    engine = create_engine("sqlite://", creator=lambda: connect(path, write=True), poolclass=NullPool)
    event.listen(engine, "begin", _begin)
    return engine


def _begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get("rebuilding", False):
        connection.exec_driver_sql("PRAGMA foreign_keys = OFF")  # heeded outside a transaction only
    connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("immediate", False) else "BEGIN")


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn the database's errors, as SQLAlchemy or sqlite3 raise them, into ours.

    Raises:
        InventoryError: the database could not do what was asked of it.
    """
    try:
        with guarded(path):
            yield
    except DBAPIError as error:
        raise fault(error.orig or error, path) from error


@contextmanager
def reading(inventory: Inventory) -> Iterator[Connection]:
    """A read transaction; keep it short: while it is open the write-ahead log grows.

    Raises:
        InventoryError: the inventory cannot be read now.
    """
    with translated(inventory.path), inventory.engine.connect() as connection, connection.begin():
        yield connection


@contextmanager
def writing(inventory: Inventory, *, rebuilding: bool = False) -> Iterator[Connection]:
    """A write transaction: all of it or nothing.

    Args:
        inventory: where to.
        rebuilding: whether tables that others refer to are made anew; references are not watched meanwhile
            (https://www.sqlite.org/lang_altertable.html, section 7).

    Raises:
        InventoryError: the inventory cannot be written now.
    """
    with translated(inventory.path), inventory.engine.connect() as opened:
        connection = opened.execution_options(immediate=True, rebuilding=rebuilding)
        with connection.begin():
            yield connection
