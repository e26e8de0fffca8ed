"""What is PostgreSQL's alone: its URL, its secrets, its locks, its faults, its schema."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING
from urllib.parse import quote

import psycopg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from scanner.addresses import AddressSet
from scanner.errors import ConfigError, InventoryError
from scanner.inventory import (
    Inventory,
    assets_rows,
    backup_before_upgrade,
    backup_inventory,
    check_inventory,
    count_rows,
    inventory_exists,
    open_inventory,
    postgresql,
    restore_inventory,
    scans_rows,
    unfinished_scan,
    upgrade_inventory,
)
from scanner.inventory.database import database_of
from scanner.inventory.migrating import alembic_config
from scanner.inventory.postgresql import PostgreSQL
from scanner.inventory.schema import VERSIONS
from scanner.inventory.tables import METADATA, SITES
from scanner.inventory.transactions import reading, writing
from tests.cli.process import run
from tests.inventory.holders import SCAN, child, go, said, scanning
from tests.inventory.hospital import (
    RELEASES,
    SITE,
    TODAY,
    XP,
    attempt,
    host,
    record,
    recorder,
    seen,
    site_file,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.inventory.servers import Server

GROUND = AddressSet.of(["10.0.0.0/28"]).spans
SECRET = "s3cr3t"  # noqa: S105 - it must never be seen again


@pytest.fixture
def url(server: Server) -> Iterator[str]:
    fresh = server.fresh()
    yield fresh
    server.drop(fresh)


@pytest.fixture
def empty(server: Server) -> Iterator[str]:
    fresh = server.fresh(empty=True)
    yield fresh
    server.drop(fresh)


def _ask(url: str, sql: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(sql.encode())
        return cursor.fetchall() if cursor.description else []


def test_the_migrations_make_what_the_tables_say(inventory: Inventory) -> None:
    with inventory.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
        narrow = "SELECT table_name FROM information_schema.columns WHERE data_type = 'integer'"
        here = " AND table_schema = 'public'"
        assert connection.exec_driver_sql(narrow + here).all() == [], "as wide as in SQLite"


def test_where_there_is_none_nothing_is_made(empty: str) -> None:
    assert not inventory_exists(empty)
    with pytest.raises(ConfigError, match="there is no inventory here: run a scan first"):
        open_inventory(empty)
    assert _ask(empty, "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace") == []


def test_an_inventory_is_made_once_by_many(empty: str) -> None:
    script = (
        "import sys; from scanner.inventory import open_inventory; open_inventory(sys.argv[1], create=True)"
    )
    with ExitStack() as all_of_them:
        makers = [all_of_them.enter_context(child(script, empty)) for _ in range(3)]
        assert [maker.wait(60) for maker in makers] == [0, 0, 0]
    assert check_inventory(empty) == check_inventory(empty)
    assert check_inventory(empty).version == VERSIONS[-1]


def test_another_programs_database_is_named_and_not_touched(empty: str) -> None:
    _ask(empty, "CREATE TABLE alembic_version (version_num text)")
    for create in (False, True):
        with pytest.raises(ConfigError, match=r"another program \(table alembic_version\)"):
            open_inventory(empty, create=create)
    assert _ask(empty, "SELECT count(*) FROM alembic_version") == [(0,)]


def test_older_and_newer_programs(url: str) -> None:
    for version, words in (("9999", "newer vetuste"), ("0005", "run vetuste db upgrade")):
        _ask(url, f"UPDATE alembic_version SET version_num = '{version}'")  # noqa: S608 - a constant
        with pytest.raises(ConfigError, match=words):
            open_inventory(url)
    _ask(url, "UPDATE alembic_version SET version_num = '9999'")
    for refused in (upgrade_inventory, lambda at: backup_before_upgrade(at, TODAY)):
        with pytest.raises(ConfigError, match="newer vetuste"):
            refused(url)


def test_an_older_schema_is_backed_up_and_upgraded(
    empty: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with Inventory(database_of(empty)) as old, writing(old) as connection:
        command.upgrade(alembic_config(connection), "0001")
        connection.exec_driver_sql(f"COMMENT ON TABLE alembic_version IS '{PostgreSQL.mark}'")
        connection.execute(
            SITES.insert().values(
                {"name": "CHU", "finess": "1", "group": "", "establishment": "", "settings": "{}"}
            )
        )
    kept = backup_before_upgrade(empty, TODAY)
    assert kept is not None
    assert kept.name.endswith(f".schema-0001.{TODAY}.dump")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert upgrade_inventory(empty) == ("0001", VERSIONS[-1])
    with open_inventory(empty) as inventory, reading(inventory) as connection:
        assert connection.scalars(SITES.select().with_only_columns(SITES.c.name)).all() == ["CHU"]
    assert check_inventory(empty).faults == ()
    assert backup_before_upgrade(empty, TODAY) is None


def test_a_backup_is_whole_and_comes_back(url: str, empty: str, tmp_path: Path) -> None:
    dump = tmp_path / "copy.dump"
    with open_inventory(url) as inventory:
        record(inventory, None, [host(f"10.0.0.{n}", "", XP) for n in range(50)])
        with recorder(inventory, None) as scan:
            scan.record(host("10.9.9.9", "", XP))
            backup_inventory(url, dump)
    assert stat.S_IMODE(dump.stat().st_mode) == 0o600
    with pytest.raises(ConfigError, match="exists already"):
        backup_inventory(url, dump)
    with pytest.raises(ConfigError, match="into an empty database"):
        restore_inventory(url, dump)
    assert restore_inventory(empty, dump) == (VERSIONS[-1], None)
    assert check_inventory(empty).faults == ()
    with open_inventory(empty) as copy:
        assert len(list(assets_rows(copy, today=TODAY, releases=RELEASES))) in (50, 51)
        record(copy, None, [host("10.0.1.1", "", XP)])


def test_what_is_no_backup_is_refused(empty: str, tmp_path: Path) -> None:
    file = tmp_path / "no.dump"
    with pytest.raises(ConfigError, match="there is no backup here"):
        restore_inventory(empty, file)
    file.write_bytes(b"PGDMP" + bytes(200))
    with pytest.raises(ConfigError, match="no backup of an inventory"):
        restore_inventory(empty, file)
    assert not inventory_exists(empty)


def test_without_pg_dump_a_backup_is_refused_in_words(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("scanner.inventory.dumping._DEBIAN", tmp_path)
    with pytest.raises(InventoryError, match=r"needs pg_dump of PostgreSQL \d+ or newer: apt install"):
        backup_inventory(url, tmp_path / "copy.dump")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "bad",
    [
        f"postgresql://me:{SECRET}@127.0.0.1:1/x",
        f"postgres://me@127.0.0.1:1/x?password={SECRET}",
        f"postgresql://me:{SECRET}@127.0.0.1:port/x",
        f"postgresql://me:{SECRET}@[/x",
        f"postgresql://127.0.0.1/x?passwort={SECRET}",
    ],
)
def test_a_password_is_never_repeated(bad: str) -> None:
    with pytest.raises((ConfigError, InventoryError)) as raised:
        open_inventory(bad)
    assert SECRET not in str(raised.value)
    assert SECRET not in str(raised.value.values)


def test_a_password_goes_to_pg_dump_in_its_environment(
    url: str, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program in pg_dump's place tells what it was given."""
    assert server
    fake = tmp_path / "bin" / "pg_dump"
    fake.parent.mkdir()
    fake.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo "pg_dump (PostgreSQL) 99.0" && exit\n'
        f'echo "$PGPASSWORD" > {tmp_path}/secret; echo "$@" > {tmp_path}/words\n'
    )
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(fake.parent))
    monkeypatch.setattr("scanner.inventory.dumping._DEBIAN", tmp_path)
    backup_inventory(f"{url}&password={SECRET}", tmp_path / "copy.dump")
    assert (tmp_path / "secret").read_text() == f"{SECRET}\n"
    assert SECRET not in (tmp_path / "words").read_text()


def test_a_reference_to_nothing_and_a_bad_constraint_are_found(url: str) -> None:
    _ask(url, "SET session_replication_role = replica; INSERT INTO subnets VALUES (77, '10.0.0.0/8')")
    _ask(url, "ALTER TABLE scans ADD CONSTRAINT late CHECK (profile <> '') NOT VALID")
    first, second = check_inventory(url).faults
    assert "late is not valid" in first
    assert second == "subnets.ward_id 77: wards"


@pytest.mark.parametrize(
    ("who", "other", "goes"),
    [
        ("vetuste another-machine", "Annexe", True),
        ("vetuste another-machine", "CHU", False),  # the same site: the same hosts
        ("vetuste another-machine", "", False),  # nobody knows which hosts these are
        ("", "Annexe", False),  # this machine: the same hosts, whatever they are called
        ("psql", "Annexe", False),  # it does not say where it is
    ],
)
def test_two_sites_may_use_the_same_addresses_where_two_machines_ask_them(
    url: str, tmp_path: Path, *, who: str, other: str, goes: bool
) -> None:
    ours = site_file(tmp_path)
    theirs = site_file(tmp_path, SITE.replace('name = "CHU"', f'name = "{other}"')) if other else None
    says = f"&application_name={quote(who)}" if who else ""
    with open_inventory(url + says) as far, open_inventory(url) as near:
        running = recorder(far, theirs, spans=GROUND)
        if goes:
            recorder(near, ours, spans=GROUND).finish()
        else:
            with pytest.raises(InventoryError, match=r"comes to 10\.0\.0\.0 as well"):
                recorder(near, ours, spans=GROUND)
        recorder(near, ours, spans=AddressSet.of(["10.0.0.16/28"]).spans).finish()
        running.finish()


def test_text_that_postgresql_cannot_keep_is_kept_as_far_as_it_can(inventory: Inventory) -> None:
    evil = seen("10.0.0.1", {"ntlm.netbios_name": ("PC\0\0X",), "a.b": ("%s ? \\ '",)}, raw=(b"\0\xff",))
    record(inventory, None, [host("10.0.0.1", "", XP, evil)])
    (asset,) = assets_rows(inventory, today=TODAY, releases=RELEASES, evidence=True)
    assert asset.name.startswith("PC\ufffd")
    assert asset.evidence == {"ntlm.netbios_name": ("PC\ufffd\ufffdX",), "a.b": ("%s ? \\ '",)}


def test_readers_cannot_write_by_mistake(inventory: Inventory) -> None:
    with closing(inventory.connect()) as connection, pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        connection.execute("INSERT INTO evidence_keys (key) VALUES ('x')")
    with pytest.raises(InventoryError, match="only reads"), reading(inventory) as opened:
        opened.exec_driver_sql("INSERT INTO evidence_keys (key) VALUES ('x')")


def test_numbers_that_the_database_gives_come_behind_ours(inventory: Inventory) -> None:
    record(inventory, None, [host(f"10.0.0.{n}", "", XP) for n in range(9)])
    with writing(inventory) as connection:
        given = connection.exec_driver_sql("SELECT nextval(pg_get_serial_sequence('assets', 'id'))").scalar()
    assert given == 10


def test_of_many_that_begin_together_one_wins_until_it_dies(inventory: Inventory, url: str) -> None:
    with ExitStack() as all_of_them:
        scans = [all_of_them.enter_context(child(SCAN, url, "10.0.0.8/29", "0")) for _ in range(3)]
        assert [said(scan) for scan in scans] == ["ready"] * 3
        for scan in scans:
            go(scan)
        words = sorted(said(scan) for scan in scans)
        assert words[2].startswith("scanning ")
        assert all("comes to 10.0.0.8 as well" in word for word in words[:2])
        with pytest.raises(InventoryError, match="comes to"):
            recorder(inventory, None, spans=GROUND)
        assert unfinished_scan(inventory, "") is None
    (alive,) = [scan for scan in scans_rows(inventory) if scan.state == "running"]
    _until_free(inventory, alive.id)
    recorder(inventory, None, spans=GROUND).finish()
    assert sorted(scan.state for scan in scans_rows(inventory)) == ["done", "killed"]


def _until_free(inventory: Inventory, scan: int) -> None:
    """The server hears of the death of a process a moment later."""
    while inventory.database.lock(scan).held():
        pass


def test_two_scans_write_at_the_same_time_and_nothing_is_lost(inventory: Inventory, url: str) -> None:
    with scanning(url, "10.1.0.0/22") as one, scanning(url, "10.1.4.0/22") as two:
        for scan in (one, two):
            go(scan)
        assert [said(one), said(two)] == ["done", "done"]
    (row,) = count_rows(inventory, by=("site",), today=TODAY, releases=RELEASES)
    assert (row.seen, row.scope) == (2048, 2048)
    assert check_inventory(url).faults == ()


def test_a_server_that_goes_away_is_told_and_what_was_recorded_is_kept(
    inventory: Inventory, url: str
) -> None:
    scan = recorder(inventory, None)
    scan.record(host("10.0.0.1", "", XP))
    scan.sent([attempt("10.0.0.1")])
    _ask(url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
              " AND datname = current_database()")  # fmt: skip
    with pytest.raises(InventoryError, match="the database server went away"):
        scan.finish()
    with pytest.raises(InventoryError, match="went away"):
        scan.record(host("10.0.0.2", "", XP))
    assert [each.state for each in scans_rows(inventory)] == ["running"]


def test_a_writer_that_stays_is_told(inventory: Inventory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql, "WRITE", postgresql.WRITE.replace("10s", "10ms"))
    with writing(inventory), pytest.raises(InventoryError, match="another program holds the inventory"):
        recorder(inventory, None)
    recorder(inventory, None).finish()


@pytest.fixture
def reader(server: Server, url: str) -> Iterator[str]:
    """The URL of a user who may only read."""
    name = f"reader_{os.getpid()}"
    server.ask(f"CREATE ROLE {name} LOGIN")
    _ask(url, f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {name}")
    yield f"{url}&user={name}".replace("user=postgres&", "", 1)
    _ask(url, f"DROP OWNED BY {name}")
    server.ask(f"DROP ROLE {name}")


def test_who_may_only_read_reads_and_is_told(inventory: Inventory, reader: str) -> None:
    record(inventory, None, [host("10.0.0.1", "", XP)])
    with open_inventory(reader) as opened:
        assert len(list(assets_rows(opened, today=TODAY, releases=RELEASES))) == 1
        with pytest.raises(InventoryError, match="this user may not do that in the database"):
            recorder(opened, None)


def test_commands_take_the_url(inventory: Inventory, url: str, tmp_path: Path) -> None:
    record(inventory, None, [host("10.0.0.1", "", XP)])
    for words, told in (
        (("count", "--by", "site", "--format", "json"), '"seen": 1'),
        (("db", "check"), "sound"),
        (("db", "upgrade"), "already"),
        (("db", "backup", "copy.dump"), "copy.dump"),
        (("doctor",), "is sound"),
        (("rejudge", "--dry-run"), ""),
        (("explain", "10.0.0.1"), "10.0.0.1"),
        (("export", "jsonl", "--out", "-"), '"10.0.0.1"'),
    ):
        code, out, err = run(*words, "--db", url, cwd=tmp_path)
        assert code == 0 or words == ("doctor",), err
        assert told in out, err
    assert stat.S_IMODE((tmp_path / "copy.dump").stat().st_mode) == 0o600


def test_counting_imports_no_sqlalchemy(inventory: Inventory, url: str) -> None:
    record(inventory, None, [host("10.0.0.1", "", XP)])
    script = (
        "import sys; from datetime import date; from scanner.inventory import count_rows, open_inventory\n"
        f"with open_inventory({url!r}) as i: rows = count_rows(i, by=('os',), today=date(2026, 1, 1))\n"
        "assert rows[0].seen == 1; assert not {'sqlalchemy', 'alembic', 'pydantic'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


def test_without_psycopg_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scanner.inventory.postgresql", None)
    with pytest.raises(ConfigError, match=r'pip install "vetuste\[postgresql\]"'):
        open_inventory("postgresql:///x")


def test_two_schemas_of_one_database_are_two_inventories(empty: str) -> None:
    found: list[Callable[[], bool]] = []
    for schema in ("north", "south"):
        there = f"{empty}&options=-csearch_path%3D{schema}"
        with pytest.raises(ConfigError, match="is not there: create it first"):
            open_inventory(there, create=True)
        _ask(empty, f"CREATE SCHEMA {schema}")
        with open_inventory(there, create=True) as inventory:
            scan = recorder(inventory, None, spans=GROUND)
            found.append(inventory.database.lock(scan.scan_id).held)
            assert [each() for each in found] == [False] * (len(found) - 1) + [True]
            scan.finish()
    assert [each() for each in found] == [False, False]
