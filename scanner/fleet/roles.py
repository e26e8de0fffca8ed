"""The roles of sites: each may log in, has what its group may do and nothing else, and owns nothing."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, Final

from psycopg.sql import SQL, Identifier, Literal

from scanner.errors import ConfigError
from scanner.fleet.errors import FleetError, LinkError

if TYPE_CHECKING:
    from psycopg.sql import Composed

    from scanner.fleet.link import Link

GROUP: Final = "vetuste_site"
_CONNECTIONS: Final = 12
"""Of one site at the same time: two workers while one takes over from the other, and no more."""
_KEY: Final = re.compile(r"[a-z][a-z0-9_]{0,30}")

_ROLE: Final = """
SELECT rolcanlogin AND NOT (rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls),
  ARRAY(SELECT roleid::regrole::text FROM pg_auth_members WHERE member = pg_roles.oid)
FROM pg_roles WHERE rolname = %s
"""
_MAY_MAKE: Final = "SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user"


def demand_key(key: str) -> str:
    """A site's key that may be a role's name.

    Raises:
        ConfigError: it may not.
    """
    if not _KEY.fullmatch(key) or key.startswith("pg_") or key in {GROUP, "public", "none"}:
        raise ConfigError(
            "{name} is no key of a site: write a-z, 0-9 and _, at most 31, a letter first",
            key="--key",
            name=repr(key),
        )
    return key


def new_password() -> str:
    """A password that nobody chose: 192 bits."""
    return secrets.token_urlsafe(24)


def demand_group(link: Link) -> None:
    """Make the group where it is not there yet.

    Raises:
        ConfigError: this role may make none.
    """
    if not _is_there(link, GROUP):
        _demand_maker(link, SQL("CREATE ROLE {} NOLOGIN").format(Identifier(GROUP)))
        link.script(f"CREATE ROLE {GROUP} NOLOGIN")


def make_role(link: Link, key: str, password: str | None) -> None:
    """Make the role of a site; one that an administrator made for it is taken as it is.

    Args:
        link: as the owner of the database.
        key: the site's.
        password: what it logs in with; None where it has a certificate, or has a password already.

    Raises:
        ConfigError: this role may make none, or one of that name may do more than a site may.
    """
    role = _role(link, key)
    if role is None:
        made = SQL("CREATE ROLE {} LOGIN CONNECTION LIMIT {} IN ROLE {}").format(
            Identifier(key), Literal(_CONNECTIONS), Identifier(GROUP)
        )
        _demand_maker(link, made)
        link.script(made)
    elif role != (True, [GROUP]):
        raise ConfigError(
            "a role {role} is there already, and it may do more, or less, than a site: choose another key",
            role=key,
        )
    if password is not None:
        set_password(link, key, password)


def set_password(link: Link, key: str, password: str) -> None:
    """Let a site log in with another password; the server is told a verifier of it only."""
    verifier = link.verifier(key, password)
    link.script(SQL("ALTER ROLE {} PASSWORD {}").format(Identifier(key), Literal(verifier)))


def drop_role(link: Link, key: str) -> bool:
    """Let nobody log in as that site any more; False where this role may not drop what others made."""
    try:
        with link.transaction():
            link.script(SQL("DROP ROLE IF EXISTS {}").format(Identifier(key)))
    except LinkError:
        raise
    except FleetError:
        return False
    return True


def _role(link: Link, key: str) -> tuple[bool, list[str]] | None:
    found = link.rows(_ROLE, (key,))
    return (found[0][0], found[0][1]) if found else None


def _is_there(link: Link, name: str) -> bool:
    return _role(link, name) is not None


def _demand_maker(link: Link, statement: Composed) -> None:
    if not link.rows(_MAY_MAKE)[0][0]:
        raise ConfigError(
            "the owner of this database may make no roles: an administrator runs {statement}",
            statement=statement.as_string(None),
        )
