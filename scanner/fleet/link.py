"""A connection to the centre's database that is made when it is needed, and made again after it was lost."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import psycopg

from scanner.errors import ConfigError
from scanner.fleet.errors import FleetError, LinkError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from psycopg.sql import Composed

_SESSION: Final = b"SELECT set_config('TimeZone', 'UTC', false), set_config('lock_timeout', '10s', false)"
"""A stolen worker may hold what it may lock: nobody waits for it for ever."""

_FAULTS: Final = {
    "42501": "this role may not do that at the centre ({reason})",
    "3F000": "this database is no centre of many sites yet: vetuste fleet init makes it one",
    "42P01": "this database is no centre of many sites yet: vetuste fleet init makes it one",
    "53100": "the disk of the centre's database is full ({reason})",
    "55P03": "somebody else holds what is to be changed at the centre: try again",
}
"""By SQLSTATE; what is not in it is told as the server tells it."""
_GONE: Final = ("08", "53", "57")
"""Classes of SQLSTATE: the link, too many connections, the server is going down."""


class Link:
    """One connection, for one thread."""

    def __init__(self, dsn: str) -> None:
        """Know where to connect, and connect to nothing yet.

        Args:
            dsn: what :func:`scanner.fleet.dsn.checked` gave.
        """
        self._dsn = dsn
        self._connection: psycopg.Connection[tuple[Any, ...]] | None = None

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Ask, or write: at once, or with the rest of a transaction that was begun.

        Raises:
            LinkError: the database cannot be reached; the next call tries again.
            FleetError: it refuses.
        """
        with self._guarded() as connection:
            cursor = connection.execute(sql.encode(), tuple(values) or None)
            return cursor.fetchall() if cursor.description else []

    def script(self, sql: str | Composed) -> None:
        """Carry out statements of which nothing is wanted back; it raises as :meth:`rows` does."""
        with self._guarded() as connection:
            connection.execute(sql.encode() if isinstance(sql, str) else sql)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is asked in it is done, or nothing.

        Raises:
            LinkError: as :meth:`rows`; of the end alone it is not known whether it was done.
            FleetError: as :meth:`rows`.
        """
        with self._guarded() as connection, connection.transaction():
            yield

    def verifier(self, role: str, password: str) -> str:
        """The verifier of a password, which is all that is sent to the server (SCRAM-SHA-256, RFC 5803)."""
        with self._guarded() as connection:
            coded = (password.encode(), role.encode(), b"scram-sha-256")
            return connection.pgconn.encrypt_password(*coded).decode()

    def close(self) -> None:
        """Let the connection go."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @contextmanager
    def _guarded(self) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        try:
            if self._connection is None:
                self._connection = psycopg.connect(self._dsn, autocommit=True)
                self._connection.execute(_SESSION)
            yield self._connection
        except psycopg.Error as error:
            raise self._fault(error) from None  # its context repeats values

    def _fault(self, error: psycopg.Error) -> FleetError:
        code = error.sqlstate or ""
        reason = error.diag.message_primary or " ".join(str(error).split())
        lost = self._connection is None or self._connection.closed
        if lost or (code[:2] in _GONE and code not in _FAULTS):
            self.close()
            return LinkError("the centre's database cannot be reached: {reason}", reason=reason)
        known = code if code in _FAULTS else None
        return FleetError(
            _FAULTS[known] if known else "the centre's database refuses: {reason}", reason=reason
        )


def whole(number: int) -> int:
    """A number of a run, plan or chunk that a column can hold.

    Raises:
        ConfigError: no row has it.
    """
    if not 0 < number < 1 << 63:
        raise ConfigError("there is no number {number}", number=number)
    return number
