from __future__ import annotations

import shutil
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings

from scanner.errors import ConfigError
from scanner.inventory import Filters, Kind, beginning_of, changes_between, open_inventory, sides_of
from scanner.inventory.campaigns.closing import begin_closing, seal
from scanner.inventory.campaigns.opening import open_campaign
from scanner.lifecycle import judge
from tests.inventory.history.year import ADDRESSES, FIRST, Night, day_of, keep, nights, ward_of
from tests.inventory.hospital import LTSC, NOTHING, RELEASES, TEN, XP, XP_OR_POS, site_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scanner.config import SiteFile
    from scanner.inventory import Change, Inventory

ALL = frozenset(ADDRESSES)
A, B, C, D = ADDRESSES[:4]
BLOC = "10.20.1.65"


def diff(inventory: Inventory, before: str, after: str, **filters: str) -> dict[int, Change]:
    old, new = sides_of(inventory, before, after)
    wanted = Filters(site=filters.get("site", ""), ward=filters.get("ward", ""))
    found = list(changes_between(inventory, old, new, wanted, releases=RELEASES))
    assert len({change.asset for change in found}) == len(found)
    return {change.asset: change for change in found}


def kinds(changes: dict[int, Change]) -> dict[int, set[str]]:
    return {asset: {kind.value for kind in change.kinds} for asset, change in changes.items()}


def test_every_kind_between_two_scans(inventory: Inventory, site: SiteFile) -> None:
    keep(
        inventory,
        site,
        [
            Night({9: (D, XP)}, ALL),
            Night({1: (A, XP), 2: (B, XP), 3: (C, TEN), 4: (BLOC, XP), 5: ("10.20.0.6", LTSC)}, ALL),
            Night({1: (B, XP), 3: (C, LTSC), 7: (A, XP), 9: (D, XP), 5: (BLOC, XP)}, ALL - {BLOC} | {B}),
        ],
    )
    found = diff(inventory, "2", "3")
    assert kinds(found) == {
        1: {"moved"},
        2: {"gone"},
        3: {"upgraded"},
        4: {"unseen"},
        5: {"moved", "upgraded"},
        7: {"new"},
        9: {"back"},
    }
    moved = found[5]
    assert moved.before is not None
    assert moved.after is not None
    assert (moved.before.ward, moved.after.ward) == ("Cardiologie", "Bloc")
    assert (moved.before.os, moved.after.os) == ("Windows 10", "Windows XP")
    assert moved.after.status == "unsupported"
    assert not found[4].looked
    assert set(diff(inventory, "2", "3", ward="bloc")) == {4, 5}
    assert diff(inventory, "2", "3", site="another") == {}


def test_a_verdict_changes_because_dates_pass_and_for_no_other_reason(
    inventory: Inventory, site: SiteFile
) -> None:
    keep(inventory, site, [Night({1: (A, LTSC), 2: (B, XP)}, ALL)])
    assert kinds(diff(inventory, "2024-02-01", "2027-01-12")) == {1: {"dates_passed"}}
    found = diff(inventory, "2027-01-12", "2027-01-13")
    assert kinds(found) == {1: {"dates_passed"}}
    assert found[1].before is not None
    assert found[1].after is not None
    assert (found[1].before.status, found[1].after.status) == ("ending", "unsupported")


def test_what_other_data_makes_of_a_machine_is_no_upgrade(inventory: Inventory, site: SiteFile) -> None:
    keep(
        inventory,
        site,
        [
            Night({1: (A, XP_OR_POS), 2: (B, XP), 3: (C, NOTHING)}, ALL),
            Night({1: (A, XP), 2: (B, LTSC), 3: (C, XP)}, ALL, "d2"),
        ],
    )
    assert kinds(diff(inventory, "1", "2")) == {1: {"data_changed"}, 2: {"upgraded"}, 3: {"data_changed"}}


def test_on_a_day_what_was_known_stands_until_somebody_looked(inventory: Inventory, site: SiteFile) -> None:
    keep(
        inventory,
        site,
        [
            Night({1: (A, XP), 2: (B, XP)}, ALL),
            Night({}, frozenset({A})),
            Night({1: (C, XP)}, frozenset({C})),
        ],
    )
    first, second, third = (day_of(number).isoformat() for number in range(3))
    assert kinds(diff(inventory, first, second)) == {1: {"gone"}}
    assert kinds(diff(inventory, second, third)) == {1: {"back"}}
    assert kinds(diff(inventory, first, third)) == {1: {"moved"}}
    assert kinds(diff(inventory, "2000-01-01", first)) == {1: {"new"}, 2: {"new"}}


def test_a_closed_campaign_is_all_scans_that_it_sealed(inventory: Inventory, site: SiteFile) -> None:
    machines = {1: (A, XP), 2: (B, XP)}
    keep(
        inventory,
        site,
        [
            Night({3: (C, XP)}, ALL),
            Night(machines, ALL),
            Night({1: (B, XP)}, frozenset({A, B})),
            Night({}, ALL),
        ],
    )
    later = datetime(2026, 1, 1, tzinfo=UTC)
    for name, first in (("audit 24", 1), ("7", 3), ("1", 0)):
        since = datetime.combine(day_of(first), FIRST.timetz())
        open_campaign(inventory, name, site=site, since=since, at=later, account="audit")
        if name != "1":  # it is a scan as well
            with pytest.raises(ConfigError):
                sides_of(inventory, name)
        seal(inventory, begin_closing(inventory, name, later), "audit", lambda head: (head, head + "a"))
    audit, numbered, scan = sides_of(inventory, " audit 24", "7", "1")
    assert (audit.scans, audit.last, audit.day) == ((2, 3, 4), 4, day_of(3))
    assert numbered.scans == (4,)
    assert scan.scans == (1,), "a scan's number is the scan, whatever a campaign is called"
    assert kinds(diff(inventory, "1", "audit 24")) == {1: {"new"}, 2: {"new"}, 3: {"gone"}}
    assert beginning_of(inventory, "audit 24") == day_of(1)
    assert beginning_of(inventory, "2024-02-29") == date(2024, 2, 29)


@pytest.mark.file
@pytest.mark.parametrize(
    "told", ["0", "99", "9" * 30, "9" * 5000, "2026-13-01", "yesterday", "", "٣", "1;drop", "20261123"]
)
def test_what_is_no_scan_and_no_day_is_refused(inventory: Inventory, site: SiteFile, told: str) -> None:
    keep(inventory, site, [Night({}, ALL)])
    with pytest.raises(ConfigError):
        sides_of(inventory, "1", told)


def test_days_end_at_the_last_and_an_empty_inventory_has_no_differences(inventory: Inventory) -> None:
    assert diff(inventory, "0001-01-01", "9999-12-31") == {}


@contextmanager
def kept(scans: Sequence[Night], empty: Path) -> Iterator[Inventory]:
    with TemporaryDirectory() as folder:
        shutil.copy(empty, folder)
        with open_inventory(f"sqlite:///{folder}/{empty.name}") as inventory:
            keep(inventory, site_file(Path(folder)), scans)
            yield inventory


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("empty") / "inventory.db"
    open_inventory(f"sqlite:///{file}", create=True).close()
    return file


COMING = {Kind.NEW, Kind.BACK}
GOING = {Kind.GONE, Kind.UNSEEN}


@settings(max_examples=25)
@given(scans=nights())
def test_the_other_way_round_it_says_the_contrary(scans: list[Night], empty: Path) -> None:
    with kept(scans, empty) as inventory:
        last = day_of(len(scans) - 1).isoformat()
        for one, other in (("1", str(len(scans))), (day_of(0).isoformat(), last), ("1", last)):
            there, back = diff(inventory, one, other), diff(inventory, other, one)
            assert diff(inventory, one, one) == {} == diff(inventory, other, other)
            assert set(there) == set(back)
            for asset, change in there.items():
                mirrored = back[asset]
                assert (mirrored.before, mirrored.after) == (change.after, change.before)
                assert mirrored.looked == change.looked
                came, went = COMING & set(change.kinds), GOING & set(change.kinds)
                assert bool(came) == bool(GOING & set(mirrored.kinds))
                assert bool(went) == bool(COMING & set(mirrored.kinds))
                if not came | went:
                    assert mirrored.kinds == change.kinds


def _applied(state: dict[int, tuple[str, ...]], changes: dict[int, Change]) -> dict[int, tuple[str, ...]]:
    for asset, change in changes.items():
        assert (state.get(asset) is None) == (change.before is None)
        state.pop(asset, None)
        if change.after is not None:
            state[asset] = (change.after.address, change.after.ward, *change.after.candidates)
    return state


def _state(night: Night) -> dict[int, tuple[str, ...]]:
    return {
        asset: (address, ward_of(address), *identity.candidates)
        for asset, (address, identity) in night.there.items()
    }


@settings(max_examples=25)
@given(scans=nights())
def test_a_diff_applied_to_the_one_scan_makes_the_other(scans: list[Night], empty: Path) -> None:
    with kept(scans, empty) as inventory:
        found = diff(inventory, "1", str(len(scans)))
        assert _applied(_state(scans[0]), found) == _state(scans[-1])
        for asset, change in found.items():
            if Kind.GONE in change.kinds:
                assert scans[0].there[asset][0] in scans[-1].visited
            if Kind.UNSEEN in change.kinds:
                assert scans[0].there[asset][0] not in scans[-1].visited


def _known(scans: Sequence[Night]) -> dict[int, tuple[str, ...]]:
    """What stands after some scans, told by hand."""
    state: dict[int, tuple[str, ...]] = {}
    for night in scans:
        looked = {asset for asset, (address, *_) in state.items() if address in night.visited}
        state = {asset: what for asset, what in state.items() if asset not in looked} | _state(night)
    return state


@settings(max_examples=25)
@given(scans=nights(3, 5))
def test_between_days_it_is_what_somebody_would_have_written_down(scans: list[Night], empty: Path) -> None:
    with kept(scans, empty) as inventory:
        middle = day_of(1).isoformat()
        found = diff(inventory, middle, day_of(len(scans) - 1).isoformat())
        assert _applied(_known(scans[:2]), found) == _known(scans)


@settings(max_examples=25)
@given(scans=nights(1, 3))
def test_a_status_is_that_of_the_sides_own_day(scans: list[Night], empty: Path) -> None:
    with kept(scans, empty) as inventory:
        for change in diff(inventory, day_of(0).isoformat(), "2030-01-01").values():
            for side, day in ((change.before, day_of(0)), (change.after, date(2030, 1, 1))):
                if side is not None and side.ward != "Bloc":
                    candidates = [RELEASES[name] for name in side.candidates]
                    assert side.status == judge(candidates, day).status
