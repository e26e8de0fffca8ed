"""Campaigns from the first scan to the bundle: what belongs to them, and what becomes of them."""

from __future__ import annotations

import shutil
import sqlite3
import stat
import subprocess
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from scanner.addresses import number_of
from scanner.audit.verifying import verify_bundle
from scanner.campaign import Circumstances, close_campaign, export_campaign, verify_inventory
from scanner.errors import ConfigError, InventoryError
from scanner.inventory import Inventory, count_rows, open_inventory, unfinished_scan
from scanner.inventory.campaigns import campaign_named, campaigns_rows, head_of, open_campaign, sealed_scans
from scanner.inventory.transactions import reading
from tests.inventory.holders import child, said, scanning
from tests.inventory.hospital import NOON, TEN, TODAY, XP, attempt, host, record, recorder, seen, site_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scanner.audit.manifest import Manifest
    from scanner.config import SiteFile

LATER = datetime(2026, 11, 25, tzinfo=UTC)
BEFORE = NOON - timedelta(days=1)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/inventory.db"


@pytest.fixture
def site(tmp_path: Path) -> SiteFile:
    return site_file(tmp_path)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recorded")
    with open_inventory(f"sqlite:///{folder}/inventory.db", create=True) as made:
        scan(made, site_file(folder))
    return folder / "inventory.db"


@pytest.fixture
def inventory(url: str, recorded: Path, tmp_path: Path) -> Iterator[Inventory]:
    shutil.copy(recorded, tmp_path / "inventory.db")
    with open_inventory(url) as opened:
        yield opened


def scan(inventory: Inventory, site: SiteFile) -> int:
    hosts = [
        host(
            "10.20.0.5", "Cardiologie", XP, seen("10.20.0.5", {"smb.native_os": ("5.1",)}, raw=(b"SECRET",))
        ),
        host("10.20.1.70", "Bloc", TEN),
    ]
    return record(inventory, site, hosts, asked=[number_of(each.address) for each in hosts])


def begin(
    inventory: Inventory, site: SiteFile, name: str = "A", *wards: str, since: datetime = BEFORE
) -> None:
    open_campaign(inventory, name, site=site, wards=wards, since=since, at=since, account="root")


def close(inventory: Inventory, name: str = "A", at: datetime = LATER) -> Manifest:
    versions = {"vetuste": "1", "data": "d1"}
    return close_campaign(inventory, name, Circumstances(at, TODAY, "root", versions))


def change(inventory: Inventory, *statements: str) -> None:
    with closing(sqlite3.connect(inventory.path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def faults(inventory: Inventory) -> list[str]:
    return [fault.render() for state in verify_inventory(inventory) for fault in state.faults]


def rows(manifest: Manifest) -> dict[str, int]:
    found: dict[str, int] = {}
    for segment in manifest.segments:
        found[segment.table] = found.get(segment.table, 0) + segment.rows
    return found


def test_what_is_sealed_is_what_was_recorded(inventory: Inventory, site: SiteFile) -> None:
    begin(inventory, site)
    manifest = close(inventory)
    assert rows(manifest) == {"observations": 2, "ledger": 2, "visits": 2}
    assert [(each["id"], each["digest"]) for each in manifest.said["scans"]] == [(1, "ab" * 32)]
    wards = {row["ward"]: row for row in manifest.said["counts"]["wards"]}
    assert (wards["Cardiologie"]["seen"], wards["Cardiologie"]["never_scanned"]) == (1, 447)
    assert manifest.said["closed_by"] == "root"
    assert faults(inventory) == []
    assert head_of(inventory) == ("A", manifest.head)


def test_a_campaign_of_one_ward_has_nothing_of_another(
    inventory: Inventory, site: SiteFile, tmp_path: Path
) -> None:
    begin(inventory, site, "A", "Bloc")
    manifest = close(inventory)
    assert rows(manifest) == {"observations": 1, "ledger": 1, "visits": 1}
    assert {row["ward"] for row in manifest.said["counts"]["wards"]} == {"Bloc"}
    export_campaign(inventory, "A", tmp_path / "a", LATER, raw=True)
    assert verify_bundle(tmp_path / "a").rows == 3


def test_scans_before_and_after_do_not_belong_to_it(inventory: Inventory, site: SiteFile) -> None:
    begin(inventory, site, since=NOON + timedelta(hours=1))
    with pytest.raises(ConfigError, match="nothing to seal"):
        close(inventory)
    begin(inventory, site, "B")
    head = close(inventory, "B").head
    scan(inventory, site)
    assert faults(inventory) == []
    begin(inventory, site, "C")
    manifest = close(inventory, "C")
    assert [each["id"] for each in manifest.said["scans"]] == [1, 2]
    assert manifest.previous == head
    assert faults(inventory) == []


def test_closing_waits_for_no_scan_and_seals_none_that_runs(inventory: Inventory, site: SiteFile) -> None:
    begin(inventory, site)
    running = recorder(inventory, site, spans=[(number_of("10.20.0.0"), number_of("10.20.0.9"))])
    with pytest.raises(InventoryError, match="scan 2 of this campaign is running"):
        close(inventory)
    running.finish("interrupted", ended=NOON)
    close(inventory)
    with pytest.raises(InventoryError, match="sealed by a campaign, and cannot be resumed"):
        recorder(inventory, site, resumed=2)
    assert unfinished_scan(inventory, "CHU") is None


def test_a_scan_elsewhere_hinders_no_closing(inventory: Inventory, site: SiteFile) -> None:
    begin(inventory, site, "A", "Bloc")
    elsewhere = recorder(inventory, site, spans=[(number_of("10.20.0.0"), number_of("10.20.0.9"))])
    assert [each["id"] for each in close(inventory).said["scans"]] == [1]
    elsewhere.finish()


def test_a_killed_scan_is_sealed_as_killed(inventory: Inventory, site: SiteFile, url: str) -> None:
    open_campaign(inventory, "A", site=None, since=BEFORE, at=BEFORE, account="root")
    change(inventory, "UPDATE scans SET state = 'running', ended = NULL")
    assert [each["state"] for each in close(inventory).said["scans"]] == ["killed"]
    assert faults(inventory) == []
    with scanning(url, "172.16.0.0/30"):
        begin(inventory, site, "B")
        close(inventory, "B")  # that scan is another site's


def test_a_clock_that_went_back_closes_nothing(inventory: Inventory, site: SiteFile) -> None:
    begin(inventory, site)
    with pytest.raises(InventoryError, match="set the clock right first"):
        close(inventory, at=NOON)
    assert campaign_named(inventory, "A").closed is None
    close(inventory)
    begin(inventory, site, "B")
    with pytest.raises(InventoryError, match="the clock says"):
        close(inventory, "B", at=LATER - timedelta(seconds=1))


def test_what_is_closed_stays_closed(inventory: Inventory, site: SiteFile) -> None:
    begin(inventory, site)
    with pytest.raises(ConfigError, match="already"):
        begin(inventory, site)
    with pytest.raises(ConfigError, match="is open"):
        campaign_named(inventory, "A", closed=True)
    close(inventory)
    with pytest.raises(ConfigError, match="was closed already"):
        close(inventory)
    for name in ("", "\x1b[31m", "x" * 101):
        with pytest.raises(ConfigError, match="1 to 100"):
            begin(inventory, site, name)
    with pytest.raises(ConfigError, match="no ward"):
        begin(inventory, site, "B", "Urgences")


CHANGES = [
    "UPDATE observations SET outcome = 'silent' WHERE id = 1",
    "UPDATE observations SET at = '2026-11-20T12:00:00.123457Z' WHERE id = 1",
    "UPDATE observations SET raw = NULL WHERE id = 1",
    "UPDATE evidence SET value = value || '.' WHERE observation_id = 2",
    "DELETE FROM evidence WHERE observation_id = 1",
    "UPDATE observations SET id = 99 WHERE id = 2",
    "INSERT INTO visits SELECT scan_id, 4, x'0a1509', addresses FROM visits LIMIT 1",
    "UPDATE ledger SET sent = sent + 1",
    "UPDATE ledger SET at = at + 1",
    "DELETE FROM visits WHERE block = x'0a1400'",
    "UPDATE scans SET digest = ''",
    "UPDATE scans SET ended = started",
    "UPDATE campaigns SET closed_by = 'nobody'",
    "UPDATE campaigns SET since = '2026-01-01T00:00:00.000000Z'",
    "UPDATE campaigns SET head = replace(head, substr(head, 1, 1), 'x')",
    "UPDATE campaigns SET manifest = replace(manifest, 'CHU', 'CHX')",
    "UPDATE campaigns SET manifest = ''",
    "DELETE FROM campaign_scans",
    "UPDATE campaigns SET place = 2",
]


@pytest.mark.parametrize("statement", CHANGES)
def test_whatever_is_changed_in_the_inventory_is_found(
    inventory: Inventory, site: SiteFile, statement: str
) -> None:
    begin(inventory, site)
    close(inventory)
    change(inventory, statement)
    assert faults(inventory)


def test_assets_may_be_merged_and_judged_again_under_a_seal(inventory: Inventory, site: SiteFile) -> None:
    begin(inventory, site)
    close(inventory)
    change(
        inventory,
        "UPDATE observations SET asset_id = 1",
        "UPDATE assets SET identity_id = 1, name = 'X'",
        "UPDATE wards SET name = name || '!'",
    )
    assert faults(inventory) == []


def test_a_bundle_has_no_answer_of_a_machine_unless_it_is_asked_for(
    inventory: Inventory, site: SiteFile, tmp_path: Path
) -> None:
    begin(inventory, site)
    manifest = close(inventory)
    plain, again, raw = tmp_path / "plain", tmp_path / "again", tmp_path / "raw"
    for target in (plain, again):
        export_campaign(inventory, "A", target, LATER, raw=False)
    export_campaign(inventory, "A", raw, LATER, raw=True)
    assert plain.read_bytes() == again.read_bytes()
    assert stat.S_IMODE(plain.stat().st_mode) == 0o600
    content = subprocess.run(["tar", "-xzOf", plain], capture_output=True, check=True).stdout
    assert b"U0VDUkVU" not in content
    assert b"SECRET" not in content
    assert b"U0VDUkVU" in subprocess.run(["tar", "-xzOf", raw], capture_output=True, check=True).stdout
    assert verify_bundle(plain).head == verify_bundle(raw).head == manifest.head
    assert sorted(each.name for each in tmp_path.glob(".*")) == []


def test_nothing_is_exported_that_is_not_as_it_was_sealed(
    inventory: Inventory, site: SiteFile, tmp_path: Path
) -> None:
    begin(inventory, site)
    close(inventory)
    change(inventory, "UPDATE ledger SET received = 0")
    with pytest.raises(InventoryError, match="nothing is exported"):
        export_campaign(inventory, "A", tmp_path / "a", LATER, raw=False)
    assert not (tmp_path / "a").exists()
    assert campaign_named(inventory, "A").exported is None


def test_what_is_exported_may_be_pruned(inventory: Inventory, site: SiteFile, tmp_path: Path) -> None:
    begin(inventory, site)
    begin(inventory, site, "B")
    for name in ("A", "B"):
        close(inventory, name)
    sealed = []
    for name in ("A", "B"):
        with reading(inventory) as connection:
            sealed.append(sealed_scans(connection))
        export_campaign(inventory, name, tmp_path / name, LATER, raw=False)
    with reading(inventory) as connection:
        assert [*sealed, sealed_scans(connection)] == [{1: False}, {1: False}, {1: True}]
    change(inventory, "DELETE FROM evidence", "DELETE FROM observations")
    assert [(state.missing, state.faults) for state in verify_inventory(inventory)] == [(2, ())] * 2


CLOSE = """
import sys
from scanner.inventory import open_inventory
from sqlalchemy import event
from tests.test_campaign import close
beginning, written = sys.argv[2], False
def wait(reached):
    if reached:
        print("reached", flush=True)
        sys.stdin.readline()
def before(connection, cursor, statement, *_):
    global written
    written = written or statement.startswith("INSERT INTO campaign_scans")
    wait(statement.startswith(beginning))
with open_inventory(sys.argv[1]) as inventory:
    event.listen(inventory.engine, "before_cursor_execute", before)
    event.listen(inventory.engine, "commit", lambda *_: wait(written and beginning == "COMMIT"))
    close(inventory)
    print("closed", flush=True)
    sys.stdin.readline()
"""


@pytest.mark.parametrize(
    ("statement", "done"),
    [
        ("SELECT ledger", False),
        ("UPDATE campaigns", False),
        ("INSERT INTO campaign_scans", False),
        ("COMMIT", False),
        ("nothing", True),
    ],
)
def test_killed_at_any_statement_it_is_open_or_closed(
    inventory: Inventory, site: SiteFile, url: str, statement: str, *, done: bool
) -> None:
    begin(inventory, site)
    with child(CLOSE, url, statement) as other:
        assert said(other) == ("closed" if done else "reached")
        other.kill()
    campaign = campaign_named(inventory, "A")
    assert {campaign.closed is None, campaign.head is None, campaign.manifest is None} == {not done}
    with reading(inventory) as connection:
        assert sealed_scans(connection) == ({1: False} if done else {})
    if not done:
        close(inventory)
    assert faults(inventory) == []


def test_a_scan_that_ends_meanwhile_is_not_lost(
    inventory: Inventory, site: SiteFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(inventory, site)

    def meanwhile(*arguments: object, **others: object) -> object:
        if len(campaigns_rows(inventory)) == 1 and not unfinished_scan(inventory, ""):
            record(inventory, site, [host("10.20.0.6", "Cardiologie", XP)])
            monkeypatch.setattr("scanner.campaign.count_rows", count_rows)
        return count_rows(*arguments, **others)  # type: ignore[arg-type]  # handed on as they come

    monkeypatch.setattr("scanner.campaign.count_rows", meanwhile)
    with pytest.raises(InventoryError, match="began or ended meanwhile"):
        close(inventory)
    assert campaign_named(inventory, "A").closed is None
    assert [each["id"] for each in close(inventory).said["scans"]] == [1, 2]


def test_a_ledger_of_thousands_is_sealed_in_segments(url: str, site: SiteFile, tmp_path: Path) -> None:
    with open_inventory(url, create=True) as inventory:
        with recorder(inventory, site) as scan_:
            scan_.record(host("10.20.0.5", "Cardiologie", XP))
            scan_.sent([attempt("10.20.0.5") for _ in range(10_001)])
            scan_.finish(ended=NOON)
        begin(inventory, site)
        segments = [(each.table, each.rows) for each in close(inventory).segments]
        assert segments == [("observations", 1), ("ledger", 10_000), ("ledger", 1)]
        export_campaign(inventory, "A", tmp_path / "a", LATER, raw=False)
        assert verify_bundle(tmp_path / "a").rows == 10_002
        change(inventory, "DELETE FROM ledger WHERE n = 10001")
        assert [state.missing for state in verify_inventory(inventory)] == [1]
