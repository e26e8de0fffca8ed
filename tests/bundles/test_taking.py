"""What a bundle may change where something is known already: nothing twice, nothing newer, nobody else's."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from scanner.bundles import end, key_of, take
from scanner.classify import default_classifier
from scanner.errors import DataError, InventoryError
from scanner.inventory import (
    Inventory,
    assets_rows,
    listened_of,
    listening_runs,
    open_inventory,
    places_rows,
    scans_rows,
    unfinished_scan,
)
from scanner.inventory.campaigns import begin_closing, open_campaign, seal
from scanner.model import Endpoint, HostRecord, Observation, Outcome
from tests.bundles.hospitals import NOON, SEVEN, XP, bring, host, opened, ours, scan, seen, ward
from tests.bundles.rows import rows_of
from tests.inventory.hospital import SITE, recorder, site_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scanner.config import SiteFile
    from scanner.inventory import Asset

DAY = timedelta(days=1)
NAMED = {"ntlm.netbios_name": ("PC-5",), "smb.server_guid": ("cd" * 16,)}


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Inventory]:
    with open_inventory(f"sqlite:///{tmp_path}/there.db", create=True) as made:
        yield made


@pytest.fixture
def site(tmp_path: Path) -> SiteFile:
    return ours(tmp_path)


def assets(inventory: Inventory) -> dict[str, Asset]:
    rows = assets_rows(inventory, today=date(2026, 11, 23))
    return {row.address: row for row in rows}


def test_twice_is_once(there: Inventory, centre: Inventory, site: SiteFile) -> None:
    bundle = opened(there, scan(there, site, ward()))
    assert not bring(centre, bundle).already
    before = rows_of(centre)
    again = bring(centre, bundle)
    assert (again.already, again.scan, again.hosts) == (True, 1, 0)
    assert rows_of(centre) == before


def test_what_was_scanned_here_is_not_taken_from_a_bundle(there: Inventory, site: SiteFile) -> None:
    number = scan(there, site, ward())
    before = rows_of(there)
    assert bring(there, opened(there, number)).scan == number
    assert rows_of(there) == before


def test_a_bundle_of_a_scan_that_was_taken_before_it_had_ended(
    there: Inventory, centre: Inventory, site: SiteFile
) -> None:
    """It was interrupted, exported, resumed and exported again: the key is the same."""
    number = scan(there, site, ward()[:2], state="interrupted")
    bring(centre, opened(there, number))
    assert unfinished_scan(there, "CHU") is not None
    assert unfinished_scan(centre, "CHU") is None  # it is gone on with where it was made


def test_an_older_scan_of_the_same_addresses_is_refused_whole(
    there: Inventory, centre: Inventory, site: SiteFile
) -> None:
    old = scan(there, site, [host("10.20.0.5", "Cardiologie", seen("10.20.0.5", XP))])
    new = scan(
        there, site, [host("10.20.0.5", "Cardiologie", seen("10.20.0.5", SEVEN, NOON + DAY))], at=NOON + DAY
    )
    late = opened(there, old)
    bring(centre, opened(there, new))
    before = rows_of(centre)
    with pytest.raises(DataError, match=r"came to 10\.20\.0\.5 as well: .* the oldest first"):
        bring(centre, late)
    assert rows_of(centre) == before


def test_an_older_scan_that_came_nowhere_is_taken(
    there: Inventory, centre: Inventory, site: SiteFile
) -> None:
    """An import visits nobody: it tells nothing of who was silent."""
    old = scan(there, site, ward(), profile="import")
    new = scan(there, site, ward(NOON + DAY), at=NOON + DAY)
    late = opened(there, old)
    bring(centre, opened(there, new))
    before = assets(centre)
    assert not bring(centre, late).already
    after = assets(centre)
    assert {name: row.identity for name, row in after.items()} == {
        name: row.identity for name, row in before.items()
    }
    assert {row.last_seen - NOON for row in after.values()} <= {DAY, DAY + timedelta(seconds=1)}


def lease(at_days: int, evidence: dict[str, tuple[str, ...]]) -> HostRecord:
    """What an import tells of the machine."""
    return host("10.20.0.5", "Cardiologie", seen("10.20.0.5", evidence, NOON + at_days * DAY))


def test_what_an_import_knows_from_a_later_day_stays(
    there: Inventory, centre: Inventory, site: SiteFile
) -> None:
    """The bundle's scan is of noon; the day after, the machine was another system, as an import tells."""
    number = scan(there, site, [lease(0, {**XP, **NAMED, "ntlm.dns_name": ("old.chu.example",)})])
    scan(centre, site, [lease(1, {**SEVEN, **NAMED})], profile="import", at=NOON + DAY)
    before = assets(centre)["10.20.0.5"]
    bring(centre, opened(there, number))
    after = assets(centre)
    (asset,) = after.values()
    assert (asset.identity, asset.last_seen) == (before.identity, NOON + DAY)
    assert (asset.first_seen, asset.fqdn) == (NOON, "")
    assert "windows-xp" not in str(asset.identity.candidates)
    told = rows_of(centre)
    assert sum("Windows 5.1" in row for row in told["evidence"]) == 1  # it is kept, as history
    assert len(told["sights"]) == 2


def test_a_newer_scan_changes_what_is_known(there: Inventory, centre: Inventory, site: SiteFile) -> None:
    number = scan(there, site, [lease(1, {**SEVEN, **NAMED})], at=NOON + DAY)
    scan(centre, site, [lease(0, {**XP, **NAMED})], profile="import")
    bring(centre, opened(there, number))
    (asset,) = assets(centre).values()
    assert (asset.first_seen, asset.last_seen) == (NOON, NOON + DAY)
    assert str(asset.identity.candidates).count("windows-7")


def test_the_site_is_not_set_back(
    there: Inventory, centre: Inventory, site: SiteFile, tmp_path: Path
) -> None:
    """Wards as a later import has them stay, whatever the site was like when the bundle's scan was made."""
    number = scan(there, site, ward())
    later = site_file(
        tmp_path, SITE.replace('building = "B"', 'building = "NEU"').replace("w-10", "windows-10-22h2")
    )
    scan(centre, later, [], profile="import", at=NOON + DAY)
    bring(centre, opened(there, number))
    assert {place.building for place, _ in places_rows(centre)} == {"", "NEU", "C"}


def test_hosts_outside_of_the_site_as_it_is_known_here_are_left_out(
    there: Inventory, centre: Inventory, site: SiteFile, tmp_path: Path
) -> None:
    number = scan(there, site, ward())
    small = site_file(tmp_path, '[site]\nname = "CHU"\n[[ward]]\nname = "Ici"\nsubnets = ["10.20.0.0/24"]\n')
    taken = bring(centre, opened(there, number), small)
    assert (taken.hosts, taken.outside) == (3, 3)
    assert {asset.place.ward for asset in assets(centre).values()} == {"Ici"}
    assert len(rows_of(centre)["ledger"]) == 8  # what was sent was sent


def test_another_site_is_refused(there: Inventory, centre: Inventory, site: SiteFile, tmp_path: Path) -> None:
    bundle = opened(there, scan(there, site, ward()))
    other = site_file(tmp_path, '[site]\nname = "X"\n[[ward]]\nname = "A"\nsubnets = ["10.20.0.0/24"]\n')
    before = rows_of(centre)
    with pytest.raises(DataError, match="the bundle is of 'CHU', and not of 'X'"):
        bring(centre, bundle, other)
    scan(centre, other, [])
    with pytest.raises(DataError, match="scan 1 is none of 'CHU'"):
        take(centre, bundle, site, default_classifier(), key="run 1 chunk 1", scan=1)
    assert rows_of(centre, but={"scans", "sites", "wards", "subnets", "ledger", "visits", "coverage"}) == {
        table: rows
        for table, rows in before.items()
        if table not in {"scans", "sites", "wards", "subnets", "ledger", "visits", "coverage"}
    }


def test_sites_with_the_same_addresses_stay_apart(
    there: Inventory, centre: Inventory, site: SiteFile, tmp_path: Path
) -> None:
    other = site_file(tmp_path, SITE.replace('"CHU"', '"CH"').replace("w-10", "windows-10-22h2"))
    for number in (scan(there, site, ward()), scan(there, other, ward(NOON + DAY), at=NOON + DAY)):
        bring(centre, opened(there, number))
    assert len(rows_of(centre)["assets"]) == 2 * len(assets(centre))


def test_what_listening_heard_elsewhere_is_no_run_of_ours(
    there: Inventory, centre: Inventory, site: SiteFile
) -> None:
    """The detail of such a word names a run of that inventory: here the number is another run's."""
    word = Observation(Endpoint("10.20.0.5", 445), "smb", NOON, Outcome.ANSWERED, XP, "heard by scan 7", 0)
    number = scan(there, site, [host("10.20.0.5", "Cardiologie", word, seen("10.20.0.5", NAMED))])
    bring(centre, opened(there, number))
    assert not listening_runs(centre, "CHU")
    assert listened_of(centre, "CHU", ["10.20.0.5"], {7}, NOON - DAY) == {}


def test_a_take_that_fails_at_its_end_leaves_nothing(
    there: Inventory, centre: Inventory, site: SiteFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = opened(there, scan(there, site, ward()))
    before = rows_of(centre)

    def broken(*_: object) -> None:
        raise DataError("the stick was pulled out")

    monkeypatch.setattr("scanner.inventory.unloading.Unloading.finish", broken)
    with pytest.raises(DataError, match="pulled out"):
        take(centre, bundle, None, default_classifier(), key=key_of(bundle.head))
    assert rows_of(centre) == before
    monkeypatch.undo()
    assert not bring(centre, bundle).already


def test_a_scan_whose_parts_are_still_delivered_lives(
    there: Inventory, centre: Inventory, site: SiteFile, tmp_path: Path
) -> None:
    first, second = scan(there, site, ward()[:2]), scan(there, site, ward()[2:], at=NOON + DAY)
    begun = take(centre, opened(there, first), site, default_classifier(), key="run 1 chunk 1", part=True)
    other = site_file(tmp_path, SITE.replace("10.20.", "10.30."))
    with recorder(centre, other, at=NOON + DAY):  # another scan begins here, and looks for those who died
        pass
    assert [row.state for row in scans_rows(centre) if row.id == begun.scan] == ["running"]
    open_campaign(centre, "spring", site=site, since=NOON - DAY, at=NOON + DAY, account="audit")
    with pytest.raises(InventoryError, match="still being delivered"):
        begin_closing(centre, "spring", NOON + 3 * DAY)
    taken = take(
        centre, opened(there, second), site, default_classifier(), key="c 2", scan=begun.scan, part=True
    )
    assert taken.scan == begun.scan


def test_nothing_is_added_to_what_is_sealed(there: Inventory, centre: Inventory, site: SiteFile) -> None:
    first, second = scan(there, site, ward()[:2]), scan(there, site, ward()[2:], at=NOON + DAY)
    begun = take(centre, opened(there, first), site, default_classifier(), key="c 1", part=True)
    end(centre, begun.scan, "done", {}, default_classifier(), ended=NOON + DAY)
    open_campaign(centre, "spring", site=site, since=NOON - DAY, at=NOON + DAY, account="audit")
    seal(centre, begin_closing(centre, "spring", NOON + 3 * DAY), "audit", lambda _: ("{}", "00"))
    before = rows_of(centre)
    with pytest.raises(DataError, match="sealed by a campaign"):
        take(centre, opened(there, second), site, default_classifier(), key="c 2", scan=begun.scan, part=True)
    assert rows_of(centre) == before
