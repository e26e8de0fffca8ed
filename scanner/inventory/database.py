"""The databases that an inventory may be in, found by the scheme of its URL.

What differs between them stands behind :class:`Database`: one file each, ``sqlite.py`` and ``postgresql.py``.
Everything else asks in SQLAlchemy Core, or in plain SQL that both understand, with ``?`` for values.
"""

from __future__ import annotations

from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

from scanner.errors import ConfigError, InventoryError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy.engine import Engine

Row: TypeAlias = tuple[Any, ...]

POSTGRESQL: Final = ("postgresql", "postgres")
"""The schemes of PostgreSQL's own URLs."""

_SQLITE: Final = "sqlite:///"


class Rows(Protocol):
    """What a statement gave."""

    def fetchone(self) -> Row | None:
        """The next row."""

    def fetchall(self) -> list[Row]:
        """Those that are left."""

    def __iter__(self) -> Iterator[Row]: ...


class Plain(Protocol):
    """A connection that cannot write, without SQLAlchemy; ``BEGIN`` begins to read of one moment."""

    def execute(self, sql: str, parameters: Sequence[Any] = ..., /) -> Rows:
        """Ask; values stand in the statement as ``?``."""

    def close(self) -> None:
        """Let it go."""


class ScanLock(Protocol):
    """What tells that a scan is carried out by a living process."""

    def held(self) -> bool:
        """Whether somebody living holds it; so too where that cannot be told."""

    def elsewhere(self) -> bool:
        """Whether its holder is known to be another machine."""

    def forget(self) -> None:
        """Remove what a dead holder left; only in a write transaction, so that nobody takes it now."""

    def take(self) -> None:
        """Take it; to be called in the transaction that writes the scan's beginning, so that no two do.

        Raises:
            InventoryError: somebody living holds it, or it cannot be made.
        """

    def release(self) -> None:
        """Let it go, and leave nothing; without effect where it is not held."""


class Driver(Protocol):
    """What leads to a database."""

    @property
    def place(self) -> str | Path:
        """What messages call it; never with a password."""

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """What its driver raises."""

    def fault(self, error: BaseException) -> InventoryError:
        """What it complains of, in words that say what to do."""


class Database(Driver, Protocol):
    """Where an inventory is, or is to be."""

    def connect(self) -> Plain:
        """A plain connection; the caller closes it."""

    def engine(self) -> Engine:
        """SQLAlchemy's engine, which begins as its connections' options say: engines.py."""

    def version(self) -> str | None:
        """The schema's version of the inventory, None where there is nothing; told without changing a byte.

        Raises:
            ConfigError: what is there is no inventory.
            InventoryError: it cannot be read now.
        """

    def create(self) -> None:
        """Make an empty inventory, whole or not at all; one that somebody else makes at that time stays.

        Raises:
            ConfigError: an inventory cannot be there.
            InventoryError: it cannot be made now.
        """

    def lock(self, scan: int) -> ScanLock:
        """The lock of a scan; nobody has it yet."""


def database_of(url: str) -> Database:
    """The database of a URL: ``sqlite:///FILE``, ``postgresql://[USER@]HOST/DATABASE``.

    Raises:
        ConfigError: the URL names none; only its scheme is repeated, the rest may hold a password.
    """
    scheme = url.partition("://")[0]
    if scheme in POSTGRESQL and scheme != url:
        return _server_of(url)
    from scanner.inventory.sqlite import SQLite  # noqa: PLC0415 - it knows this module

    return SQLite(_file_of(url))


def _server_of(url: str) -> Database:
    try:
        from scanner.inventory.postgresql import PostgreSQL  # noqa: PLC0415 - psycopg, only where it is asked for
    except ImportError as error:
        raise ConfigError('PostgreSQL needs psycopg: pip install "vetuste[postgresql]"') from error
    return PostgreSQL(url)


def _file_of(url: str) -> Path:
    name = url.removeprefix(_SQLITE)
    if name == url or not name or name.startswith(":memory:") or "\0" in name:
        scheme = url.partition(":")[0] if "://" in url else url
        raise ConfigError(
            "the inventory is an SQLite file or a PostgreSQL database: write sqlite:///FILE "
            "(sqlite:///inventory.db) or postgresql://USER@HOST/DATABASE, not {scheme}",
            scheme=scheme,
        )
    return Path(name)


@contextmanager
def guarded(database: Driver) -> Iterator[None]:
    """Turn the errors of a database's driver into ours.

    Raises:
        InventoryError: the database could not do what was asked of it.
    """
    try:
        yield
    except database.errors as error:
        raise database.fault(error) from error


@contextmanager
def asking(database: Database) -> Iterator[Plain]:
    """A plain connection that cannot write, for what must be fast.

    Raises:
        InventoryError: the inventory cannot be read now.
    """
    with guarded(database), closing(database.connect()) as connection:
        yield connection
