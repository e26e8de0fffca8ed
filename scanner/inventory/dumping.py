"""Looking after an inventory in PostgreSQL, with the programs that come with it: pg_dump and pg_restore.

They get a password in their environment, never as an argument, which every user of the machine could read.
"""

from __future__ import annotations

import os
import re
import subprocess
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scanner.errors import ConfigError, InventoryError
from scanner.inventory.database import guarded
from scanner.inventory.postgresql import PostgreSQL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scanner.inventory.database import Database, Plain, Row

_FAULTS: Final = 20
"""Faults of a kind that are told; more do not help."""

_DEBIAN: Final = Path("/usr/lib/postgresql")
"""Where Debian keeps the programs of each version."""

_HERE: Final = "(SELECT oid FROM pg_namespace WHERE nspname = current_schema())"
_CONSTRAINTS: Final = f"""
SELECT conrelid::regclass::text || ': ' || conname || ' is not valid' FROM pg_constraint
WHERE connamespace = {_HERE} AND NOT convalidated ORDER BY 1
"""  # noqa: S608 - a constant
_INDEXES: Final = f"""
SELECT indexrelid::regclass::text || ' is not valid' FROM pg_index
JOIN pg_class ON pg_class.oid = indrelid WHERE relnamespace = {_HERE} AND NOT indisvalid ORDER BY 1
"""  # noqa: S608 - a constant
_PAGES: Final = (
    "SELECT checksum_failures || ' pages with a wrong checksum' FROM pg_stat_database"
    " WHERE datname = current_database() AND checksum_failures > 0"
)
_REFERENCES: Final = f"""
SELECT quote_ident(own.relname), quote_ident(col.attname),
       quote_ident(other.relname), quote_ident(key.attname)
FROM pg_constraint c
JOIN pg_class own ON own.oid = c.conrelid JOIN pg_class other ON other.oid = c.confrelid
JOIN pg_attribute col ON col.attrelid = c.conrelid AND col.attnum = c.conkey[1]
JOIN pg_attribute key ON key.attrelid = c.confrelid AND key.attnum = c.confkey[1]
WHERE c.contype = 'f' AND c.connamespace = {_HERE} ORDER BY 1, 2
"""  # noqa: S608 - a constant
_AMCHECK: Final = "SELECT 1 FROM pg_extension WHERE extname = 'amcheck'"
_TREES: Final = f"""
SELECT indexrelid, indexrelid::regclass::text FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
JOIN pg_am ON pg_am.oid = relam WHERE amname = 'btree' AND relnamespace = {_HERE} AND indisvalid ORDER BY 2
"""  # noqa: S608 - a constant


@dataclass(frozen=True, slots=True)
class ServerKeeper:
    """Looks after a database of a server."""

    database: PostgreSQL

    @classmethod
    def of(cls, database: Database) -> ServerKeeper:
        """The keeper of a database, which must be PostgreSQL's."""
        if not isinstance(database, PostgreSQL):
            raise TypeError(database)
        return cls(database)

    def copy(self, draft: Path, target: Path) -> None:
        """Fill a draft by pg_dump, in its custom format.

        Raises:
            InventoryError: there is no pg_dump for this server, or it failed.
        """
        with guarded(self.database), closing(self.database.open(autocommit=True)) as connection:
            server = connection.info.server_version // 10000
            row = connection.execute("SELECT current_schema()").fetchone()
        program = _program("pg_dump", server)
        if program is None:
            raise InventoryError(
                "a backup needs pg_dump of PostgreSQL {version} or newer: apt install postgresql-client "
                "(db upgrade --no-backup goes on without one)",
                file=self.database.place,
                version=server,
            )
        tables = f'--table="{row[0]}".*' if row else ""  # the schema itself is there where they come back
        self._run(
            program, "--format=custom", "--no-owner", "--no-privileges", tables, f"--file={draft}", at=target
        )

    def faults(self) -> Iterator[str]:
        """What the catalogue, the references and, where the extension amcheck is there, the indexes say."""
        with guarded(self.database), closing(self.database.connect()) as connection:
            for question in (_CONSTRAINTS, _INDEXES, _PAGES):
                yield from (str(row[0]) for row in connection.execute(question).fetchall()[:_FAULTS])
            for names in connection.execute(_REFERENCES).fetchall():
                yield from self._dangling(connection, names)
            if connection.execute(_AMCHECK).fetchone():
                for tree, name in connection.execute(_TREES).fetchall():
                    yield from self._damaged(connection, tree, name)

    def _dangling(self, connection: Plain, names: Row) -> Iterator[str]:
        table, column, other, key = names
        rows = connection.execute(
            f"SELECT DISTINCT {column}::text FROM {table} WHERE {column} IS NOT NULL"  # noqa: S608 - quoted names of the catalogue
            f" AND NOT EXISTS (SELECT 1 FROM {other} AS other WHERE other.{key} = {table}.{column})"
            f" LIMIT {_FAULTS}"
        )
        yield from (f"{table}.{column} {value}: {other}" for (value,) in rows.fetchall())

    def _damaged(self, connection: Plain, tree: int, name: str) -> Iterator[str]:
        try:
            connection.execute("SELECT bt_index_check(?::oid)", (tree,)).fetchall()
        except self.database.errors as error:
            if getattr(error, "sqlstate", "") != "42501":  # who may not look finds nothing
                yield f"{name}: {self.database.fault(error).values['reason']}"

    def restore(self, backup: Path, *, replace: bool) -> None:
        """Put a backup into an empty database by pg_restore, all of it or nothing.

        Raises:
            ConfigError: the backup is none, or something is in the database.
            InventoryError: there is no pg_restore, or it failed.
        """
        if not backup.is_file():
            raise ConfigError("there is no backup here", file=backup)
        if self.database.version() is not None or replace:
            raise ConfigError(
                "a backup is restored into an empty database: make one (createdb), and name it with --db",
                file=self.database.place,
            )
        with guarded(self.database), closing(self.database.open(autocommit=True)) as connection:
            server = connection.info.server_version // 10000
        program = _program("pg_restore", server)
        if program is None:
            raise InventoryError(
                "this needs pg_restore of PostgreSQL {version} or newer: apt install postgresql-client",
                file=backup,
                version=server,
            )
        listed = subprocess.run([program, "--list", backup], capture_output=True, check=False)  # noqa: S603 - PostgreSQL's program
        if listed.returncode or b" COMMENT " not in listed.stdout or b"alembic_version" not in listed.stdout:
            raise ConfigError("this is no backup of an inventory in PostgreSQL", file=backup)
        self._run(
            *(program, "--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges"),
            str(backup),
            at=backup,
        )

    def _run(self, program: str, *words: str, at: Path) -> None:
        environment = dict(os.environ)
        if "password" in self.database.secrets:
            environment["PGPASSWORD"] = self.database.secrets["password"]
        done = subprocess.run(  # noqa: S603 - PostgreSQL's program
            [program, f"--dbname={self.database.conninfo}", "--no-password", *filter(None, words)],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if done.returncode:
            said = [line for line in done.stderr.splitlines() if line.strip()] or [f"exit {done.returncode}"]
            raise InventoryError(
                "{program} could not do it: {reason}", file=at, program=Path(program).name, reason=said[0]
            )


def _program(name: str, server: int) -> str | None:
    """The oldest of the programs of that name here that is as new as the server."""
    folders = [*map(Path, os.get_exec_path()), *_DEBIAN.glob("*/bin")]
    places = [str(folder / name) for folder in folders if os.access(folder / name, os.X_OK)]
    found = sorted((_version(place), place) for place in places)
    return next((place for version, place in found if version >= server), None)


def _version(program: str) -> int:
    """The major version that it says it is of; 0 where it says none."""
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)  # noqa: S603 - PostgreSQL's program
    number = re.search(r"\) (\d+)", said.stdout)
    return int(number[1]) if number else 0
