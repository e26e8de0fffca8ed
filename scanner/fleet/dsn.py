"""The URL of the centre's database: no password where everybody reads it, TLS where it leaves this machine.

https://www.postgresql.org/docs/current/libpq-connect.html
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

from psycopg import Error
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from scanner.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

_SECRETS: Final = ("password", "sslpassword")
_SCHEMES: Final = ("postgresql://", "postgres://")

_PATIENCE: Final = {
    "connect_timeout": "5",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "15000",
    "application_name": "vetuste",
    "client_encoding": "utf8",
}
"""So that a link that went away is known as gone within a lease; whoever names others in the URL has them."""
_ALWAYS: Final = {"gssencmode": "disable"}
"""Over GSSAPI, libpq would heed no sslmode."""


def checked(url: str, environment: Mapping[str, str], *, key: str, argument: bool) -> str:
    """The connection string of a URL that may be used, for psycopg: it may hold a secret, and is never shown.

    Args:
        url: ``postgresql://USER@HOST/DATABASE?...``.
        environment: what else libpq reads: ``PGHOST``, ``PGHOSTADDR``, ``PGSSLMODE``, ``PGSERVICE``.
        key: what names it, for messages: ``--db``, ``VETUSTE_CENTRE``.
        argument: whether it stood in an argument, where the process list shows it.

    Raises:
        ConfigError: it is no such URL, shows a password, or would go over a network without TLS that knows
            whom it speaks to.
    """
    told = _told(url, key)
    if argument and any(secret in told for secret in _SECRETS):
        raise ConfigError(
            "a password in an argument can be read by everybody on this machine: put it into PGPASSFILE, "
            "PGPASSWORD or the URL of VETUSTE_DB or VETUSTE_CENTRE",
            key=key,
        )
    mode = told.get("sslmode") or ("" if _service(told, environment) else environment.get("PGSSLMODE", ""))
    if mode != "verify-full" and not _stays_here(told, environment):
        raise ConfigError(
            "beyond this machine the link must prove whom it speaks to: add "
            "sslmode=verify-full&sslrootcert=FILE to the URL",
            key=key,
        )
    return make_conninfo(**{**_PATIENCE, **told, **_ALWAYS})


def _told(url: str, key: str) -> dict[str, str]:
    if not url.startswith(_SCHEMES):
        raise ConfigError(
            "the centre of many sites is a PostgreSQL database: write postgresql://USER@HOST/DATABASE",
            key=key,
        )
    try:
        return {name: str(value) for name, value in conninfo_to_dict(url).items() if value is not None}
    except Error:  # it says what it read, which may be a password
        raise ConfigError(
            "this is no URL of a PostgreSQL database: write postgresql://USER@HOST/DATABASE", key=key
        ) from None


def _service(told: Mapping[str, str], environment: Mapping[str, str]) -> str:
    return told.get("service") or environment.get("PGSERVICE", "")


def _stays_here(told: Mapping[str, str], environment: Mapping[str, str]) -> bool:
    """Whether every server that may be meant is reached without a network."""
    if _service(told, environment):
        return False  # whatever the service file says
    names = (told.get("host") or environment.get("PGHOST", "")).split(",")
    addresses = (told.get("hostaddr") or environment.get("PGHOSTADDR", "")).split(",")
    return all(_is_here(name) for name in (addresses if any(addresses) else names))


def _is_here(host: str) -> bool:
    """A socket's folder (or the one that libpq knows), or a loopback address."""
    if not host or host[0] in "/@" or host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
