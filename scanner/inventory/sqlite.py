"""The SQLite file below an inventory: its address, its connections, its faults in plain words."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scanner.errors import ConfigError, InventoryError

if TYPE_CHECKING:
    from collections.abc import Iterator

_PREFIX: Final = "sqlite:///"

PATIENCE: Final = 10.0
"""Seconds that a connection waits for another program's lock."""

_FAULTS: Final = {
    sqlite3.SQLITE_BUSY: "another program holds the inventory: try again when it is done",
    sqlite3.SQLITE_LOCKED: "another program holds the inventory: try again when it is done",
    sqlite3.SQLITE_FULL: "the disk is full: free some space; what was recorded before is kept",
    sqlite3.SQLITE_IOERR: "the disk refuses to read or write ({reason}): what was recorded before is kept",
    sqlite3.SQLITE_READONLY: "the inventory cannot be written: allow it, or take another file with --db",
    sqlite3.SQLITE_PERM: "the inventory cannot be opened: this user must be able to write its folder",
    sqlite3.SQLITE_CANTOPEN: "the inventory cannot be opened: this user must be able to write its folder",
    sqlite3.SQLITE_CORRUPT: "the inventory is damaged ({reason}): put a backup in its place",
    sqlite3.SQLITE_NOTADB: "the inventory is damaged ({reason}): put a backup in its place",
}


def file_of(url: str) -> Path:
    """The file of an inventory's URL.

    Raises:
        ConfigError: the URL names no SQLite file; only its scheme is repeated, the rest may hold a password.
    """
    name = url.removeprefix(_PREFIX)
    if name == url or not name or name.startswith(":memory:") or "\0" in name:
        scheme = url.partition(":")[0] if "://" in url else url
        raise ConfigError(
            "the inventory is an SQLite file: write sqlite:///FILE (sqlite:///inventory.db), not {scheme}",
            scheme=scheme,
        )
    return Path(name)


def connect(path: Path, *, write: bool = False) -> sqlite3.Connection:
    """A connection to an existing file, in autocommit: who uses it says BEGIN.

    It may be handed from the thread that opened it to another one.
    """
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",  # never makes a file; readers too write the log's index
        uri=True,
        timeout=PATIENCE,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = NORMAL")
        if not write:
            connection.execute("PRAGMA query_only = ON")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def fault(error: BaseException, path: Path) -> InventoryError:
    """What SQLite complains of, in words that say what to do."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the primary code, without its refinement
    return InventoryError(
        _FAULTS[code] if code in _FAULTS else "the inventory cannot be used: {reason}",  # noqa: SIM401 - the catalogue reads what stands in the call
        file=path,
        reason=str(error),
    )


@contextmanager
def guarded(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into ours.

    Raises:
        InventoryError: SQLite could not do what was asked of it.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise fault(error, path) from error
