from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from scanner.errors import ConfigError, InventoryError
from scanner.inventory import (
    Inventory,
    assets_rows,
    backup_inventory,
    check_inventory,
    open_inventory,
    schema,
)
from tests.inventory.hospital import RELEASES, TODAY, XP, host, record, recorder

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.file


def test_a_backup_while_a_scan_writes_is_whole_and_private(
    inventory: Inventory, url: str, tmp_path: Path
) -> None:
    record(inventory, None, [host(f"10.0.0.{n}", "", XP) for n in range(200)])
    target = tmp_path / "copy.db"
    with recorder(inventory, None) as scan:
        scan.record(host("10.9.9.9", "", XP))
        backup_inventory(url, target)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert check_inventory(f"sqlite:///{target}").faults == ()
    with open_inventory(f"sqlite:///{target}") as copy:
        assert len(list(assets_rows(copy, today=TODAY, releases=RELEASES))) in (200, 201)
    assert {each.name for each in tmp_path.iterdir() if "copy" in each.name} <= {
        "copy.db",
        "copy.db-wal",
        "copy.db-shm",
    }


def test_a_backup_never_replaces_a_file(inventory: Inventory, url: str, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    target.write_text("precious")
    with pytest.raises(ConfigError, match="exists already"):
        backup_inventory(url, target)
    assert target.read_text() == "precious"
    assert inventory.path.exists()


def test_a_backup_that_cannot_be_written_leaves_nothing(
    inventory: Inventory, url: str, tmp_path: Path
) -> None:
    with pytest.raises(InventoryError, match="the backup cannot be written"):
        backup_inventory(url, tmp_path / "no" / "copy.db")
    assert not [each for each in tmp_path.iterdir() if "copy" in each.name]
    assert inventory.path.exists()


def test_a_sound_inventory_is_said_to_be_so(inventory: Inventory, url: str) -> None:
    record(inventory, None, [host("10.0.0.1", "", XP)])
    assert check_inventory(url).version == schema.VERSIONS[-1]
    assert check_inventory(url).faults == ()


def test_a_row_that_refers_to_nothing_is_found(inventory: Inventory, url: str) -> None:
    with closing(sqlite3.connect(inventory.path)) as connection:
        connection.execute("INSERT INTO subnets VALUES (77, '10.0.0.0/8')")
        connection.commit()
    (fault,) = check_inventory(url).faults
    assert "subnets" in fault
    assert "wards" in fault


def test_damage_is_found_not_raised(inventory: Inventory, url: str) -> None:
    record(inventory, None, [host(f"10.0.{n >> 8}.{n & 255}", "", XP) for n in range(2000)])
    inventory.close()
    with inventory.path.open("r+b") as file:
        file.seek(-4096 * 20, 2)
        file.write(b"\xa5" * 4096 * 10)
    assert check_inventory(url).faults
