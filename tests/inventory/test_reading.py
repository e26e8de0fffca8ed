from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scanner.errors import ConfigError
from scanner.inventory import Filters, assets_rows, called, filtering, open_inventory, portions
from scanner.inventory import asset_detail as detail_of
from scanner.inventory.transactions import writing
from scanner.model import Certainty, Outcome, Status
from tests.inventory.hospital import (
    NOTHING,
    RELEASES,
    TEN,
    TODAY,
    XP,
    XP_OR_2003,
    XP_OR_POS,
    host,
    record,
    recorder,
    seen,
)

if TYPE_CHECKING:
    from scanner.config import SiteFile
    from scanner.inventory import Inventory


ADDRESSES = [f"10.0.0.{number}" for number in range(1, 9)]


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("empty") / "i.db"
    open_inventory(f"sqlite:///{path}", create=True).close()
    return path


@pytest.fixture
def filled(inventory: Inventory, site: SiteFile) -> Inventory:
    withheld = seen("10.20.0.9", outcome=Outcome.WITHHELD)
    hosts = [
        host("10.20.0.10", "Cardiologie", XP),
        host("10.20.0.9", "Cardiologie", NOTHING, withheld),
        host("10.20.1.70", "Bloc", TEN),
        host("10.20.0.2", "Cardiologie", XP_OR_POS),
        host("10.20.1.65", "Bloc", XP_OR_2003),
    ]
    record(inventory, site, hosts)
    return inventory


def test_assets_come_by_ward_and_address(filled: Inventory) -> None:
    found = [(each.place.ward, each.address) for each in assets_rows(filled, today=TODAY, releases=RELEASES)]
    assert found == [
        ("Bloc", "10.20.1.65"),
        ("Bloc", "10.20.1.70"),
        ("Cardiologie", "10.20.0.2"),
        ("Cardiologie", "10.20.0.9"),
        ("Cardiologie", "10.20.0.10"),
    ]


def test_a_place_is_that_of_the_site_file(filled: Inventory) -> None:
    (asset,) = assets_rows(filled, Filters(text="10.20.1.70"), today=TODAY, releases=RELEASES)
    place = asset.place
    assert (place.site, place.finess, place.group, place.ward) == ("CHU", "000000000", "GHT", "Bloc")
    assert (place.building, place.owner, place.criticality) == ("B", "biomedical", "vital")
    assert place.subnet == "10.20.1.64/26"


@pytest.mark.parametrize(
    ("filters", "addresses"),
    [
        (Filters(ward="bloc"), ["10.20.1.65", "10.20.1.70"]),
        (Filters(ward="car*"), ["10.20.0.2", "10.20.0.9", "10.20.0.10"]),
        (Filters(ward="car"), []),
        (Filters(site="chu", status=Status.UNSUPPORTED), ["10.20.1.65", "10.20.0.2", "10.20.0.10"]),
        (Filters(site="other"), []),
        (Filters(os="2003"), ["10.20.1.65"]),
        (Filters(os="xp", certainty=Certainty.CERTAIN), ["10.20.0.10"]),
        (Filters(text="pc-7"), ["10.20.1.70"]),
        (Filters(status=Status.UNKNOWN), ["10.20.0.9"]),
    ],
)
def test_filters_are_joined_by_and(filled: Inventory, filters: Filters, addresses: list[str]) -> None:
    assert [
        each.address for each in assets_rows(filled, filters, today=TODAY, releases=RELEASES)
    ] == addresses


def test_a_slip_in_the_pattern_is_told_before_anything_is_listed(filled: Inventory) -> None:
    with pytest.raises(ConfigError, match="no system is called"):
        assets_rows(filled, Filters(os="windwos"), today=TODAY, releases=RELEASES)


def test_evidence_comes_when_it_is_wanted(filled: Inventory) -> None:
    (without,) = assets_rows(filled, Filters(text="pc-10"), today=TODAY, releases=RELEASES)
    (asset,) = assets_rows(filled, Filters(text="pc-10"), today=TODAY, releases=RELEASES, evidence=True)
    assert (without.evidence, without.asked) == ({}, frozenset())
    assert asset.evidence == {"smb.native_os": ("Windows 5.1",), "ntlm.netbios_name": ("PC-10",)}
    assert asset.asked == {"smb"}


def test_what_was_withheld_was_not_asked(filled: Inventory) -> None:
    (asset,) = assets_rows(filled, Filters(text="10.20.0.9"), today=TODAY, releases=RELEASES, evidence=True)
    assert asset.asked == frozenset()


def test_a_release_that_the_data_no_longer_knows_has_no_date(filled: Inventory) -> None:
    fewer = {name: release for name, release in RELEASES.items() if name != "w-xp"}
    (asset,) = assets_rows(filled, Filters(text="pc-10"), today=TODAY, releases=fewer)
    assert asset.verdict.status is Status.UNKNOWN
    assert [release.name for release in asset.candidates] == ["w-xp"]


@pytest.mark.parametrize("name", ["10.20.0.10", " 10.20.0.10 ", "pc-10", "PC-10", "1"])
def test_a_machine_is_found_by_what_people_call_it(filled: Inventory, name: str) -> None:
    detail = detail_of(filled, name, today=TODAY, releases=RELEASES)
    assert detail.asset.address == "10.20.0.10"
    assert [each.outcome for each in detail.observations] == [Outcome.ANSWERED]


@pytest.mark.parametrize("name", ["10.20.0.77", "nobody", "", "99999999999999999999999", "%", "' OR 1=1 --"])
def test_who_was_never_seen_is_told(filled: Inventory, name: str) -> None:
    with pytest.raises(ConfigError, match="was ever seen"):
        detail_of(filled, name, today=TODAY, releases=RELEASES)


def test_two_of_one_name_are_told_apart_by_their_ids(filled: Inventory) -> None:
    twin = host("10.20.0.20", "Cardiologie", XP, seen("10.20.0.20", {"ntlm.netbios_name": ("pc-10",)}))
    with recorder(filled, None) as scan:
        scan.record(twin)
    with pytest.raises(
        ConfigError, match=r"more than one machine .* 1 \(10.20.0.10 PC-10\), 6 \(10.20.0.20 pc-10\)"
    ):
        detail_of(filled, "PC-10", today=TODAY, releases=RELEASES)


@pytest.mark.file
def test_a_reader_in_mid_listing_does_not_hold_the_log(filled: Inventory) -> None:
    listing = assets_rows(filled, today=TODAY, releases=RELEASES)
    next(listing)
    with filled.engine.connect() as connection:
        (busy, _, _) = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
        connection.rollback()
    assert busy == 0
    assert len(list(listing)) == 4


NAMES = st.text(st.sampled_from("aAbBsS\u017fßKk1-.%_\"'é\u0130"), max_size=5)


@settings(max_examples=25, deadline=None)
@given(names=st.lists(NAMES, min_size=1, max_size=6), texts=st.lists(NAMES, max_size=6))
@example(names=["S", "ASSK"], texts=["\u017f", "\u00df", "\u017fsK"])
def test_a_text_is_found_as_python_finds_it(empty: Path, names: list[str], texts: list[str]) -> None:
    """Whatever the database knows of case, of wildcards, and of runs of three letters."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "i.db"
        path.write_bytes(empty.read_bytes())
        with open_inventory(f"sqlite:///{path}") as inventory:
            for round_ in (names[::-1], names):  # each is called otherwise at first
                hosts = [
                    host(address, "", XP, seen(address, {"netbios.name": (name or "x",)}))
                    for address, name in zip(ADDRESSES, round_, strict=False)
                ]
                record(inventory, None, hosts)
            every = list(assets_rows(inventory, today=TODAY, releases=RELEASES))
            for text in (*texts, *names, "0.0.1", "s"):
                found = assets_rows(inventory, Filters(text=text), today=TODAY, releases=RELEASES)
                expected = [
                    each
                    for each in every
                    if text.casefold() in each.name.casefold() or text.casefold() in each.address
                ]
                assert list(found) == expected


def test_filters_find_the_same_however_much_is_looked_up_at_once(
    filled: Inventory, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = [
        Filters(status=Status.UNSUPPORTED, text="pc-"),
        Filters(os="xp"),
        Filters(certainty=Certainty.PROBABLE),
        Filters(text="10.20.1"),
    ]

    def told() -> list[list[str]]:
        return [
            [each.address for each in assets_rows(filled, one, today=TODAY, releases=RELEASES)]
            for one in asked
        ]

    before = told()
    assert all(before)
    monkeypatch.setattr(filtering, "_AT_ONCE", 1)
    assert told() == before
    monkeypatch.setattr(called, "_MOST", 0)
    assert told() == before
    monkeypatch.setattr(portions, "_FIRST", 1)
    monkeypatch.setattr(portions, "AT_ONCE", 1)
    assert told() == before


@pytest.mark.file
def test_without_the_index_of_names_each_is_looked_at(filled: Inventory) -> None:
    with writing(filled) as connection:
        connection.exec_driver_sql("DROP INDEX IF EXISTS ix_assets_foreign")
    found = assets_rows(filled, Filters(text="PC-7"), today=TODAY, releases=RELEASES)
    assert [each.address for each in found] == ["10.20.1.70"]
