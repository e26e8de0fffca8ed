"""Making a database the centre of many sites, and bringing it to this program's tables and rights."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Final

from scanner.errors import ConfigError
from scanner.fleet.link import Link
from scanner.fleet.roles import demand_group
from scanner.version import installed_version

if TYPE_CHECKING:
    from collections.abc import Callable

SCHEMA: Final = 1
"""Of the tables that this program knows: the number of the last ``vNNN.sql``."""
_OLDEST: Final = 150000
"""Before PostgreSQL 15 everybody may create tables in the schema public."""

_STATE: Final = """
SELECT current_setting('server_version_num')::int, rolsuper, pg_has_role(current_user, datdba, 'USAGE'),
  to_regclass('fleet.centre') IS NOT NULL, current_user::text, datname::text
FROM pg_database, pg_roles WHERE datname = current_database() AND rolname = current_user
"""
_HARDENED: Final = "SELECT NOT has_function_privilege('vetuste_site', 'pg_advisory_lock(bigint)', 'EXECUTE')"
_KEEP: Final = """
INSERT INTO fleet.centre (version, schema) VALUES (%s, %s)
ON CONFLICT (single) DO UPDATE SET version = excluded.version, schema = excluded.schema
"""


def program_version() -> str:
    """The version of this program: workers are of the centre's, or take nothing."""
    return installed_version() or "0"


def install(dsn: str, apply_jobs: Callable[[str], None]) -> bool:
    """Make a database the centre, or bring it to this version; twice changes nothing.

    Args:
        dsn: of its owner, as :func:`scanner.fleet.dsn.checked` gave it.
        apply_jobs: makes or upgrades the job engine's tables in the schema ``jobs``, which is there.

    Returns:
        Whether an administrator's part is done too: what :func:`administrators_sql` gives.

    Raises:
        ConfigError: it is of a newer program, of a PostgreSQL that is too old, or another role's.
        FleetError: it cannot be done; what is there is as it was, or as a next time will find it.
    """
    link = Link(dsn)
    try:
        before, superuser = _demand_ours(link)
        demand_group(link)
        link.script("CREATE SCHEMA IF NOT EXISTS jobs; CREATE SCHEMA IF NOT EXISTS fleet;")
        apply_jobs(dsn)
        with link.transaction():
            link.rows("SELECT pg_advisory_xact_lock(hashtext('vetuste fleet init'))")
            for number in range(before + 1, SCHEMA + 1):
                link.script(_sql(f"v{number:03}"))
            link.script(_sql("rights"))
            link.rows(_KEEP, (program_version(), SCHEMA))
        if superuser:
            link.script(_sql("hardening"))
        return bool(link.rows(_HARDENED)[0][0])
    finally:
        link.close()


def _demand_ours(link: Link) -> tuple[int, bool]:
    """The version of its tables, 0 where there are none; and whether this role may do everything."""
    server, superuser, owner, made, role, database = link.rows(_STATE)[0]
    if server < _OLDEST:
        raise ConfigError(
            "the centre needs PostgreSQL 15 or newer, this is {version}", version=server // 10000
        )
    if not owner:
        raise ConfigError(
            "the role {role} does not own the database {database}: an administrator runs "
            'ALTER DATABASE "{database}" OWNER TO "{role}"',
            role=role,
            database=database,
        )
    if not made:
        return 0, superuser
    found, schema = link.rows("SELECT version, schema FROM fleet.centre")[0]
    if schema > SCHEMA or _numbers(found) > _numbers(program_version()):
        raise ConfigError(
            "the centre is of vetuste {found}, newer than this {own}: upgrade this program",
            found=found,
            own=program_version(),
        )
    return schema, superuser


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdecimal() else 0 for part in text.split("."))


def administrators_sql() -> str:
    """What an administrator has to run in the database, once, where its owner may not."""
    group = (
        "DO $$ BEGIN CREATE ROLE vetuste_site NOLOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;\n"
    )
    return f"{group}\n{_sql('hardening')}"


def _sql(name: str) -> str:
    return files(__name__).joinpath(f"{name}.sql").read_text("utf-8")
