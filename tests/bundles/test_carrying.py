"""What is carried from one inventory to an empty one stands there as it stood here, but for its numbers."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from scanner.addresses import IPV6_END, number_of
from scanner.bundles import take
from scanner.classify import default_classifier
from scanner.imports.listening import Listening
from scanner.imports.recording import Recording
from scanner.inventory import (
    Inventory,
    Recorder,
    ledger_rows,
    listened_of,
    listening_runs,
    open_inventory,
    scans_rows,
    upgrade_inventory,
)
from scanner.inventory.breakers import keep_trip
from scanner.inventory.findings.today import settle
from scanner.inventory.transactions import writing
from tests.bundles.hospitals import NOON, XP, bring, host, opened, ours, scan, seen, stopped, ward
from tests.bundles.rows import rows_of

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLE = Path(__file__).parents[2] / "inventory.db.example"


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Inventory]:
    """The site's inventory."""
    with open_inventory(f"sqlite:///{tmp_path}/there.db", create=True) as made:
        yield made


def demand_same(there: Inventory, centre: Inventory, *, batches: bool = True) -> None:
    """Demand the same rows; ``how`` a machine is known again in one run depends on when that was written."""
    settle(there)
    one, other = rows_of(there), rows_of(centre)
    if not batches:
        for rows in (one, other):
            rows["sights"] = sorted(row.rpartition(", 'how'")[0] for row in rows["sights"])
    assert one.keys() == other.keys()
    for table in one:
        assert one[table] == other[table], table
    assert one["observations"]
    assert one["findings"]


def test_the_simulated_hospital(tmp_path: Path, centre: Inventory) -> None:
    shutil.copy(EXAMPLE, tmp_path / "there.db")
    upgrade_inventory(f"sqlite:///{tmp_path}/there.db")
    with open_inventory(f"sqlite:///{tmp_path}/there.db") as there:
        bundle = opened(there, 1)
        taken = bring(centre, bundle)
        assert (taken.hosts, taken.already, taken.outside) == (bundle.rows["hosts"], False, 0)
        assert bundle.rows["ledger"] > 1000
        demand_same(there, centre)


def test_a_scan_with_everything(there: Inventory, centre: Inventory, tmp_path: Path) -> None:
    number = scan(there, ours(tmp_path), ward(), state="interrupted")
    with writing(there) as connection:
        keep_trip(connection, 1, number, stopped())
        keep_trip(connection, 1, number, stopped(NOON + timedelta(minutes=1)), NOON + timedelta(days=1))
    bring(centre, opened(there, number))
    demand_same(there, centre)
    assert len(rows_of(centre)["breakers"]) == 2
    assert any("settles its verdict" in row for row in rows_of(centre)["assets"])


def test_a_scan_without_a_site_file(there: Inventory, centre: Inventory) -> None:
    hosts = [host("10.20.0.5", "", seen("10.20.0.5", {"ntlm.version": ("5.1.2600",)}))]
    bundle = opened(there, scan(there, None, hosts))
    assert bundle.head.name == ""
    bring(centre, bundle)
    demand_same(there, centre)


def test_an_import(there: Inventory, centre: Inventory, tmp_path: Path) -> None:
    bring(centre, opened(there, scan(there, ours(tmp_path), ward(), profile="import")))
    demand_same(there, centre)


def test_what_is_heard_of_a_machine_again_and_again(
    there: Inventory, centre: Inventory, tmp_path: Path
) -> None:
    """As routers and listening tell of machines: several records of one address in one run."""
    word, more = {"mac.address": ("00:1b:78:00:00:07",)}, {"ntlm.version": ("6.1.7601",)}
    classifier, address = default_classifier(), "10.20.0.9"
    first, second = seen(address, word, port=0), seen(address, more, NOON + timedelta(minutes=1))
    other = host("10.20.0.10", "Cardiologie", seen("10.20.0.10", more))
    both = host(address, "Cardiologie", first, second)
    records = [
        host(address, "Cardiologie", first),
        other,
        type(both)(address, "Cardiologie", (second,), classifier.classify({**word, **more}), both.unasked),
    ]
    number = scan(there, ours(tmp_path), records, profile="import")
    bring(centre, opened(there, number))
    demand_same(there, centre)


def test_what_listening_heard(
    there: Inventory, centre: Inventory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In two portions, as an interface is heard: more of one machine, another card at an address."""
    monkeypatch.setattr("scanner.inventory.writer.INTERVAL", 0)  # each is written before the next is heard
    site, classifier, end = ours(tmp_path), default_classifier(), "10.20.0.20"
    one, other = ({"mac.address": (f"00:1b:78:00:00:0{n}",)} for n in (1, 2))
    soon, later = NOON + timedelta(minutes=9), NOON + timedelta(hours=2)
    portions = (
        [seen(end, one, port=0), seen(end, XP, soon), seen("10.20.0.21", one, port=0), seen("192.0.2.9", XP)],
        [seen(end, {"ntlm.netbios_name": ("PC-20",)}, later), seen("10.20.0.21", other, later, port=0)],
    )
    versions, request = {"data": classifier.version}, {"listen": "eth0"}
    with Recorder(
        there, site, profile="import", scope="eth0", versions=versions, started=NOON, request=request
    ) as recorder:
        recording = Recording(there, recorder, site, classifier)
        for portion in portions:
            with Listening(NOON) as listening:
                for each in portion:
                    listening.add(each)
                recording.record(((each.host, each.observations) for each in listening.machines()), print)
        recorder.finish("done", ended=later)
    bring(centre, opened(there, 1))
    demand_same(there, centre, batches=False)
    assert listening_runs(centre, "CHU") == {1}
    assert listened_of(centre, "CHU", [end], {1}, NOON - timedelta(days=1))[end]


def test_phantoms_travel(there: Inventory, centre: Inventory, tmp_path: Path) -> None:
    """A firewall that accepts for all of a network: found where the scan is made, and known here as well."""
    site = ours(tmp_path)
    names = [f"10.20.0.{last}" for last in range(1, 251)]
    with Recorder(
        there,
        site,
        profile="office",
        scope="x",
        versions={"data": default_classifier().version},
        started=NOON,
    ) as recorder:
        for name in names:
            recorder.record(host(name, "Cardiologie", seen(name, {"tcp.synack": ("mss",)})))
            recorder.visited(number_of(name))
        recorder.record(ward()[2])
        assert recorder.settle_phantoms() == 250
        recorder.finish("done", ended=NOON)
    bring(centre, opened(there, 1))
    demand_same(there, centre)
    assert len(rows_of(centre)["phantoms"]) == 1
    assert len(rows_of(centre)["assets"]) == 1


def test_a_second_scan_finds_the_same_machines(there: Inventory, centre: Inventory, tmp_path: Path) -> None:
    site, later = ours(tmp_path), NOON + timedelta(days=1)
    for at in (NOON, later):
        bring(centre, opened(there, scan(there, site, ward(at), at=at)))
    demand_same(there, centre)


def test_what_came_from_elsewhere_is_carried_on(there: Inventory, centre: Inventory, tmp_path: Path) -> None:
    """From a stick to a machine, and from that machine's inventory to the centre."""
    scan(there, ours(tmp_path), ward())
    with open_inventory(f"sqlite:///{tmp_path}/between.db", create=True) as between:
        bring(between, opened(there, 1))
        assert opened(between, 1).digest == opened(there, 1).digest
        bring(centre, opened(between, 1))
    demand_same(there, centre)


def test_parts_of_one_scan(there: Inventory, centre: Inventory, tmp_path: Path) -> None:
    """As chunks of a fleet's run: several bundles, one scan; each of them once."""
    site, classifier = ours(tmp_path), default_classifier()
    hosts = ward()
    later = NOON + timedelta(minutes=10)
    parts = [scan(there, site, hosts[:2]), scan(there, site, hosts[2:], at=later)]
    run: int | None = None
    for place in (0, 1, 1, 0):
        bundle = opened(there, parts[place])
        taken = take(centre, bundle, site, classifier, key=f"run 7 chunk {place}", scan=run, part=True)
        run = taken.scan
    (row,) = scans_rows(centre)
    assert (row.state, row.ended, row.started) == ("running", None, NOON)
    told = rows_of(centre)
    assert len(told["observations"]) == len(rows_of(there)["observations"])
    assert len(told["ledger"]) == len(rows_of(there)["ledger"])
    assert [each["at"] for each in _ledger(centre)] == [each["at"] for each in _ledger(there)]


def _ledger(inventory: Inventory) -> list[dict[str, object]]:
    rows = ledger_rows(inventory, [(0, IPV6_END)])
    return sorted(({"at": row.attempt.at, "to": row.attempt.endpoint.address} for row in rows), key=str)
