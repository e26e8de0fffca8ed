from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from datetime import timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from scanner.errors import ConfigError, InventoryError
from scanner.inventory import count_rows, open_inventory, scans_rows, schema, sqlite, upgrade_inventory
from scanner.inventory.migrating import alembic_config, create_file
from scanner.inventory.tables import METADATA
from scanner.inventory.transactions import reading, writing
from tests.inventory.hospital import NOON, RELEASES, TODAY, XP, host, record, recorder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from scanner.inventory import Inventory

pytestmark = pytest.mark.file


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _content(folder: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in folder.iterdir() if each.is_file()}


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o777])
def test_every_file_is_private_while_it_is_written(tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        url = f"sqlite:///{tmp_path}/i.db"
        with open_inventory(url, create=True) as inventory, writing(inventory) as connection:
            connection.exec_driver_sql("INSERT INTO evidence_keys (key) VALUES ('smb.smb1')")
            found = {each.name: _mode(each) & ~0o600 for each in tmp_path.iterdir()}
    finally:
        os.umask(before)
    assert found == {"i.db": 0, "i.db-wal": 0, "i.db-shm": 0}


def _is_of_the_tables(name: str | None, *_: object) -> bool:
    """SQLite's own way to find assets by what they are called is no table of ours: see v0009_called.py."""
    return not (name or "").startswith(("called", "ix_assets_foreign"))


def test_the_migrations_make_what_the_tables_say(inventory: Inventory) -> None:
    with inventory.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_name": _is_of_the_tables})
        assert compare_metadata(context, METADATA) == []
        (mode,) = connection.exec_driver_sql("PRAGMA journal_mode").one()
        made = connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE sql LIKE '%state IN%'").all()
    assert mode == "wal"
    assert len(made) == 2, "of scans and of findings"


def test_the_known_versions_are_those_of_the_migrations() -> None:
    scripts = ScriptDirectory.from_config(alembic_config())
    assert tuple(each.revision for each in reversed(list(scripts.walk_revisions()))) == schema.VERSIONS


def test_foreign_keys_are_enforced(inventory: Inventory) -> None:
    with pytest.raises(InventoryError, match="FOREIGN KEY"), writing(inventory) as connection:
        connection.exec_driver_sql("INSERT INTO subnets VALUES (99, '10.0.0.0/8')")


def test_readers_cannot_write_by_mistake(inventory: Inventory) -> None:
    with (
        closing(inventory.connect()) as connection,
        pytest.raises(sqlite3.OperationalError, match="readonly"),
    ):
        connection.execute("INSERT INTO evidence_keys (key) VALUES ('x')")


@pytest.mark.parametrize(
    "bad", ["mysql://user:secret@db/x", "inventory.db", "sqlite://", "sqlite:///", "sqlite:///:memory:"]
)
def test_a_url_that_names_no_sqlite_file_is_refused_without_its_password(bad: str) -> None:
    with pytest.raises(ConfigError, match="sqlite:///FILE") as raised:
        open_inventory(bad, create=True)
    assert "secret" not in str(raised.value)


def test_where_there_is_none_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no\.db: there is no inventory here: run a scan first"):
        open_inventory(f"sqlite:///{tmp_path}/no.db")
    assert list(tmp_path.iterdir()) == []


def test_an_empty_file_becomes_an_inventory_only_where_one_may_be_made(tmp_path: Path) -> None:
    path = tmp_path / "i.db"
    path.touch(mode=0o644)
    with pytest.raises(ConfigError, match="there is no inventory here"):
        open_inventory(f"sqlite:///{path}")
    open_inventory(f"sqlite:///{path}", create=True).close()
    assert _mode(path) == 0o600


def test_who_comes_second_finds_the_inventory_of_the_first(inventory: Inventory) -> None:
    record(inventory, None, [host("10.0.0.1", "", XP)])
    create_file(inventory.path)  # as a process that looked before the first one was done
    assert len(scans_rows(inventory)) == 1


def _foreign(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
        connection.commit()


def _noise(path: Path) -> None:
    path.write_bytes(b"MZ\x90\x00" * 64)


def _cut(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\0" + b"\1" * 20)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (_foreign, "this is the database of another program"),
        (_noise, "this is no inventory"),
        (_cut, "this is no inventory"),
    ],
)
@pytest.mark.parametrize("create", [False, True])
def test_what_is_no_inventory_is_named_and_not_touched(
    tmp_path: Path, make: Callable[[Path], None], said: str, *, create: bool
) -> None:
    path = tmp_path / "other.db"
    make(path)
    before = _content(tmp_path)
    with pytest.raises(ConfigError, match=said) as raised:
        open_inventory(f"sqlite:///{path}", create=create)
    assert "other.db: " in str(raised.value)
    assert "\n" not in str(raised.value)
    assert _content(tmp_path) == before


def test_a_folder_is_no_inventory(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="this is a folder"):
        open_inventory(f"sqlite:///{tmp_path}")


def _say_version(path: Path, version: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (version,))
        connection.commit()


def test_the_inventory_of_a_newer_program_is_left_alone(inventory: Inventory, url: str) -> None:
    _say_version(inventory.path, "9999")
    for refused in (open_inventory, upgrade_inventory):
        with pytest.raises(ConfigError, match=r"made by a newer vetuste \(schema 9999\)"):
            refused(url)


@pytest.mark.usefixtures("inventory")
def test_the_inventory_of_an_older_program_wants_an_upgrade(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "VERSIONS", (*schema.VERSIONS, "9999"))
    with pytest.raises(ConfigError, match="run vetuste db upgrade"):
        open_inventory(url)


def test_an_inventory_that_is_current_is_upgraded_to_itself(inventory: Inventory, url: str) -> None:
    assert inventory.path.exists()
    assert upgrade_inventory(url) == (schema.VERSIONS[-1], schema.VERSIONS[-1])


def test_a_lock_that_stays_is_told(inventory: Inventory, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "PATIENCE", 0.01)
    with closing(sqlite3.connect(inventory.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(InventoryError, match=r"inventory\.db: another program holds the inventory"):
            recorder(inventory, None)
        assert open_inventory(url).path == inventory.path  # readers do not wait


def test_a_page_of_garbage_is_told(inventory: Inventory, url: str) -> None:
    record(inventory, None, [host(f"10.0.{n >> 8}.{n & 255}", "", XP) for n in range(2000)])
    inventory.close()
    data = bytearray(inventory.path.read_bytes())
    for page in range(4096 * 3, len(data), 4096):
        data[page : page + 4096] = b"\xa5" * 4096
    inventory.path.write_bytes(bytes(data))
    with pytest.raises(InventoryError, match="damaged"), open_inventory(url) as damaged:
        count_rows(damaged, today=TODAY, releases=RELEASES)


def test_opening_and_counting_import_no_sqlalchemy(inventory: Inventory, url: str) -> None:
    record(inventory, None, [host("10.0.0.1", "", XP)])
    script = (
        "import sys; from datetime import date; from scanner.inventory import count_rows, open_inventory\n"
        f"with open_inventory({url!r}) as i: rows = count_rows(i, by=('os',), today=date(2026, 1, 1))\n"
        "assert rows[0].seen == 1; assert not {'sqlalchemy', 'alembic', 'pydantic'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


def test_times_come_back_in_utc(inventory: Inventory) -> None:
    paris = NOON.astimezone(timezone(timedelta(hours=2)))
    record(inventory, None, [])
    with recorder(inventory, None, at=paris) as scan:
        scan.finish(ended=paris)
    newest = scans_rows(inventory)[0]
    assert (newest.started, newest.ended) == (NOON, NOON)
    assert newest.started.utcoffset() == timedelta(0)
    with reading(inventory) as connection:
        stored = connection.exec_driver_sql("SELECT started FROM scans ORDER BY id DESC").scalar()
    assert stored == "2026-11-20T12:00:00.123456Z"


def test_a_time_without_zone_is_a_mistake(inventory: Inventory) -> None:
    with pytest.raises(Exception, match="without a time zone"):
        recorder(inventory, None, at=NOON.replace(tzinfo=None))
