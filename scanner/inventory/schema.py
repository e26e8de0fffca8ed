"""Which schema a file has, told without changing a byte of it."""

from __future__ import annotations

import os
from contextlib import closing
from typing import TYPE_CHECKING, Final

from scanner.errors import ConfigError, InventoryError
from scanner.inventory.sqlite import connect, guarded

if TYPE_CHECKING:
    from pathlib import Path

VERSIONS: Final = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009")
"""Every schema there was, oldest first; the last is this program's."""

APPLICATION: Final = 0x76747374
"""SQLite's application id of an inventory: "vtst"."""

_MAGIC: Final = b"SQLite format 3\0"
_HEADER: Final = 100
_APPLICATION_AT: Final = 68  # https://www.sqlite.org/fileformat.html, section 1.3


def _header(path: Path) -> bytes:
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


def is_there(path: Path) -> bool:
    """Whether anything is in the file; an empty one is as good as none."""
    return bool(_header(path))


def version_of(path: Path) -> str:
    """The schema's version of an inventory.

    Raises:
        ConfigError: the file is no inventory; it was not opened as a database, so it is as it was.
        InventoryError: it is one, and cannot be read.
    """
    header = _header(path)
    if not header:
        raise ConfigError(
            "there is no inventory here: run a scan first, or name another file with --db", file=path
        )
    if not header.startswith(_MAGIC) or len(header) < _HEADER:
        raise ConfigError("this is no inventory: name another file with --db", file=path)
    if int.from_bytes(header[_APPLICATION_AT : _APPLICATION_AT + 4]) != APPLICATION:
        raise ConfigError("this is the database of another program: name another file with --db", file=path)
    with guarded(path), closing(connect(path)) as connection:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return "" if row is None else str(row[0])


def demand_current(path: Path) -> None:
    """Go on only with an inventory of this program's schema.

    Raises:
        ConfigError: it is no inventory, or one of an older or a newer program.
        InventoryError: it cannot be read.
    """
    version = version_of(path)
    if version == VERSIONS[-1]:
        return
    if version in VERSIONS:
        raise ConfigError("the inventory was made by an older vetuste: run vetuste db upgrade", file=path)
    raise ConfigError(
        "the inventory was made by a newer vetuste (schema {version}): use that one, or another --db",
        file=path,
        version=version,
    )
