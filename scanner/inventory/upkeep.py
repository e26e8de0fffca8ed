"""``db upgrade``, ``db backup``, ``db check``."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scanner.errors import ConfigError, InventoryError
from scanner.inventory.drafts import draft_of
from scanner.inventory.schema import VERSIONS, demand_current, version_of
from scanner.inventory.sqlite import connect, file_of, guarded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PAGES: Final = 2000
"""Pages that are copied before a writer gets its turn."""
_FAULTS: Final = 20
"""Faults that are told; more do not help."""


@dataclass(frozen=True, slots=True)
class Check:
    """What ``db check`` found."""

    version: str
    """The schema's version."""
    faults: tuple[str, ...]
    """What SQLite's integrity and foreign key checks say; empty when all is well."""


def upgrade_inventory(url: str) -> tuple[str, str]:
    """Bring an inventory to this program's schema, all of it or nothing.

    Returns:
        The schema's version before, and the one after.

    Raises:
        ConfigError: it is no inventory, or one of a newer program.
        InventoryError: it cannot be written; it is as it was.
    """
    path = file_of(url)
    before = version_of(path)
    if before in VERSIONS[:-1]:
        from scanner.inventory.migrating import migrate  # noqa: PLC0415 - Alembic, 0.5 s, only when it works

        migrate(path)
    demand_current(path)
    return before, VERSIONS[-1]


def backup_inventory(url: str, target: Path) -> None:
    """Copy an inventory, whole and consistent, while scans may write to it; the copy has mode 0600.

    Raises:
        ConfigError: the target exists, or there is no inventory.
        InventoryError: it cannot be read, or the copy cannot be written; nothing of the copy is left.
    """
    path = file_of(url)
    version_of(path)
    if target.exists():
        raise ConfigError("this file exists already: name another one for the backup", file=target)
    try:
        with draft_of(target) as draft:
            _copy(path, draft, target)
            os.link(draft, target)
    except FileExistsError as error:
        raise ConfigError("this file exists already: name another one for the backup", file=target) from error
    except OSError as error:
        raise InventoryError(
            "the backup cannot be written: {reason}", file=target, reason=os.strerror(error.errno or 0)
        ) from error


def _copy(path: Path, draft: Path, target: Path) -> None:
    with guarded(target), closing(connect(path)) as source, closing(sqlite3.connect(draft)) as copy:
        source.backup(copy, pages=_PAGES)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
    descriptor = os.open(draft, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def check_inventory(url: str) -> Check:
    """Look for damage, without changing anything.

    Raises:
        ConfigError: it is no inventory.
        InventoryError: it cannot be read at all.
    """
    path = file_of(url)
    version = version_of(path)
    with guarded(path), closing(connect(path)) as connection:
        return Check(version, tuple(_faults(connection)))


def _faults(connection: sqlite3.Connection) -> Iterator[str]:
    try:
        for (said,) in connection.execute(f"PRAGMA integrity_check({_FAULTS})"):
            if said != "ok":
                yield str(said)
        for table, row, referred, _ in connection.execute("PRAGMA foreign_key_check").fetchmany(_FAULTS):
            yield f"{table} {row}: {referred}"
    except sqlite3.DatabaseError as error:
        yield str(error)
