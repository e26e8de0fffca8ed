from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scanner.errors import InventoryError
from scanner.inventory import (
    asset_detail,
    assets_rows,
    check_inventory,
    open_inventory,
    postgresql,
    scans_rows,
    sqlite,
)
from scanner.inventory import writer as writing
from scanner.inventory.answers import pack, unpack
from scanner.inventory.tables import ASSETS
from scanner.inventory.transactions import reading
from scanner.model import Endpoint, Outcome, Transport
from tests.inventory.hospital import (
    NOON,
    NOTHING,
    RELEASES,
    TEN,
    TODAY,
    XP,
    XP_OR_POS,
    attempt,
    host,
    record,
    recorder,
    seen,
    site_file,
)

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address

    from scanner.config import SiteFile
    from scanner.inventory import Inventory

ROOT = Path(__file__).parents[2]


def _table(inventory: Inventory, sql: str) -> list[tuple[object, ...]]:
    with closing(inventory.connect()) as connection:
        return connection.execute(sql).fetchall()


def _rows(inventory: Inventory, table: str) -> object:
    return _table(inventory, f"SELECT count(*) FROM {table}")[0][0]  # noqa: S608 - names from below


def test_what_was_heard_comes_back(inventory: Inventory, site: SiteFile) -> None:
    evidence = {"ntlm.netbios_name": ("ÉCG-1",), "ntlm.dns_domain": ("chu.test",), "x.many": ("b", "a", "b")}
    raw = (b"\0" * 500, b"", b"\xff\x00")
    first = seen("10.20.0.5", evidence, raw=raw)
    second = seen(
        "10.20.0.5", port=139, outcome=Outcome.REFUSED, detail="RST", at=NOON + timedelta(seconds=1)
    )
    scan = record(inventory, site, [host("10.20.0.5", "Cardiologie", XP, first, second)])
    detail = asset_detail(inventory, "écg-1", today=TODAY, releases=RELEASES)
    heard, refused = detail.observations
    assert heard.evidence == evidence
    assert heard.raw == raw
    assert (heard.endpoint, heard.at, heard.outcome, heard.connections) == (
        "10.20.0.5:445/tcp", NOON, Outcome.ANSWERED, 1,
    )  # fmt: skip
    assert (refused.outcome, refused.detail, refused.raw, refused.scan) == (Outcome.REFUSED, "RST", (), scan)
    asset = detail.asset
    assert (asset.name, asset.domain, asset.identity, asset.data_version) == ("ÉCG-1", "chu.test", XP, "d1")
    assert (asset.first_seen, asset.last_seen) == (NOON, NOON + timedelta(seconds=1))


def test_the_scan_itself_comes_back(inventory: Inventory, site: SiteFile) -> None:
    record(inventory, site, [])
    (scan,) = scans_rows(inventory, "CHU")
    assert (scan.state, scan.profile, scan.scope, scan.counts) == ("done", "clinical", "all", {"hosts": 1})
    assert scan.versions == {"vetuste": "0.1", "data": "d1"}
    assert scan.ended == NOON + timedelta(minutes=5)
    assert scans_rows(inventory, "another") == ()


def test_a_machine_seen_again_is_the_same_asset(inventory: Inventory, site: SiteFile) -> None:
    later = NOON + timedelta(days=30)
    known = {"smb.server_guid": ("05" * 16,)}
    record(inventory, site, [host("10.20.0.5", "Cardiologie", XP, seen("10.20.0.5", known))])
    named = {"smb.dialect": ("3.1.1",), "ntlm.netbios_name": ("PC-5",), **known}
    moved = seen("10.20.0.5", named, at=later)
    record(inventory, site, [host("10.20.0.5", "Bloc", TEN, moved)], data="d2")
    (asset,) = assets_rows(inventory, today=TODAY, releases=RELEASES, evidence=True)
    assert (asset.first_seen, asset.last_seen, asset.place.ward) == (NOON, later, "Bloc")
    assert (asset.identity, asset.data_version) == (TEN, "d2")
    assert asset.name == "PC-5"
    assert asset.evidence == named
    assert len(asset_detail(inventory, "10.20.0.5", today=TODAY, releases=RELEASES).observations) == 2


def test_silence_does_not_take_back_what_a_machine_said(inventory: Inventory, site: SiteFile) -> None:
    record(inventory, site, [host("10.20.0.5", "Cardiologie", XP)])
    refused = seen("10.20.0.5", outcome=Outcome.REFUSED, at=NOON + timedelta(days=1))
    scan = record(inventory, site, [host("10.20.0.5", "Cardiologie", NOTHING, refused)])
    (asset,) = assets_rows(inventory, today=TODAY, releases=RELEASES, evidence=True)
    assert asset.identity == XP
    assert asset.evidence["smb.native_os"] == ("Windows 5.1",)
    assert (asset.scan, asset.last_seen) == (scan, NOON + timedelta(days=1))


def test_a_neighbours_word_gives_a_mac_and_takes_no_identity_away(
    inventory: Inventory, site: SiteFile
) -> None:
    said = seen("10.20.0.5", {"smb.native_os": ("Windows 5.1",), "netbios.name": ("PC-5",)})
    record(inventory, site, [host("10.20.0.5", "Cardiologie", XP, said)])
    near = replace(
        seen("10.20.0.5", {"neighbour.mac": ("00:0c:29:00:00:01",)}, at=NOON + timedelta(days=1)),
        endpoint=Endpoint("10.20.0.5", 0, Transport.LINK),
    )
    record(inventory, site, [host("10.20.0.5", "Cardiologie", NOTHING, near)])
    (asset,) = assets_rows(inventory, today=TODAY, releases=RELEASES, evidence=True)
    assert (asset.identity, asset.mac) == (XP, "00:0c:29:00:00:01")
    assert asset.evidence["smb.native_os"] == ("Windows 5.1",)


CARD, OTHER_CARD = "00:0c:29:00:00:05", "00:0c:29:00:00:06"


@pytest.mark.parametrize("said", [{}, {"netbios.mac": (CARD,)}], ids=["no card is known", "the same card"])
def test_a_neighbour_that_saw_it_does_not_take_back_what_a_machine_said(
    inventory: Inventory, site: SiteFile, said: dict[str, tuple[str, ...]]
) -> None:
    first = seen("10.20.0.5", {"ntlm.version": ("5.1.2600",), **said})
    record(inventory, site, [host("10.20.0.5", "Cardiologie", XP, first)])
    later = NOON + timedelta(days=1)
    saw = seen("10.20.0.5", {"mac.address": (CARD,)}, at=later)
    record(inventory, site, [host("10.20.0.5", "Cardiologie", NOTHING, saw)])
    (asset,) = assets_rows(inventory, today=TODAY, releases=RELEASES, evidence=True)
    assert (asset.identity, asset.mac, asset.last_seen) == (XP, CARD, later)
    assert asset.evidence == first.evidence


def test_another_card_at_the_address_is_another_machine(inventory: Inventory, site: SiteFile) -> None:
    first = seen("10.20.0.5", {"netbios.mac": (CARD,)})
    record(inventory, site, [host("10.20.0.5", "Cardiologie", XP, first)])
    saw = seen("10.20.0.5", {"mac.address": (OTHER_CARD,)})
    record(inventory, site, [host("10.20.0.5", "Cardiologie", NOTHING, saw)])
    assets = assets_rows(inventory, today=TODAY, releases=RELEASES)
    assert [(each.identity, each.mac) for each in assets] == [(XP, CARD), (NOTHING, OTHER_CARD)]


def test_a_machine_that_others_saw_and_that_answers_nobody_was_seen_when_they_saw_it(
    inventory: Inventory, site: SiteFile
) -> None:
    saw = seen("10.20.0.5", {"mac.address": (CARD,)})
    silent = seen("10.20.0.5", outcome=Outcome.SILENT, at=NOON + timedelta(minutes=1))
    hosts = [host("10.20.0.5", "Cardiologie", NOTHING, each) for each in (saw, silent)]
    record(inventory, site, hosts)
    (asset,) = assets_rows(inventory, today=TODAY, releases=RELEASES, evidence=True)
    assert (asset.first_seen, asset.last_seen) == (NOON, NOON)
    assert asset.evidence == {"mac.address": (CARD,)}


def test_the_first_word_replaces_silence(inventory: Inventory) -> None:
    record(inventory, None, [host("10.0.0.5", "", NOTHING, seen("10.0.0.5", outcome=Outcome.REFUSED))])
    record(inventory, None, [host("10.0.0.5", "", XP)])
    (asset,) = assets_rows(inventory, today=TODAY, releases=RELEASES)
    assert asset.identity == XP


def test_equal_identities_are_stored_once(inventory: Inventory) -> None:
    same = [host(f"10.0.0.{n}", "", type(XP)(XP.candidates, XP.certainty, XP.reasons)) for n in range(50)]
    record(inventory, None, [*same, host("10.0.0.99", "", XP_OR_POS)])
    assert _table(inventory, "SELECT count(*) FROM identities") == [(2,)]
    assert _table(inventory, "SELECT count(DISTINCT key_id) FROM evidence") == [(2,)]


def test_the_same_address_twice_in_a_batch_is_one_asset(inventory: Inventory) -> None:
    records = [
        host("10.0.0.1", "", XP, seen("10.0.0.1", {"a.b": ("1",)})),
        host("10.0.0.1", "", XP, seen("10.0.0.1", {"a.b": ("2", "1")}, port=139)),
    ]
    record(inventory, None, records)
    (asset,) = assets_rows(inventory, today=TODAY, releases=RELEASES, evidence=True)
    assert asset.evidence == {"a.b": ("1", "2")}


def test_the_same_address_at_two_sites_is_two_machines(
    inventory: Inventory, site: SiteFile, tmp_path: Path
) -> None:
    other = site_file(tmp_path, '[site]\nname = "Sud"\n[[ward]]\nname = "A"\nsubnets = ["10.20.0.0/24"]\n')
    record(inventory, site, [host("10.20.0.5", "Cardiologie", XP)])
    record(inventory, other, [host("10.20.0.5", "A", TEN)])
    found = list(assets_rows(inventory, today=TODAY, releases=RELEASES))
    assert [(each.place.site, each.identity) for each in found] == [("CHU", XP), ("Sud", TEN)]


@pytest.mark.parametrize("number", [0, 1, 2, 127, 128, 129, 500, 501, 1300])
def test_no_host_is_lost_at_the_edges_of_statements_and_batches(inventory: Inventory, number: int) -> None:
    record(inventory, None, (host(f"10.0.{n >> 8}.{n & 255}", "", XP) for n in range(number)))
    found = [each.address for each in assets_rows(inventory, today=TODAY, releases=RELEASES)]
    assert found == [f"10.0.{n >> 8}.{n & 255}" for n in range(number)]
    assert _table(inventory, "SELECT count(*), count(DISTINCT observation_id) FROM evidence") == [
        (number * 2, number)
    ]


def test_two_scans_at_once_take_different_numbers(
    inventory: Inventory, url: str, site: SiteFile, tmp_path: Path
) -> None:
    other = site_file(tmp_path, '[site]\nname = "Sud"\n[[ward]]\nname = "A"\nsubnets = ["10.0.0.0/8"]\n')
    with recorder(inventory, site) as one, recorder(inventory, other) as two:
        for n in range(1200):
            one.record(host(f"10.20.{n >> 8}.{n & 255}", "Cardiologie", XP))
            two.record(host(f"10.20.{n >> 8}.{n & 255}", "A", TEN))
    assert _table(inventory, "SELECT count(*) FROM assets") == [(2400,)]
    assert check_inventory(url).faults == ()
    joined = "observations o JOIN assets a ON a.id = o.asset_id"
    mixed = f"SELECT count(*) FROM {joined} WHERE o.scan_id <> a.last_scan_id"  # noqa: S608 - a constant
    assert _table(inventory, mixed) == [(0,)]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    scans=st.lists(
        st.lists(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)), max_size=12), min_size=1, max_size=3
    )
)
def test_coverage_knows_exactly_who_was_asked(
    tmp_path_factory: pytest.TempPathFactory, scans: list[list[IPv4Address | IPv6Address]]
) -> None:
    folder = tmp_path_factory.mktemp("coverage")
    ever: set[tuple[int, int]] = set()
    with open_inventory(f"sqlite:///{folder}/i.db", create=True) as inventory:
        for addresses in scans:
            with recorder(inventory, None) as scan:
                for each in addresses:
                    scan.sent([attempt(str(each))])
            ever |= {(int(each), each.version) for each in addresses}
        rows = _table(inventory, "SELECT version, block, ever FROM coverage")
    found = {
        (int.from_bytes(block) << 8 | bit, version)  # type: ignore[arg-type]
        for version, block, bits in rows
        for bit in range(256)
        if int.from_bytes(bits, "little") >> bit & 1  # type: ignore[arg-type]
    }
    assert found == ever


def test_explain_says_who_asked_last(inventory: Inventory) -> None:
    record(inventory, None, [host("10.0.0.1", "", XP)], asked=[int(ip_address("10.0.0.1"))])
    again = record(inventory, None, [], asked=[int(ip_address("10.0.0.1"))])
    assert asset_detail(inventory, "10.0.0.1", today=TODAY, releases=RELEASES).asked_by == again


@given(st.lists(st.binary(max_size=300), max_size=5))
def test_answers_survive_packing(answers: list[bytes]) -> None:
    assert unpack(pack(tuple(answers))) == tuple(answers)


def test_a_ward_that_left_the_site_file_keeps_its_machines(
    inventory: Inventory, site: SiteFile, tmp_path: Path
) -> None:
    record(inventory, site, [host("10.20.1.65", "Bloc", XP)])
    smaller = site_file(
        tmp_path, '[site]\nname = "CHU"\n[[ward]]\nname = "Vide"\nsubnets = ["10.20.9.0/30"]\n'
    )
    record(inventory, smaller, [])
    (asset,) = assets_rows(inventory, today=TODAY, releases=RELEASES)
    assert (asset.place.ward, asset.place.subnet) == ("Bloc", "")
    assert _table(inventory, "SELECT network FROM subnets") == [("10.20.9.0/30",)]


@pytest.mark.parametrize(
    ("error", "state"), [(KeyboardInterrupt, "interrupted"), (RuntimeError, "failed"), (None, "done")]
)
def test_what_ends_a_scan_is_its_state_and_everything_so_far_is_kept(
    inventory: Inventory, error: type[BaseException] | None, state: str
) -> None:
    def scan() -> None:
        with recorder(inventory, None) as running:
            running.record(host("10.0.0.1", "", XP))
            if error:
                raise error

    if error:
        with pytest.raises(error):
            scan()
    else:
        scan()
    assert scans_rows(inventory)[0].state == state
    assert len(list(assets_rows(inventory, today=TODAY, releases=RELEASES))) == 1


def test_a_writer_that_cannot_write_says_so_and_keeps_what_was_committed(
    inventory: Inventory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "BATCH", 1)
    scan = recorder(inventory, None)
    scan.record(host("10.0.0.1", "", XP))
    scan.visited(1)
    with inventory.engine.connect() as connection:
        connection.exec_driver_sql("DROP TABLE evidence")
        connection.commit()
    scan.record(host("10.0.0.2", "", XP))
    with pytest.raises(InventoryError, match="evidence"):
        scan.visited(2)
    with pytest.raises(InventoryError, match="evidence"):
        scan.finish()
    assert _table(inventory, "SELECT address FROM assets") == [("10.0.0.1",)]
    with pytest.raises(InventoryError, match="evidence"):
        scan.record(host("10.0.0.3", "", XP))


_CHILD = """
import sys
import time
from pathlib import Path
from scanner.inventory import open_inventory
from tests.inventory.hospital import XP, host, recorder
pause = 0.0005
{before}
with open_inventory(sys.argv[1]) as inventory, recorder(inventory, None) as scan:
    n = 0
    while True:
        scan.record(host(f"10.{{n >> 16 & 255}}.{{n >> 8 & 255}}.{{n & 255}}", "", XP))
        scan.visited((10 << 24) + n)
        n += 1
        if n == 2000:
            print("going", flush=True)
        if n > 2000:
            time.sleep(pause)
"""


def _child(url: str, before: str = "") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _CHILD.format(before=before), url],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_killed_scan_keeps_its_batches_and_readers_never_waited(inventory: Inventory, url: str) -> None:
    with _child(url) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "going\n"
        sizes: list[int] = []
        while len(set(sizes)) < 5:
            sizes.append(_table(inventory, "SELECT count(*) FROM assets")[0][0])  # type: ignore[arg-type]
        child.send_signal(signal.SIGKILL)
    assert sizes == sorted(sizes)
    left = _table(inventory, "SELECT (SELECT count(*) FROM assets), (SELECT count(*) FROM observations)")
    assert left[0][0] == left[0][1]
    assert left[0][0] >= sizes[-1]  # type: ignore[operator]
    assert check_inventory(url).faults == ()
    assert scans_rows(inventory)[0].state == "running"
    record(inventory, None, [host("172.16.0.1", "", TEN)])
    assert scans_rows(inventory)[0].state == "done"


@pytest.mark.file
@pytest.mark.parametrize("limit", [1 << 20, 3 << 20])
def test_a_full_disk_is_told_and_what_was_recorded_is_kept(
    inventory: Inventory, url: str, limit: int
) -> None:
    limits = f"({limit}, resource.RLIM_INFINITY)"
    before = f"pause = 0; import resource; resource.setrlimit(resource.RLIMIT_FSIZE, {limits})"
    child = _child(url, before)
    _, said = child.communicate(timeout=60)
    assert child.returncode == 1
    assert "InventoryError" in said.splitlines()[-1]
    assert "what was recorded before is kept" in said.splitlines()[-1]
    kept = _table(inventory, "SELECT count(*) FROM assets")[0][0]
    assert kept > 0  # type: ignore[operator]
    assert check_inventory(url).faults == ()


def test_what_waits_is_written_when_its_time_has_come(
    inventory: Inventory, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan = recorder(inventory, None)
    scan.record(host("10.0.0.1", "", XP))
    scan.sent([attempt("10.0.0.9")])
    scan.visited(int(ip_address("10.0.0.9")))
    monkeypatch.setattr(writing, "INTERVAL", 1e9)
    scan.write_due()
    tables = ("assets", "ledger", "coverage", "visits")
    assert [_rows(inventory, table) for table in tables] == [0, 0, 0, 0]
    monkeypatch.setattr(writing, "INTERVAL", 0.0)
    scan.write_due()
    assert [_rows(inventory, table) for table in tables] == [1, 1, 1, 1]
    scan.finish()


def test_a_lock_that_stays_ends_the_writing(inventory: Inventory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "PATIENCE", 0.01)
    monkeypatch.setattr(postgresql, "WRITE", postgresql.WRITE.replace("10s", "10ms"))
    monkeypatch.setattr(writing, "BATCH", 2)
    scan = recorder(inventory, None)
    scan.record(host("10.0.0.1", "", XP))
    scan.visited(1)
    other = inventory.engine.connect().execution_options(immediate=True)
    with other, other.begin(), pytest.raises(InventoryError, match="another program"):
        scan.visited(2)
    with pytest.raises(InventoryError, match="another program"):
        scan.finish("interrupted")


def test_columns_of_the_assets_are_written_in_their_order(inventory: Inventory, site: SiteFile) -> None:
    record(
        inventory, site, [host("2001:db8::5", "Vide", XP, seen("2001:db8::5", {"netbios.mac": ("00:01",)}))]
    )
    with reading(inventory) as connection:
        row = connection.execute(ASSETS.select()).one()
    assert (row.address, row.packed, row.mac) == ("2001:db8::5", ip_address("2001:db8::5").packed, "00:01")
    assert (row.first_seen, row.last_seen) == (NOON, NOON)
