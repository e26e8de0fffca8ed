"""Damage is told, and a backup brings everything back: of SQLite's files."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from scanner.errors import ConfigError, InventoryError
from scanner.inventory import (
    assets_rows,
    backup_before_upgrade,
    backup_inventory,
    check_inventory,
    open_inventory,
    restore_inventory,
)
from scanner.inventory.database import guarded
from scanner.inventory.schema import VERSIONS
from tests.inventory.hospital import RELEASES, TODAY, XP, host, record, recorder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from scanner.inventory import Inventory

pytestmark = pytest.mark.file

HOSTS = 1500


@pytest.fixture
def backup(inventory: Inventory, url: str, tmp_path: Path) -> Path:
    """A backup of many machines; one more was recorded since."""
    record(inventory, None, [host(f"10.0.{n >> 8}.{n & 255}", "", XP) for n in range(HOSTS)])
    target = tmp_path / "copy.db"
    backup_inventory(url, target)
    record(inventory, None, [host("10.9.9.9", "", XP)])
    inventory.close()
    return target


def _machines(url: str) -> int:
    with open_inventory(url) as opened:
        return len(list(assets_rows(opened, today=TODAY, releases=RELEASES)))


def _told(url: str) -> bool:
    """Whether the check tells of damage: as faults, or as what keeps it from looking at all."""
    try:
        return bool(check_inventory(url).faults)
    except InventoryError as error:
        return "damaged" in str(error)


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: 4096 * 9])


def _scribble(file: Path) -> None:
    data = bytearray(file.read_bytes())
    for page in range(4096 * 3, len(data), 4096):
        data[page : page + 4096] = b"\xa5" * 4096
    file.write_bytes(bytes(data))


def _unlink(file: Path) -> None:
    file.unlink()


@pytest.mark.parametrize("damage", [_cut, _scribble, _unlink])
def test_a_backup_comes_into_the_place_of_damage(
    url: str, backup: Path, inventory: Inventory, damage: Callable[[Path], None]
) -> None:
    damage(inventory.path)
    there = inventory.path.exists()
    damaged = inventory.path.read_bytes() if there else b""
    if there:
        assert _told(url)
    version, kept = restore_inventory(url, backup)
    assert (version, check_inventory(url).faults, _machines(url)) == (VERSIONS[-1], (), HOSTS)
    assert stat.S_IMODE(inventory.path.stat().st_mode) == 0o600
    if there:
        assert kept is not None
        assert kept.read_bytes() == damaged, "nothing that was there is lost"
    else:
        assert kept is None
    record(inventory, None, [host("10.9.9.8", "", XP)])
    assert _machines(url) == HOSTS + 1


def test_a_sound_inventory_is_replaced_only_when_that_is_said(
    url: str, backup: Path, inventory: Inventory
) -> None:
    with pytest.raises(ConfigError, match="a sound inventory is here: --replace"):
        restore_inventory(url, backup)
    assert _machines(url) == HOSTS + 1
    _, first = restore_inventory(url, backup, replace=True)
    _, second = restore_inventory(url, backup, replace=True)
    assert first is not None
    assert second is not None
    assert first != second
    assert (_machines(url), _machines(f"sqlite:///{first}")) == (HOSTS, HOSTS + 1)
    assert inventory.path.exists()


@pytest.mark.parametrize("damage", [_cut, _scribble])
def test_a_damaged_backup_replaces_nothing(
    url: str, backup: Path, inventory: Inventory, damage: Callable[[Path], None]
) -> None:
    damage(backup)
    before = inventory.path.read_bytes()
    with pytest.raises(InventoryError, match="damaged"):
        restore_inventory(url, backup, replace=True)
    assert inventory.path.read_bytes() == before
    assert _machines(url) == HOSTS + 1


def test_what_is_no_backup_is_refused(url: str, backup: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    for make, words in (
        (lambda: None, "there is no backup here"),
        (lambda: other.write_text("a text"), "this is no inventory"),
    ):
        make()
        with pytest.raises(ConfigError, match=words):
            restore_inventory(url, other, replace=True)
    with closing(sqlite3.connect(backup)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    with pytest.raises(ConfigError, match="newer vetuste"):
        restore_inventory(url, backup, replace=True)
    assert _machines(url) == HOSTS + 1


def test_another_file_is_replaced_only_when_that_is_said(
    url: str, backup: Path, inventory: Inventory
) -> None:
    inventory.path.write_text("precious")
    with pytest.raises(ConfigError, match="this is no inventory"):
        restore_inventory(url, backup)
    _, kept = restore_inventory(url, backup, replace=True)
    assert kept is not None
    assert kept.read_text() == "precious"


def test_a_file_that_is_only_to_be_read_is_told(inventory: Inventory) -> None:
    read_only = f"{inventory.path.as_uri()}?mode=ro"
    with (
        closing(sqlite3.connect(read_only, uri=True)) as connection,
        pytest.raises(InventoryError, match=r"inventory\.db: the inventory cannot be written: allow it"),
        guarded(inventory.database),
    ):
        connection.execute("INSERT INTO evidence_keys (key) VALUES ('x')")


def test_nothing_is_put_under_a_living_scan(url: str, backup: Path, inventory: Inventory) -> None:
    with recorder(inventory, None), pytest.raises(InventoryError, match="a scan writes to this inventory"):
        restore_inventory(url, backup, replace=True)
    assert _machines(url) == HOSTS + 1


def test_the_backup_before_an_upgrade_lies_beside_and_replaces_none(
    url: str, inventory: Inventory, tmp_path: Path
) -> None:
    assert backup_before_upgrade(url, TODAY) is None
    with closing(sqlite3.connect(inventory.path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0006'")
        connection.commit()
    names = [f"inventory.schema-0006.{TODAY}{again}.db" for again in ("", ".2")]
    for name in names:
        assert backup_before_upgrade(url, TODAY) == tmp_path / name
        assert check_inventory(f"sqlite:///{tmp_path / name}").version == "0006"
