"""An inventory in a PostgreSQL database: in the schema that its user's connections begin in."""

from __future__ import annotations

from contextlib import closing
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.types.string import StrDumperUnknown

from scanner.errors import ConfigError, InventoryError
from scanner.inventory.database import guarded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg.abc import Buffer
    from sqlalchemy.engine import Engine

    from scanner.inventory.database import Plain, Rows

_MARK: Final = "the inventory of vetuste"
"""The comment on the table of the schema's version, by which an inventory is known."""


@cache
def _boot() -> str:
    """What tells this machine from others: its kernel's boot (random(4)); empty where it is not told."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


_DEFAULTS: Final = {
    "connect_timeout": "10",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "application_name": f"vetuste {_boot()}".strip(),
    "client_encoding": "utf8",
}
_SECRETS: Final = ("password", "sslpassword")

_FAMILY: Final = "hashtext('vetuste ' || current_schema())"
"""The first number of an inventory's advisory locks; the second is a scan's, or 0: the writer's."""
WRITE: Final = f"SELECT set_config('lock_timeout', '10s', true), pg_advisory_xact_lock({_FAMILY}, 0)"
"""A writer's turn, waited for as long as SQLite's, and kept until the transaction ends."""

_READ_ONLY: Final = "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
_PATIENT: Final = (
    "SELECT set_config('tcp_keepalives_idle', '30', false), set_config('idle_session_timeout', '0', false)"
)
"""So that the server sees the death of a machine that holds a scan's lock, and ends none that lives."""
_TAKE: Final = f"SELECT pg_try_advisory_lock({_FAMILY}, %s::int)"
_HOLDERS: Final = f"""
  SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND granted
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND classid = ({_FAMILY}::bigint & 4294967295)::oid AND objid = ?::bigint::oid
"""  # noqa: S608 - constants; https://www.postgresql.org/docs/current/view-pg-locks.html
_HELD: Final = f"SELECT EXISTS ({_HOLDERS})"
_ELSEWHERE: Final = f"""
SELECT starts_with(application_name, 'vetuste ') AND application_name <> current_setting('application_name')
FROM pg_stat_activity WHERE pid IN ({_HOLDERS})
"""  # noqa: S608 - the same
"""NULL where this role may not know it."""
_MARKED: Final = """
SELECT current_schema(), obj_description(
  (SELECT oid FROM pg_class WHERE relname = 'alembic_version'
   AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())), 'pg_class')
"""
_OTHERS: Final = """
SELECT relname FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'f')
AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e') LIMIT 1
"""

_FAULTS: Final = {
    "55P03": "another program holds the inventory: try again when it is done",
    "40P01": "another program holds the inventory: try again when it is done",
    "40001": "another program holds the inventory: try again when it is done",
    "53100": "the disk is full: free some space; what was recorded before is kept",
    "53300": "the database server has no connection left: end some, or raise its max_connections",
    "42501": "this user may not do that in the database ({reason}): its owner grants it",
    "25006": "the inventory cannot be written: this database server only reads, name the other one with --db",
    "XX001": "the inventory is damaged ({reason}): restore a backup into an empty database",
    "XX002": "the inventory is damaged ({reason}): restore a backup into an empty database",
    "57P01": "the database server went away ({reason}): what was recorded before is kept",
    "57P02": "the database server went away ({reason}): what was recorded before is kept",
    "08": "the database server went away ({reason}): what was recorded before is kept",
}
"""By SQLSTATE, or its class."""


class _Text(StrDumperUnknown):
    """Text as PostgreSQL takes it: the character NUL, which peers may say and it cannot keep, is replaced."""

    def dump(self, obj: str) -> Buffer | None:
        return super().dump(obj.replace("\0", "\N{REPLACEMENT CHARACTER}"))


class _Plain:
    """A connection that cannot write."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Rows:
        """Ask."""
        return self._connection.execute(marked(sql).encode(), tuple(parameters))

    def close(self) -> None:
        """Let it go."""
        self._connection.close()


def marked(sql: str) -> str:
    """A statement with ``?`` for values, as psycopg wants it."""
    return sql.replace("%", "%%").replace("?", "%s")


class PostgreSQL:
    """A PostgreSQL database."""

    errors: tuple[type[Exception], ...] = (psycopg.Error,)
    mark = _MARK

    def __init__(self, url: str) -> None:
        """Understand a URL as libpq does, and connect to nothing yet.

        Raises:
            ConfigError: it is none; it is not repeated, for it may hold a password.
        """
        try:
            told = {name: str(value) for name, value in conninfo_to_dict(url).items() if value is not None}
        except psycopg.Error:
            raise ConfigError(
                "this is no URL of a PostgreSQL database: write postgresql://USER@HOST/DATABASE"
            ) from None
        self.secrets: dict[str, Any] = {name: told.pop(name) for name in _SECRETS if name in told}
        self.conninfo = make_conninfo(**{**_DEFAULTS, **told})
        where = told.get("host") or told.get("hostaddr") or ""
        port = f":{told['port']}" if "port" in told else ""
        self.name = told.get("dbname") or told.get("user") or "postgres"
        self.place = f"postgresql://{where}{port}/{self.name}"

    def open(self, *, autocommit: bool = False) -> psycopg.Connection:
        """A connection that may write."""
        connection = psycopg.connect(make_conninfo(self.conninfo, **self.secrets), autocommit=autocommit)
        connection.adapters.register_dumper(str, _Text)
        return connection

    def fault(self, error: BaseException) -> InventoryError:
        """What PostgreSQL complains of, in words that say what to do."""
        code = getattr(error, "sqlstate", None) or ""
        known = next((key for key in (code, code[:2]) if key in _FAULTS), None)
        reason = getattr(getattr(error, "diag", None), "message_primary", None) or " ".join(
            str(error).split()
        )
        if known is None and not code and isinstance(error, psycopg.OperationalError):
            text = (
                "the database cannot be reached ({reason}): is the server running, is the URL right? "
                "A password comes from PGPASSWORD or ~/.pgpass"
            )
            return InventoryError(text, file=self.place, reason=reason)
        return InventoryError(
            _FAULTS[known] if known else "the inventory cannot be used: {reason}",
            file=self.place,
            reason=reason,
        )

    def connect(self) -> Plain:
        """A plain connection that cannot write."""
        connection = self.open(autocommit=True)
        connection.execute(_READ_ONLY)
        return _Plain(connection)

    def engine(self) -> Engine:
        """SQLAlchemy's engine over the database."""
        from scanner.inventory.engines import engine_over_server  # noqa: PLC0415 - 0.3 s that counting does not pay

        return engine_over_server(self.open)

    def version(self) -> str | None:
        """The schema's version of the inventory.

        Raises:
            ConfigError: the database is another program's, or has no schema for tables; it is as it was.
            InventoryError: it cannot be read.
        """
        with guarded(self), closing(self.connect()) as connection:
            schema, mark = connection.execute(_MARKED).fetchone() or (None, None)
            if schema is None:
                raise ConfigError(
                    "the schema that this user's connections begin in is not there: create it first",
                    file=self.place,
                )
            if mark == self.mark:
                row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
                return "" if row is None else str(row[0])
            other = connection.execute(_OTHERS).fetchone()
        if other is not None:
            raise ConfigError(
                "this is the database of another program (table {table}): name an empty one with --db",
                file=self.place,
                table=other[0],
            )
        return None

    def create(self) -> None:
        """Make an empty inventory; the first one there stays.

        Raises:
            ConfigError: the database keeps no UTF-8.
            InventoryError: it cannot be made.
        """
        from scanner.inventory.migrating import create_in_server  # noqa: PLC0415 - Alembic, 0.5 s, once

        with guarded(self), closing(self.connect()) as connection:
            (encoding,) = connection.execute("SHOW server_encoding").fetchone() or ("",)
        if encoding != "UTF8":
            raise ConfigError(
                "the database keeps text as {encoding}: make one with ENCODING 'UTF8'",
                file=self.place,
                encoding=encoding,
            )
        create_in_server(self)

    def lock(self, scan: int) -> SessionLock:
        """A lock of the server's, held by a session of its own."""
        return SessionLock(self, scan)


class SessionLock:
    """The lock of a scan: an advisory one, which the server frees when its holder's connection ends."""

    def __init__(self, database: PostgreSQL, scan: int) -> None:
        self._database, self._scan = database, scan
        self._session: psycopg.Connection | None = None

    def held(self) -> bool:
        """Whether somebody living holds it."""
        with guarded(self._database), closing(self._database.connect()) as connection:
            row = connection.execute(_HELD, (self._scan,)).fetchone()
        return row is None or bool(row[0])

    def elsewhere(self) -> bool:
        """Whether its holder is known to be another machine: each names its kernel, as it was started."""
        with guarded(self._database), closing(self._database.connect()) as connection:
            row = connection.execute(_ELSEWHERE, (self._scan,)).fetchone()
        return row is not None and bool(row[0]) and bool(_boot())

    def forget(self) -> None:
        """The dead leave nothing."""

    def take(self) -> None:
        """Take it.

        Raises:
            InventoryError: somebody living holds it, or the server cannot be reached.
        """
        with guarded(self._database):
            session = self._database.open(autocommit=True)
            session.execute(_PATIENT)
            row = session.execute(_TAKE.encode(), (self._scan,)).fetchone()
        if row is None or not row[0]:
            session.close()
            raise InventoryError(
                "scan {scan} is running: wait until it ends, or halt it with vetuste stop",
                file=self._database.place,
                scan=self._scan,
            )
        self._session = session

    def release(self) -> None:
        """Let it go."""
        if self._session is not None:
            try:
                self._session.execute("SELECT pg_advisory_unlock_all()")
            except psycopg.Error:
                pass  # the server has freed it, or will
            finally:
                self._session.close()
                self._session = None
