"""``db upgrade``, ``db backup``, ``db check``, ``db restore``."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from scanner.errors import ConfigError, InventoryError
from scanner.inventory.database import database_of
from scanner.inventory.drafts import draft_of
from scanner.inventory.schema import VERSIONS, demand_current, demand_known, version_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from scanner.inventory.database import Database

_SAME_DAY: Final = 100
"""Backups of one day and schema; an upgrade is not tried that often."""


@dataclass(frozen=True, slots=True)
class Check:
    """What ``db check`` found."""

    version: str
    """The schema's version."""
    faults: tuple[str, ...]
    """What is damaged, as the database says it; empty when all is well."""


class Keeper(Protocol):
    """What a kind of database can do to be looked after."""

    def copy(self, draft: Path, target: Path) -> None:
        """Fill a draft of the target with all that the inventory holds at one moment."""

    def faults(self) -> Iterator[str]:
        """What is damaged."""

    def restore(self, backup: Path, *, replace: bool) -> Path | None:
        """Put a backup in place; gives where what was there is kept."""


def _keeper_of(database: Database) -> Keeper:
    if isinstance(database.place, Path):
        from scanner.inventory.copying import FileKeeper  # noqa: PLC0415 - psycopg is not needed for it

        return FileKeeper(database.place)
    from scanner.inventory.dumping import ServerKeeper  # noqa: PLC0415 - psycopg, only where it is asked for

    return ServerKeeper.of(database)


def upgrade_inventory(url: str) -> tuple[str, str]:
    """Bring an inventory to this program's schema, all of it or nothing.

    Returns:
        The schema's version before, and the one after.

    Raises:
        ConfigError: it is no inventory, or one of a newer program.
        InventoryError: it cannot be written; it is as it was.
    """
    database = database_of(url)
    before = version_of(database)
    if before in VERSIONS[:-1]:
        from scanner.inventory.migrating import migrate  # noqa: PLC0415 - Alembic, 0.5 s, only when it works

        migrate(database)
    demand_current(database)
    return before, VERSIONS[-1]


def backup_before_upgrade(url: str, today: date) -> Path | None:
    """Back up an inventory that is of an older program: beside the file, a server's in the current directory.

    Args:
        url: where it is.
        today: the day, for the name of the backup; one that is there is never replaced.

    Returns:
        The backup, None where nothing is to be upgraded.

    Raises:
        ConfigError: it is no inventory, or one of a newer program.
        InventoryError: it cannot be read, or the backup cannot be written.
    """
    database = database_of(url)
    version = version_of(database)
    demand_known(version, database.place)
    if version == VERSIONS[-1]:
        return None
    place = database.place
    file = place if isinstance(place, Path) else Path(place.rpartition("/")[2] + ".dump")
    for number in range(1, _SAME_DAY):
        again = f".{number}" if number > 1 else ""
        target = file.with_name(f"{file.stem}.schema-{version}.{today}{again}{file.suffix}")
        if not target.exists():
            backup_inventory(url, target)
            return target
    raise InventoryError("there are too many backups of this day: move them away", file=file.parent)


def backup_inventory(url: str, target: Path) -> None:
    """Copy an inventory, whole and consistent, while scans may write to it; the copy has mode 0600.

    Raises:
        ConfigError: the target exists, or there is no inventory.
        InventoryError: it cannot be read, or the copy cannot be written; nothing of the copy is left.
    """
    database = database_of(url)
    version_of(database)
    if target.exists():
        raise ConfigError("this file exists already: name another one for the backup", file=target)
    with _writing(target), draft_of(target) as draft:
        _keeper_of(database).copy(draft, target)
        _keep(draft)
        os.link(draft, target)


@contextmanager
def _writing(target: Path) -> Iterator[None]:
    try:
        yield
    except FileExistsError as error:
        raise ConfigError("this file exists already: name another one for the backup", file=target) from error
    except OSError as error:
        raise InventoryError(
            "the backup cannot be written: {reason}", file=target, reason=os.strerror(error.errno or 0)
        ) from error


def _keep(draft: Path) -> None:
    """See to it that it is on the disk before it gets its name."""
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
    database = database_of(url)
    version = version_of(database)
    return Check(version, tuple(_keeper_of(database).faults()))


def restore_inventory(url: str, backup: Path, *, replace: bool = False) -> tuple[str, Path | None]:
    """Put a backup where an inventory is to be; it is looked through first.

    Args:
        url: where to: a file, or an empty PostgreSQL database.
        backup: what ``db backup`` made, of this program's schema or an older one.
        replace: even where a sound inventory, or something else, is; it is kept beside.

    Returns:
        The schema's version of what is there now, and where what was there is kept, if anything was.

    Raises:
        ConfigError: the backup is none, or something is in its place that must not be replaced.
        InventoryError: it cannot be read or put there; what was there is as it was.
    """
    database = database_of(url)
    kept = _keeper_of(database).restore(backup, replace=replace)
    return version_of(database), kept
