"""Making and upgrading the schema (Alembic). Imported only for that: Alembic alone takes half a second."""

from __future__ import annotations

import os
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from alembic import command
from alembic.config import Config

from scanner.errors import InventoryError
from scanner.inventory.database import guarded
from scanner.inventory.drafts import draft_of
from scanner.inventory.sqlite import APPLICATION, SQLite, connect
from scanner.inventory.store import Inventory
from scanner.inventory.transactions import writing

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from scanner.inventory.database import Database
    from scanner.inventory.postgresql import PostgreSQL

_SCRIPTS: Final = Path(__file__).parent / "migrations"


def alembic_config(connection: Connection | None = None) -> Config:
    """Alembic's configuration, without any file of its own."""
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def migrate(database: Database) -> None:
    """Bring an inventory to this program's schema, in one transaction.

    Raises:
        InventoryError: it cannot be written; it is as it was.
    """
    with Inventory(database) as inventory, writing(inventory, rebuilding=True) as connection:
        command.upgrade(alembic_config(connection), "head")


def create_in_server(database: PostgreSQL) -> None:
    """Make an empty inventory in a PostgreSQL database, in one transaction.

    Where another process makes the same one at the same time, the first one there stays.

    Raises:
        ConfigError: another program made something there meanwhile.
        InventoryError: it cannot be made.
    """
    with Inventory(database) as inventory, writing(inventory) as connection:
        if database.version() is None:  # nobody else writes now
            command.upgrade(alembic_config(connection), "head")
            connection.exec_driver_sql(f"COMMENT ON TABLE alembic_version IS '{database.mark}'")


def create_file(path: Path) -> None:
    """Make an empty inventory in a file, mode 0600, whole or not at all.

    Where another process makes the same one at the same time, the first one there stays.

    Raises:
        InventoryError: it cannot be made here.
    """
    try:
        with draft_of(path) as draft:
            made = SQLite(draft)
            with guarded(SQLite(path)), closing(connect(draft, write=True)) as connection:
                connection.execute(f"PRAGMA application_id = {APPLICATION}")
                connection.execute("PRAGMA journal_mode = WAL")
            migrate(made)
            with guarded(SQLite(path)), closing(connect(draft, write=True)) as connection:
                # All of it into the file: closing would do so too, and say nothing where the disk is full.
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            _put(draft, path)
    except OSError as error:
        raise InventoryError(
            "the inventory cannot be made: {reason}", file=path, reason=os.strerror(error.errno or 0)
        ) from error


def _put(draft: Path, path: Path) -> None:
    if path.exists() and not path.stat().st_size:
        draft.replace(path)
        return
    with suppress(FileExistsError):  # another process was faster; a rename would destroy its work
        os.link(draft, path)
