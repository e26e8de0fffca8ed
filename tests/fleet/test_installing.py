"""Making a centre: by whom, twice, too new; and putting one back from a backup."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import psycopg
import pytest

from scanner.errors import ConfigError
from scanner.fleet import schema
from scanner.fleet.centre_store import CentreStore
from scanner.fleet.model import FleetSite
from scanner.fleet.roles import demand_key, drop_role, make_role
from scanner.fleet.schema import administrators_sql, install
from scanner.fleet.worker_store import LARGEST
from scanner.inventory import open_inventory
from scanner.inventory.dumping import _program
from tests.fleet.centres import OWNER, apply_jobs, as_role, give

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fleet.centres import Centre
    from tests.inventory.servers import Server

DESCRIBED = """
SELECT relname, relacl::text, relrowsecurity FROM pg_class
  WHERE relnamespace::regnamespace::text IN ('jobs', 'fleet')
UNION ALL SELECT polname::text || polrelid::regclass, pg_get_expr(polqual, polrelid), true FROM pg_policy
UNION ALL SELECT proname, proacl::text || prosrc, prosecdef FROM pg_proc
  WHERE pronamespace::regnamespace::text IN ('jobs', 'fleet')
ORDER BY 1, 2
"""


@pytest.fixture(autouse=True)
def west(server: Server) -> Iterator[None]:
    """No role of that name is left."""
    yield
    server.ask("DROP ROLE IF EXISTS west")


def program(name: str) -> str:
    """The program of the server's version, or a newer one."""
    return str(_program(name, 18))


def test_an_owner_who_is_no_administrator_makes_a_centre(empty: str) -> None:
    dsn, administrators = empty, as_role(empty, "postgres")
    open_inventory(dsn, create=True).close()
    assert not install(dsn, apply_jobs)
    with psycopg.connect(administrators, autocommit=True) as administrator:
        administrator.execute(administrators_sql().encode())
    assert install(dsn, apply_jobs)
    with CentreStore(dsn) as store:
        before = store.link.rows(DESCRIBED)
        make_role(store.link, "west", None)
        make_role(store.link, "west", None)  # one that was made before is taken
        assert install(dsn, apply_jobs)
        assert store.link.rows(DESCRIBED) == before
        with open_inventory(dsn) as inventory:
            assert inventory is not None  # its writers have their locks still
        assert drop_role(store.link, "west")


def test_what_is_newer_is_refused(empty: str, monkeypatch: pytest.MonkeyPatch) -> None:
    dsn = empty
    install(dsn, apply_jobs)
    with CentreStore(dsn) as store:
        store.link.rows("UPDATE fleet.centre SET schema = schema + 1")
        with pytest.raises(ConfigError, match="newer than this"):
            install(dsn, apply_jobs)
        store.link.rows("UPDATE fleet.centre SET schema = schema - 1, version = '999.0'")
        with pytest.raises(ConfigError, match=r"vetuste 999\.0, newer"):
            install(dsn, apply_jobs)
        monkeypatch.setattr(schema, "program_version", lambda: "999.0.1")
        install(dsn, apply_jobs)
        assert store.link.rows("SELECT version, schema FROM fleet.centre") == [("999.0.1", schema.SCHEMA)]


def test_somebody_elses_database_is_refused(server: Server, empty: str) -> None:
    server.ask("CREATE ROLE west LOGIN")
    with pytest.raises(ConfigError, match="does not own the database"):
        install(as_role(empty, "west"), apply_jobs)


def test_without_the_right_to_make_roles_it_says_what_to_run(server: Server, empty: str) -> None:
    install(empty, apply_jobs)
    server.ask(f"ALTER ROLE {OWNER} NOCREATEROLE")
    try:
        with CentreStore(empty) as store:
            with pytest.raises(ConfigError, match="may make no roles") as told:
                make_role(store.link, "west", None)
            server.ask(str(told.value.values["statement"]))
            make_role(store.link, "west", None)
            assert not drop_role(store.link, "west")
    finally:
        server.ask(f"ALTER ROLE {OWNER} CREATEROLE")


@pytest.mark.parametrize(
    "more",
    [
        "LOGIN SUPERUSER",
        "LOGIN CREATEROLE",
        "LOGIN BYPASSRLS",
        "NOLOGIN",
        "LOGIN IN ROLE pg_read_all_data",
        "LOGIN CREATEDB",
        "LOGIN REPLICATION",
        "LOGIN",
    ],
)
def test_a_role_that_may_do_more_is_not_taken_for_a_sites(server: Server, centre: Centre, more: str) -> None:
    server.ask(f"CREATE ROLE west {more}")
    if more != "LOGIN":
        server.ask("GRANT vetuste_site TO west")
    with pytest.raises(ConfigError, match="choose another key"):
        make_role(centre.store.link, "west", None)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "Nord",
        "1nord",
        "nord-est",
        "nord;",
        'n"',
        "pg_nord",
        "vetuste_site",
        "public",
        "none",
        "n" * 32,
        "é",
    ],
)
def test_a_key_is_a_plain_name(key: str) -> None:
    with pytest.raises(ConfigError, match="is no key of a site"):
        demand_key(key)


def test_a_backup_is_put_back(server: Server, empty: str, tmp_path: Path) -> None:
    """As docs/fleet.md says, by an owner who is no administrator."""
    dsn = empty
    open_inventory(dsn, create=True).close()
    install(dsn, apply_jobs)
    with CentreStore(dsn) as store:
        store.sites.add(FleetSite("west", b"file", "digest"), "West")
        plan = store.plans.add("west", "daily 22:00", "UTC", {})
        described = store.link.rows(DESCRIBED)
    file = tmp_path / "centre.dump"
    words = ("--no-owner", "--no-privileges")
    subprocess.run(
        [program("pg_dump"), "--format=custom", *words, f"--file={file}", f"--dbname={dsn}"], check=True
    )
    fresh = server.fresh(empty=True)
    give(server, fresh, OWNER)
    try:
        again = as_role(fresh, OWNER)
        restoring = [
            program("pg_restore"),
            *words,
            "--exit-on-error",
            "--single-transaction",
            f"--dbname={again}",
        ]
        subprocess.run([*restoring, str(file)], check=True)
        install(again, apply_jobs)
        with CentreStore(again) as store:
            assert store.plans.all() == (plan,)
            assert store.link.rows(DESCRIBED) == described
    finally:
        server.drop(fresh)


def test_the_largest_delivery_is_the_tables_too() -> None:
    assert f"octet_length(body) <= {LARGEST})" in schema._sql("v001")


def test_a_password_is_never_sent(centre: Centre) -> None:
    assert "hush" not in centre.store.link.verifier("west", "hush hush hush")
