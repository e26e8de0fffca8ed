"""SQLAlchemy's engines over both databases: transactions that are begun as they are meant, and said aloud.

Python's sqlite3 would begin transactions by itself and too late; here SQLAlchemy says BEGIN for a reader and
BEGIN IMMEDIATE for a writer, so that a writer waits for its turn before it has read anything. PostgreSQL lets
many write at once; there a writer takes a lock of the inventory's, because numbers are given to rows by who
writes them. So one writer at a time is what both have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Integer, create_engine, event
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.base import PGDDLCompiler, PGTypeCompiler
from sqlalchemy.dialects.postgresql.psycopg import PGCompiler_psycopg, PGDialect_psycopg
from sqlalchemy.pool import NullPool

from scanner.inventory.sqlite import connect

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import psycopg
    from sqlalchemy.engine import Connection, Engine

_RECORDING: Final = ("PRAGMA cache_size = -16384", "PRAGMA wal_autocheckpoint = 8192")
"""For a connection that writes batch after batch: 16 MB for the pages that one comes to, which would else be
read and written twice; 32 MB for the log before it goes into the file, since batches change the same pages.
What is committed is as safe as ever."""
_SNAPSHOT: Final = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"


def engine_over_file(path: Path) -> Engine:
    """An engine whose connections are opened for each use: nothing stays open behind a reader's back."""
    engine = create_engine("sqlite://", creator=lambda: connect(path, write=True), poolclass=NullPool)
    event.listen(engine, "begin", _begin_in_file)
    return engine


def _begin_in_file(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get("rebuilding", False):
        connection.exec_driver_sql("PRAGMA foreign_keys = OFF")  # heeded outside a transaction only
    if options.get("recording", False) and "recording" not in connection.info:
        connection.info["recording"] = True
        for pragma in _RECORDING:
            connection.exec_driver_sql(pragma)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("immediate", False) else "BEGIN")


def engine_over_server(opened: Callable[[], psycopg.Connection]) -> Engine:
    """An engine that keeps one connection at hand: to make one takes longer than most questions."""
    registry.register("postgresql.wide", __name__, _Wide.__name__)
    engine = create_engine(
        "postgresql+wide://", creator=opened, pool_size=1, max_overflow=-1, pool_pre_ping=True
    )
    event.listen(engine, "begin", _begin_in_server)
    return engine


def _begin_in_server(connection: Connection) -> None:
    from scanner.inventory import postgresql  # noqa: PLC0415 - psycopg, which a file does not need

    options = connection.get_execution_options()
    if options.get("immediate", False):
        connection.exec_driver_sql(postgresql.WRITE)
    elif options.get("snapshot", False):
        connection.exec_driver_sql(_SNAPSHOT)


class _WideTypes(PGTypeCompiler):
    def visit_INTEGER(self, type_: Any, **options: Any) -> str:  # noqa: ANN401, ARG002, N802 - SQLAlchemy's signature
        return "BIGINT"


class _WideStatements(PGCompiler_psycopg):
    def render_bind_cast(self, type_: Any, dbapi_type: Any, sqltext: str) -> str:  # noqa: ANN401 - SQLAlchemy's signature
        # psycopg says how wide each number is; cast to 64 bits, it would fit no function of PostgreSQL's.
        if isinstance(dbapi_type, Integer):
            return sqltext
        return str(super().render_bind_cast(type_, dbapi_type, sqltext))  # type: ignore[no-untyped-call]


class _WideTables(PGDDLCompiler):
    def get_column_specification(self, column: Any, **options: Any) -> str:  # noqa: ANN401 - SQLAlchemy's signature
        made = str(super().get_column_specification(column, **options))  # type: ignore[no-untyped-call]
        return made.replace(" SERIAL", " BIGSERIAL")


class _Wide(PGDialect_psycopg):
    """PostgreSQL, where every integer has 64 bits, as it has in SQLite."""

    type_compiler_cls = _WideTypes
    ddl_compiler = _WideTables
    statement_compiler = _WideStatements
    supports_statement_cache = True
