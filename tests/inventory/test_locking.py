"""Two scans never touch one host at a time; only the dead are succeeded."""

from __future__ import annotations

import fcntl
import re
import stat
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from scanner.addresses import AddressSet
from scanner.errors import InventoryError
from scanner.inventory import (
    check_inventory,
    count_rows,
    ledger_rows,
    open_inventory,
    scans_rows,
    unfinished_scan,
    visited_in,
)
from scanner.inventory.locking import held, lock_of
from scanner.inventory.transactions import writing
from tests.inventory.holders import MAKE, SCAN, child, go, said, scanning
from tests.inventory.hospital import RELEASES, TODAY, XP, host, recorder

if TYPE_CHECKING:
    from pathlib import Path

    from scanner.config import SiteFile
    from scanner.inventory import Inventory

pytestmark = pytest.mark.file

GROUND = AddressSet.of(["10.0.0.0/28"]).spans
REFUSED = r"scan 1, running since 2026-11-20 12:00 UTC, comes to 10\.0\.0\.8 as well: wait .* vetuste stop"


def _states(inventory: Inventory) -> list[str]:
    return [scan.state for scan in reversed(scans_rows(inventory))]


def _locks(inventory: Inventory) -> list[str]:
    return sorted(file.name for file in inventory.path.parent.glob("*.lock"))


def test_a_living_scan_keeps_its_hosts_until_it_is_killed(inventory: Inventory, url: str) -> None:
    with scanning(url, "10.0.0.8/29") as other:
        lock = lock_of(inventory.path, 1)
        assert stat.S_IMODE(lock.stat().st_mode) == 0o600
        with pytest.raises(InventoryError, match=REFUSED) as raised:
            recorder(inventory, None, spans=GROUND)
        assert raised.value.exit_code == 3
        assert _states(inventory) == ["running"]
        other.kill()
        other.wait()
        with recorder(inventory, None, spans=GROUND):
            assert _states(inventory) == ["killed", "running"]
            assert _locks(inventory) == ["inventory.db.scan-2.lock"]
    assert _locks(inventory) == []


def test_a_scan_beside_another_of_other_hosts(inventory: Inventory, url: str) -> None:
    """Two processes write one inventory at the same time, and nothing of either is lost."""
    grounds = ["10.1.0.0/21 fd00::/120", "10.1.8.0/21"]
    with ExitStack() as both:
        scans = [both.enter_context(scanning(url, ground)) for ground in grounds]
        for scan in scans:
            go(scan)
        assert [said(scan) for scan in scans] == ["done", "done"]
        for scan in scans:
            go(scan)
            assert scan.wait() == 0
    assert _states(inventory) == ["done", "done"]
    sizes = [2048 + 256, 2048]
    assert [len(visited_in(inventory, scan)) for scan in (1, 2)] == sizes
    for number, ground in enumerate(grounds, start=1):
        spans = AddressSet.of(ground.split()).spans
        assert len(list(ledger_rows(inventory, spans))) == 2 * sizes[number - 1]
        assert {row.scan for row in ledger_rows(inventory, spans)} == {number}
    (row,) = count_rows(inventory, by=("site",), today=TODAY, releases=RELEASES)
    assert (row.seen, row.scope) == (sum(sizes), sum(sizes))
    assert check_inventory(url).faults == ()
    assert _locks(inventory) == []


def test_of_many_that_begin_together_one_wins(inventory: Inventory, url: str) -> None:
    with ExitStack() as all_of_them:
        scans = [all_of_them.enter_context(child(SCAN, url, "10.0.0.8/29", "0")) for _ in range(5)]
        assert [said(scan) for scan in scans] == ["ready"] * 5
        for scan in scans:
            go(scan)
        words = sorted(said(scan) for scan in scans)
    assert words[4] == "scanning 1"
    assert all(re.search(REFUSED, word) for word in words[:4])
    assert _states(inventory) == ["running"]


def test_the_lock_is_the_same_through_any_link(inventory: Inventory, url: str, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "elsewhere" / "link.db"
    link.symlink_to(inventory.path)
    with scanning(url, "10.0.0.8/29"), open_inventory(f"sqlite:///{link}") as linked:
        with pytest.raises(InventoryError, match=REFUSED):
            recorder(linked, None, spans=GROUND)
        assert unfinished_scan(linked, "") is None


def test_what_cannot_be_told_counts_as_alive(inventory: Inventory, tmp_path: Path) -> None:
    scan = recorder(inventory, None, spans=GROUND)
    lock = lock_of(inventory.path, scan.scan_id)
    lock.rename(tmp_path / "moved")
    lock.symlink_to(tmp_path / "moved")
    with pytest.raises(InventoryError, match=r"scan 1, running since .* comes to 10\.0\.0\.0 as well"):
        recorder(inventory, None, spans=GROUND)
    scan.finish()
    assert _states(inventory) == ["done"]


def test_a_lock_without_its_scan_is_respected_while_it_is_held(inventory: Inventory, url: str) -> None:
    """Somebody put another inventory in the place of the one that a scan writes to."""
    with scanning(url, "10.0.0.8/29") as other:
        with writing(inventory) as connection:
            connection.exec_driver_sql("DELETE FROM scans")
        with pytest.raises(InventoryError, match="scan 1 is running: wait until it ends"):
            recorder(inventory, None)
        other.kill()
        other.wait()
        recorder(inventory, None, spans=GROUND).finish()
    assert _states(inventory) == ["done"]
    assert _locks(inventory) == []


def test_a_scan_that_cannot_begin_leaves_no_lock(
    inventory: Inventory, site: SiteFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    held_then: list[bool] = []

    def fail(_inventory: Inventory, scan: int, *_others: object) -> None:
        held_then.append(held(lock_of(inventory.path, scan)))
        raise InventoryError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr("scanner.inventory.recorder.Writer", fail)
        with pytest.raises(InventoryError, match="the disk is full"):
            recorder(inventory, site)
    assert held_then == [True]
    assert _locks(inventory) == []
    recorder(inventory, site).finish()
    assert _states(inventory) == ["killed", "done"]


def test_finishing_lets_the_hosts_go_even_where_it_fails(inventory: Inventory) -> None:
    scan = recorder(inventory, None, spans=GROUND)
    scan.record(host("10.0.0.1", "", XP))
    with inventory.engine.connect() as connection:
        connection.exec_driver_sql("ALTER TABLE evidence RENAME TO elsewhere")
        connection.commit()
    with pytest.raises(InventoryError, match="evidence"):
        scan.finish()
    assert _locks(inventory) == []
    assert _states(inventory) == ["running"]
    recorder(inventory, None, spans=GROUND).finish()
    assert _states(inventory) == ["killed", "done"]


@pytest.mark.parametrize("state", ["interrupted", "failed", "done"])
def test_the_unfinished_scan_is_the_newest_that_is_not_done(
    inventory: Inventory, site: SiteFile, state: str
) -> None:
    assert unfinished_scan(inventory, "CHU") is None
    with recorder(inventory, site) as scan:
        assert unfinished_scan(inventory, "CHU") is None
        scan.finish(state)
    found = unfinished_scan(inventory, "CHU")
    assert (found and (found.id, found.state)) == (None if state == "done" else (1, state))
    assert unfinished_scan(inventory, "Sud") is None
    if found:
        assert (found.request, found.digest) == ({"targets": ["all"]}, "ab" * 32)
        with recorder(inventory, site, resumed=found.id):
            assert _states(inventory) == ["running"]
            assert scans_rows(inventory)[0].ended is None
        assert _states(inventory) == ["done"]
    recorder(inventory, site).finish()
    assert unfinished_scan(inventory, "CHU") is None


def test_a_killed_scan_is_resumed_by_one_alone(inventory: Inventory, url: str) -> None:
    with scanning(url, "10.0.0.8/29") as other:
        other.kill()
        other.wait()
        found = unfinished_scan(inventory, "")
        assert found is not None
        assert (found.id, found.state) == (1, "killed")
    with scanning(url, "10.0.0.8/29", resumed=1) as again:
        assert unfinished_scan(inventory, "") is None
        for spans in (GROUND, ()):
            with pytest.raises(InventoryError, match=REFUSED):
                recorder(inventory, None, resumed=1, spans=spans)
        with pytest.raises(InventoryError, match="somebody else resumed it"):
            recorder(inventory, None, resumed=1, spans=[(1, 2)])
        go(again)
        assert said(again) == "done"
    assert _states(inventory) == ["done"]
    with pytest.raises(InventoryError, match="somebody else resumed it"):
        recorder(inventory, None, resumed=1)
    with pytest.raises(InventoryError, match="somebody else resumed it"):
        recorder(inventory, None, resumed=77)
    assert _locks(inventory) == []


def _drafts(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir() if file.name.startswith(".inventory.db.")}


def test_a_draft_of_the_dead_is_removed_and_one_of_the_living_is_not(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/inventory.db"
    with child(MAKE, url) as dead, ExitStack() as later:
        assert said(dead) == "drafted"
        (first,) = _drafts(tmp_path)
        living = later.enter_context(child(MAKE, url))
        assert said(living) == "drafted"
        dead.kill()
        dead.wait()
        for name in (f"{first}-wal", ".inventory.db.notes"):
            (tmp_path / name).touch()
        both = _drafts(tmp_path)
        open_inventory(url, create=True).close()
        assert _drafts(tmp_path) == both - {first, f"{first}-wal"}
        recorded = (tmp_path / "inventory.db").stat().st_ino
        go(living)
        assert said(living) == "made"
        assert living.wait() == 0
    assert _drafts(tmp_path) == {".inventory.db.notes"}
    assert (tmp_path / "inventory.db").stat().st_ino == recorded, "the first one there stays"


def test_a_draft_that_was_swept_before_it_was_locked_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, swept = fcntl.flock, set[str]()

    def slow(descriptor: int, how: int) -> None:
        if not swept:
            swept.update(_drafts(tmp_path))
            (tmp_path / next(iter(swept))).unlink()
        real(descriptor, how)

    monkeypatch.setattr("scanner.inventory.drafts.fcntl.flock", slow)
    open_inventory(f"sqlite:///{tmp_path}/inventory.db", create=True).close()
    assert len(swept) == 1
    assert _drafts(tmp_path) == set()
