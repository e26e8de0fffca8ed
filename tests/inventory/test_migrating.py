"""An inventory of an older program, made by the old migration, becomes one of this program's."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from alembic import command

from scanner.errors import ConfigError, InventoryError
from scanner.inventory import (
    Inventory,
    asset_detail,
    assets_rows,
    check_inventory,
    count_rows,
    open_inventory,
    scans_rows,
    upgrade_inventory,
    visited_in,
)
from scanner.inventory.answers import pack
from scanner.inventory.identities import to_columns
from scanner.inventory.migrating import alembic_config
from scanner.inventory.schema import VERSIONS
from scanner.inventory.sqlite import APPLICATION, SQLite
from scanner.inventory.transactions import writing
from tests.inventory.hospital import RELEASES, TODAY, XP, recorder

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.file

STARTED = "2026-11-20T12:00:00.000000Z"
FIRST, SECOND = 1 << 5, 1 << 6 | 1 << 255
"""Who was asked: by the first scan, and by the second in another block."""


def _bits(bits: int) -> bytes:
    return bits.to_bytes(32, "little")


def _fill(connection: sqlite3.Connection) -> None:
    """What two scans of the old program left, row by row."""

    def add(table: str, *rows: tuple[object, ...]) -> None:
        marks = ", ".join("?" * len(rows[0]))
        connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)  # noqa: S608 - names from below

    identity = to_columns(XP, "d1")
    add("sites", (1, "CHU", "000000000", "GHT", "", "{}"))
    add("wards", (1, 1, "Bloc", "B", "", "", "DSI", "", "normal"))
    add("subnets", (1, "10.20.0.0/23"))
    add(
        "scans",
        (1, 1, STARTED, STARTED, "done", "clinical", "all", '{"data": "d1"}', '{"seen": 1}'),
        (2, 1, STARTED, None, "running", "office", "Bloc", '{"data": "d2"}', "{}"),
    )
    add(
        "coverage",
        (1, 4, bytes((10, 20, 0)), _bits(FIRST), _bits(FIRST), 1),
        (1, 4, bytes((10, 20, 1)), _bits(FIRST | SECOND), _bits(SECOND), 2),
        (1, 6, bytes(15), _bits(1), _bits(1), 2),
    )
    columns = (identity.candidates, identity.certainty, identity.reasons, identity.attributes, "d1")
    add("identities", (1, identity.digest, *columns))
    host = ("10.20.0.5", bytes((10, 20, 0, 5)), "PC-5", "", "", "")
    add("assets", (1, 1, 1, *host, 1, 1, STARTED, STARTED, 1))
    where = ("10.20.0.5", 445, "tcp", 445, "smb")
    add("observations", (1, 1, 1, *where, STARTED, "answered", "", 2, pack((b"\xffSMB", b""))))
    add("evidence_keys", (1, "smb.native_os"))
    add("evidence", (1, 1, 0, "Windows 5.1"))


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "inventory.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute("PRAGMA journal_mode = WAL")
    with Inventory(SQLite(path)) as inventory, writing(inventory) as connection:
        command.upgrade(alembic_config(connection), "0001")
    with closing(sqlite3.connect(path)) as connection:
        _fill(connection)
        connection.commit()
    return path


def _rows(path: Path) -> dict[str, list[tuple[object, ...]]]:
    with closing(sqlite3.connect(path)) as connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {name: connection.execute(f'SELECT * FROM "{name}"').fetchall() for (name,) in names}  # noqa: S608 - its own tables


def test_nothing_of_an_older_inventory_is_lost(old: Path) -> None:
    url, before = f"sqlite:///{old}", _rows(old)
    with pytest.raises(ConfigError, match="run vetuste db upgrade"):
        open_inventory(url)
    assert upgrade_inventory(url) == ("0001", VERSIONS[-1])
    after = _rows(old)
    changed = {"alembic_version", "scans", "coverage", "assets"}
    assert {name: rows for name, rows in before.items() if name not in changed} == {
        name: after[name] for name in before if name not in changed
    }
    assert [row[:9] for row in after["scans"]] == before["scans"]
    assert [row[:-2] for row in after["assets"]] == before["assets"]
    assert {row[-2:] for row in after["assets"]} == {(None, None)}
    assert after["coverage"] == [row[:4] for row in before["coverage"]]
    assert [row[9:] for row in after["scans"]] == [("{}", "", "[]")] * 2
    assert [after[name] for name in ("ledger", "ledger_kinds", "breakers", "phantoms")] == [[], [], [], []]
    assert check_inventory(url).faults == ()


def test_an_upgraded_inventory_is_read_and_written(old: Path) -> None:
    url = f"sqlite:///{old}"
    upgrade_inventory(url)
    with open_inventory(url) as inventory:
        (asset,) = assets_rows(inventory, today=TODAY, releases=RELEASES, evidence=True)
        assert (asset.identity, asset.evidence) == (XP, {"smb.native_os": ("Windows 5.1",)})
        detail = asset_detail(inventory, "PC-5", today=TODAY, releases=RELEASES)
        assert (detail.observations[0].raw, detail.ledger, detail.asked_by) == ((b"\xffSMB", b""), (), 1)
        (row,) = count_rows(inventory, by=("ward",), pattern="xp", today=TODAY, releases=RELEASES)[1:]
        assert (row.certain, row.scope, row.never_scanned) == (1, 512, 508)
        first, second = visited_in(inventory, 1), visited_in(inventory, 2)
        block = 10 << 24 | 20 << 16
        assert [len(first), len(second)] == [1, 3]
        assert block + 5 in first
        assert all(number in second for number in (block + 256 + 6, block + 511, 1 << 32))
        with recorder(inventory, None, at=datetime(2026, 11, 24, tzinfo=UTC)):
            assert [scan.state for scan in scans_rows(inventory)] == ["running", "killed", "done"]


def test_an_upgrade_that_fails_changes_nothing(old: Path) -> None:
    with closing(sqlite3.connect(old)) as connection:
        connection.execute("CREATE TABLE breakers (id INTEGER)")  # in the way of the last step
        connection.commit()
    before = _rows(old)
    with pytest.raises(InventoryError, match="breakers already exists"):
        upgrade_inventory(f"sqlite:///{old}")
    assert _rows(old) == before
    assert check_inventory(f"sqlite:///{old}").version == "0001"


def test_tables_without_row_ids_stay_so(inventory: Inventory) -> None:
    """Their rows lie in the order of their key: half the size, and found at once."""
    with closing(inventory.connect()) as connection:
        made: dict[str, str] = dict(
            connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'").fetchall()
        )
    clustered = {name for name, sql in made.items() if sql.rstrip().endswith("WITHOUT ROWID")}
    assert clustered == {
        "subnets",
        "campaign_scans",
        "alarm_deliveries",
        "alert_rules",
        "coverage",
        "visits",
        "evidence",
        "taken",
        "ledger",
        "phantoms",
        "sights",
        "traits",
        "called_config",
        "called_idx",
    }
