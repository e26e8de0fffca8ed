"""Looking after an inventory in an SQLite file: copies, checks, a backup in the place of damage."""

from __future__ import annotations

import glob
import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Final

from scanner.errors import ConfigError, InventoryError
from scanner.inventory.database import guarded
from scanner.inventory.drafts import draft_of
from scanner.inventory.locking import held
from scanner.inventory.schema import demand_known, version_of
from scanner.inventory.sqlite import SQLite, connect, header_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PAGES: Final = 2000
"""Pages that are copied before a writer gets its turn."""
_FAULTS: Final = 20
"""Faults that are told; more do not help."""
_BESIDE: Final = ("-wal", "-shm", "-journal", "")
"""What SQLite keeps beside a database; a log that stays is written into whatever comes into its place."""


@dataclass(frozen=True, slots=True)
class FileKeeper:
    """Looks after a file."""

    path: Path

    def copy(self, draft: Path, target: Path) -> None:
        """Fill a draft; a scan may write meanwhile."""
        with (
            guarded(SQLite(target)),
            closing(connect(self.path)) as source,
            closing(sqlite3.connect(draft)) as copy,
        ):
            source.backup(copy, pages=_PAGES)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it

    def faults(self) -> Iterator[str]:
        """What SQLite's integrity and foreign key checks say."""
        with guarded(SQLite(self.path)), closing(connect(self.path)) as connection:
            try:
                for (said,) in connection.execute(f"PRAGMA integrity_check({_FAULTS})"):
                    if said != "ok":
                        yield str(said)
                rows = connection.execute("PRAGMA foreign_key_check").fetchmany(_FAULTS)
            except sqlite3.DatabaseError as error:
                yield str(error)
            else:
                yield from (f"{table} {row}: {referred}" for table, row, referred, _ in rows)

    def restore(self, backup: Path, *, replace: bool) -> Path | None:
        """Put a backup in place; a damaged inventory, or what may be replaced, is kept beside.

        Raises:
            ConfigError: the backup is none, or a sound inventory or another file is in its place.
            InventoryError: the backup is damaged, a scan is running, or a file cannot be written.
        """
        _demand_backup(backup)
        if not replace and header_of(self.path) and not self._is_damaged():
            raise ConfigError(
                "a sound inventory is here: --replace puts the backup in its place, and keeps it beside",
                file=self.path,
            )
        self._demand_rest()
        try:
            with draft_of(self.path) as draft:
                _fill(backup, draft)
                kept = _move_away(self.path)
                os.link(draft, self.path)
        except OSError as error:
            raise InventoryError(
                "the backup cannot be put here: {reason}",
                file=self.path,
                reason=os.strerror(error.errno or 0),
            ) from error
        return kept

    def _is_damaged(self) -> bool:
        try:
            version_of(SQLite(self.path))
            return any(self.faults())
        except InventoryError:
            return True

    def _demand_rest(self) -> None:
        file = self.path.resolve()
        for lock in file.parent.glob(f"{glob.escape(file.name)}.scan-*.lock"):
            if held(lock):
                raise InventoryError("a scan writes to this inventory: wait until it ends", file=self.path)


def _fill(backup: Path, draft: Path) -> None:
    with (
        guarded(SQLite(backup)),
        closing(sqlite3.connect(f"{backup.absolute().as_uri()}?mode=ro", uri=True)) as source,
        closing(sqlite3.connect(draft)) as copy,
    ):
        source.backup(copy)
        copy.execute("PRAGMA journal_mode = WAL")
    fault = next(FileKeeper(draft).faults(), None)
    if fault is not None:
        raise InventoryError("this backup is damaged ({fault}): take another", file=backup, fault=fault)


def _move_away(path: Path) -> Path | None:
    """Give what is there, with the files beside it, another name: the first that is free."""
    if not _there(path):
        return None
    names = (path.with_name(f"{path.name}.before-restore-{number}") for number in count(1))
    kept = next(name for name in names if not _there(name))
    for suffix in _there(path):
        path.with_name(path.name + suffix).rename(kept.with_name(kept.name + suffix))
    return kept


def _there(file: Path) -> list[str]:
    """What is there of a database, by what is added to its name."""
    return [suffix for suffix in _BESIDE if file.with_name(file.name + suffix).exists()]


def _demand_backup(backup: Path) -> None:
    if not header_of(backup):
        raise ConfigError("there is no backup here", file=backup)
    demand_known(version_of(SQLite(backup)), backup)
