"""An inventory in an SQLite file, private to its owner."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scanner.errors import ConfigError, InventoryError
from scanner.inventory.database import guarded
from scanner.inventory.locking import FileLock

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.engine import Engine

APPLICATION: Final = 0x76747374
"""SQLite's application id of an inventory: "vtst"."""

PATIENCE: Final = 10.0
"""Seconds that a connection waits for another program's lock."""

_MAGIC: Final = b"SQLite format 3\0"
_HEADER: Final = 100
_APPLICATION_AT: Final = 68  # https://www.sqlite.org/fileformat.html, section 1.3

_FAULTS: Final = {
    sqlite3.SQLITE_BUSY: "another program holds the inventory: try again when it is done",
    sqlite3.SQLITE_LOCKED: "another program holds the inventory: try again when it is done",
    sqlite3.SQLITE_FULL: "the disk is full: free some space; what was recorded before is kept",
    sqlite3.SQLITE_IOERR: "the disk refuses to read or write ({reason}): what was recorded before is kept",
    sqlite3.SQLITE_READONLY: "the inventory cannot be written: allow it, or take another file with --db",
    sqlite3.SQLITE_PERM: "the inventory cannot be opened: this user must be able to write its folder",
    sqlite3.SQLITE_CANTOPEN: "the inventory cannot be opened: this user must be able to write its folder",
    sqlite3.SQLITE_CORRUPT: "the inventory is damaged ({reason}): restore a backup (vetuste db restore)",
    sqlite3.SQLITE_NOTADB: "the inventory is damaged ({reason}): restore a backup (vetuste db restore)",
}


@dataclass(frozen=True, slots=True)
class SQLite:
    """An SQLite file."""

    place: Path

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """What sqlite3 raises."""
        return (sqlite3.Error,)

    def fault(self, error: BaseException) -> InventoryError:
        """What SQLite complains of, in words that say what to do."""
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the primary code, without its refinement
        return InventoryError(
            _FAULTS[code] if code in _FAULTS else "the inventory cannot be used: {reason}",  # noqa: SIM401 - the catalogue reads what stands in the call
            file=self.place,
            reason=str(error),
        )

    def connect(self) -> sqlite3.Connection:
        """A plain connection that cannot write."""
        return connect(self.place)

    def engine(self) -> Engine:
        """SQLAlchemy's engine over the file."""
        from scanner.inventory.engines import engine_over_file  # noqa: PLC0415 - 0.3 s that counting does not pay

        return engine_over_file(self.place)

    def version(self) -> str | None:
        """The schema's version; of a file that is no inventory's nothing is opened as a database.

        Raises:
            ConfigError: the file is no inventory; it is as it was.
            InventoryError: it is one, and cannot be read.
        """
        header = header_of(self.place)
        if not header:
            return None
        if not header.startswith(_MAGIC) or len(header) < _HEADER:
            raise ConfigError("this is no inventory: name another file with --db", file=self.place)
        if int.from_bytes(header[_APPLICATION_AT : _APPLICATION_AT + 4]) != APPLICATION:
            raise ConfigError(
                "this is the database of another program: name another file with --db", file=self.place
            )
        with guarded(self), closing(self.connect()) as connection:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return "" if row is None else str(row[0])

    def create(self) -> None:
        """Make an empty inventory, mode 0600; the first one there stays.

        Raises:
            InventoryError: it cannot be made here.
        """
        from scanner.inventory.migrating import create_file  # noqa: PLC0415 - Alembic, 0.5 s, once

        create_file(self.place)

    def lock(self, scan: int) -> FileLock:
        """A lock of the kernel's on a file beside it."""
        return FileLock(self.place, scan)


def header_of(path: Path) -> bytes:
    """What stands at the beginning of a file, nothing where there is none.

    Raises:
        ConfigError: it is a folder.
        InventoryError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(_HEADER)
    except IsADirectoryError as error:
        raise ConfigError("the inventory is a file, and this is a folder", file=path) from error
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise InventoryError(
            "the inventory cannot be read: {reason}", file=path, reason=os.strerror(error.errno or 0)
        ) from error


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
