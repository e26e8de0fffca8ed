"""What ``db prune`` takes, and that nobody who reads figures, lists and exports sees a difference."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.addresses import number_of
from scanner.inventory import (
    Settled,
    asset_detail,
    assets_rows,
    check_inventory,
    count_rows,
    coverage_rows,
    open_inventory,
    ranked_assets,
    scans_rows,
    settle_findings,
)
from scanner.inventory.retention import Keep, Pruned, prune, pruning, shrink
from scanner.model import HostRecord, Outcome
from tests.inventory.hospital import (
    NOON,
    NOTHING,
    RELEASES,
    TEN,
    TODAY,
    XP,
    XP_OR_POS,
    attempt,
    recorder,
    seen,
    site_file,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scanner.config import SiteFile
    from scanner.inventory import Inventory

ADDRESSES = ("10.20.0.5", "10.20.0.6", "10.20.1.70", "192.168.1.1")
IDENTITIES = (XP, XP_OR_POS, TEN, NOTHING)
TABLES = ("observations", "evidence", "sights", "ledger")

Scan = tuple[int, list[tuple[int, int, bool, bool]]]
"""Hours after the first scan; and what it met: address, identity, whether it spoke, whether it was done."""

SCANS = st.lists(
    st.tuples(
        st.integers(0, 72),
        st.lists(
            st.tuples(st.integers(0, 3), st.integers(0, 3), st.booleans(), st.booleans()),
            min_size=1,
            max_size=4,
            unique_by=lambda each: each[0],
        ),
    ),
    min_size=1,
    max_size=6,
)


def fill(inventory: Inventory, site: SiteFile, scans: Sequence[Scan]) -> None:
    for hours, hosts in sorted(scans, key=lambda scan: scan[0]):
        at = NOON + timedelta(hours=hours)
        scan = recorder(inventory, site, at=at)
        for place, identity, spoke, done in hosts:
            address = ADDRESSES[place]
            said = {"smb.native_os": (f"Windows {identity}",), "ntlm.netbios_name": (f"PC{place}",)}
            outcome = Outcome.ANSWERED if spoke else Outcome.SILENT
            heard = seen(
                address, said if spoke else {}, outcome=outcome, at=at, raw=(b"\xffSMB" * 9,) * spoke
            )
            scan.record(HostRecord(address, "", (heard,), IDENTITIES[identity] if spoke else NOTHING))
            scan.sent([attempt(address, at=at, outcome=outcome)])
            if done:
                scan.visited(number_of(address))
        scan.finish("done" if hours % 3 else "interrupted", {}, ended=at + timedelta(minutes=5))


def everything_told(inventory: Inventory, site: SiteFile) -> list[object]:
    """What people and programs are told of an inventory; exports are made of the same assets."""
    told: list[object] = [
        count_rows(inventory, by=by, today=TODAY, releases=RELEASES) for by in (("ward",), ("os", "status"))
    ]
    told += [coverage_rows(inventory, by=("subnet",), site=site), scans_rows(inventory)]
    assets = list(assets_rows(inventory, today=TODAY, releases=RELEASES, evidence=True))
    told += [assets, list(ranked_assets(inventory, today=TODAY, releases=RELEASES))]
    for each in assets:
        told.append(asset_detail(inventory, str(each.id), today=TODAY, releases=RELEASES).asset)
    return told


def rows(inventory: Inventory) -> dict[str, list[Any]]:
    with closing(inventory.connect()) as connection:
        return {
            name: sorted(connection.execute(f"SELECT * FROM {name}").fetchall(), key=repr)  # noqa: S608 - constants
            for name in TABLES
        }


def pruned(inventory: Inventory, keep: Keep, *, dry: bool = False) -> Pruned:
    total = Pruned()
    for part in prune(inventory, keep, dry=dry):
        total = total.plus(part)
    return total


def since(hours: int) -> Keep:
    moment = NOON + timedelta(hours=hours)
    return Keep(moment, moment)


@pytest.fixture(autouse=True)
def _small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many transactions, as in a large inventory."""
    for name in ("_ASSETS", "_ADDRESSES", "_IDS"):
        monkeypatch.setattr(pruning, name, 2)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("empty") / "i.db"
    open_inventory(f"sqlite:///{path}", create=True).close()
    return path


@settings(max_examples=25, deadline=None)
@given(scans=SCANS, hours=st.integers(0, 80), stop=st.integers(0, 12))
def test_nobody_sees_that_something_went(empty: Path, scans: list[Scan], hours: int, stop: int) -> None:
    with TemporaryDirectory() as name:
        (Path(name) / "i.db").write_bytes(empty.read_bytes())
        inventory, site = open_inventory(f"sqlite:///{name}/i.db"), site_file(Path(name))
        fill(inventory, site, scans)
        settle_findings(inventory, today=TODAY, releases=RELEASES)
        before, stored = everything_told(inventory, site), rows(inventory)
        expected = pruned(inventory, since(hours), dry=True)
        assert rows(inventory) == stored
        for number, part in enumerate(prune(inventory, since(hours))):
            expected = replace(
                expected,
                observations=expected.observations - part.observations,
                evidence=expected.evidence - part.evidence,
                sights=expected.sights - part.sights,
                attempts=expected.attempts - part.attempts,
                alarms=expected.alarms - part.alarms,
            )
            if number == stop:
                break  # it is killed here; what is left is sound, and says the same
        assert everything_told(inventory, site) == before
        assert check_inventory(f"sqlite:///{name}/i.db").faults == ()
        assert pruned(inventory, since(hours)) == expected
        once = rows(inventory)
        assert pruned(inventory, since(hours)) == Pruned()
        assert rows(inventory) == once
        assert settle_findings(inventory, today=TODAY, releases=RELEASES, anew=True) == Settled()
        assert everything_told(inventory, site) == before
        shrink(inventory)
        assert rows(inventory) == once


def test_what_goes_and_what_stays(inventory: Inventory, site: SiteFile) -> None:
    speaks, silent = [(0, 0, True, True), (1, 1, True, True)], [(0, 0, False, True)]
    fill(inventory, site, [(1, speaks), (2, speaks), (3, [*silent, speaks[1]]), (40, [speaks[1]])])
    assert pruned(inventory, since(72)) == Pruned(observations=5, evidence=8, sights=4, attempts=7)
    kept = rows(inventory)
    # The first machine rests on what it said in the second scan; the other one on the last.
    assert Counter(row[1] for row in kept["observations"]) == {2: 1, 4: 1}
    assert sorted(row[0] for row in kept["sights"]) == [3, 3, 4]
    assert kept["ledger"] == []


def test_what_is_younger_or_goes_on_stays(inventory: Inventory, site: SiteFile) -> None:
    fill(inventory, site, [(1, [(0, 0, True, True)]), (30, [(0, 0, True, True)])])
    stored = rows(inventory)
    assert pruned(inventory, since(1)) == Pruned()
    assert pruned(inventory, Keep(None, None)) == Pruned()
    assert pruned(inventory, replace(since(99), site="another")) == Pruned()
    assert rows(inventory) == stored


def test_the_ledger_has_an_age_of_its_own(inventory: Inventory, site: SiteFile) -> None:
    fill(inventory, site, [(1, [(0, 0, True, True)]), (30, [(0, 0, True, True)])])
    assert pruned(inventory, Keep(since(99).observations)).attempts == 0
    assert pruned(inventory, Keep(None, since(2).ledger)) == Pruned(attempts=1)


def test_an_address_that_no_scan_is_done_with_keeps_its_attempts(
    inventory: Inventory, site: SiteFile
) -> None:
    fill(inventory, site, [(1, [(0, 0, True, False), (1, 0, True, True)])])
    assert pruned(inventory, since(99)) == Pruned(attempts=1)
    assert len(rows(inventory)["ledger"]) == 1


def test_what_is_sealed_stays(inventory: Inventory, site: SiteFile, monkeypatch: pytest.MonkeyPatch) -> None:
    day = [(0, 0, True, True)]
    fill(inventory, site, [(1, day), (2, day), (3, day)])
    monkeypatch.setattr("scanner.inventory.retention.old.kept_scans", lambda _: frozenset({1}))
    assert pruned(inventory, since(99)) == Pruned(observations=1, evidence=2, sights=1, attempts=2)
    assert sorted(row[0] for row in rows(inventory)["sights"]) == [1, 3]


def test_a_scan_goes_on_writing_meanwhile(inventory: Inventory, site: SiteFile) -> None:
    day = [(0, 0, True, True), (1, 1, True, True), (2, 2, True, True)]
    fill(inventory, site, [(1, day), (2, day)])
    at = NOON + timedelta(hours=100)
    running = recorder(inventory, site, at=at)
    for number, _ in enumerate(prune(inventory, since(99))):
        address = f"10.20.0.{number + 100}"
        running.record(
            HostRecord(address, "Cardiologie", (seen(address, {"ssh.banner": ("x",)}, at=at),), XP)
        )
        running.visited(number_of(address))
        running._writer.write()
    running.finish(ended=at)
    assert number >= 3
    assert len(list(assets_rows(inventory, today=TODAY, releases=RELEASES))) == 3 + number + 1
    assert pruned(inventory, since(99)) == Pruned()
