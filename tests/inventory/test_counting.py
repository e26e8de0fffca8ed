from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.config import load_site
from scanner.errors import ConfigError
from scanner.inventory import BY, Area, Filters, assets_rows, count_rows
from scanner.inventory.extent import extents_of
from scanner.inventory.order import natural
from scanner.inventory.patterns import releases_meant
from scanner.lifecycle import load_lifecycle
from scanner.model import Certainty, Identity, Status
from tests.inventory.hospital import (
    LTSC,
    NOTHING,
    RELEASES,
    SAMBA,
    TEN,
    TODAY,
    XP,
    XP_OR_2003,
    XP_OR_POS,
    host,
    record,
)

if TYPE_CHECKING:
    from pathlib import Path

    from scanner.config import SiteFile
    from scanner.inventory import CountRow, Inventory

WHO = (
    ("10.20.0.1", "Cardiologie", XP),
    ("10.20.0.2", "Cardiologie", XP),
    ("10.20.0.3", "Cardiologie", XP_OR_POS),
    ("10.20.0.4", "Cardiologie", XP_OR_2003),
    ("10.20.0.5", "Cardiologie", TEN),
    ("10.20.0.6", "Cardiologie", NOTHING),
    ("10.20.1.64", "Bloc", XP),
    ("10.20.1.65", "Bloc", LTSC),
    ("10.20.1.66", "Bloc", Identity(("w-10",), Certainty.CERTAIN)),
    ("10.20.1.67", "Bloc", SAMBA),
    ("192.168.1.1", "", XP),
)


@pytest.fixture
def filled(inventory: Inventory, site: SiteFile) -> Inventory:
    asked = [int(ip_address(f"10.20.0.{n}")) for n in range(256)]
    asked += [
        int(ip_address(address)) for address in ("10.20.1.63", "10.20.1.64", "10.20.1.127", "10.20.1.128")
    ]
    asked += [int(ip_address("192.168.1.1")), int(ip_address("192.168.1.2"))]
    record(inventory, site, [host(*who) for who in WHO], asked=asked)
    return inventory


def _counted(rows: tuple[CountRow, ...]) -> dict[tuple[str, ...], tuple[int, int, int]]:
    return {tuple(row.keys.values()): (row.certain, row.probable, row.to_verify) for row in rows}


def test_xp_in_each_ward_with_how_many_were_seen_and_never_scanned(filled: Inventory) -> None:
    rows = count_rows(filled, pattern="windows xp", today=TODAY, releases=RELEASES)
    assert [row.as_dict() for row in rows[1:]] == [
        {"ward": "Bloc", "certain": 1, "probable": 0, "to_verify": 0, "seen": 4, "scope": 64,
         "never_scanned": 62},
        {"ward": "Cardiologie", "certain": 2, "probable": 1, "to_verify": 1, "seen": 6, "scope": 448,
         "never_scanned": 190},
        {"ward": "Vide", "certain": 0, "probable": 0, "to_verify": 0, "seen": 0, "scope": 4 + 2**64,
         "never_scanned": 4 + 2**64},
    ]  # fmt: skip
    outside = rows[0]
    assert (outside.keys["ward"], outside.certain, outside.seen) == ("", 1, 1)
    assert (outside.scope, outside.never_scanned) == (2, 0)


@pytest.mark.parametrize("by", [("site",), ("ward",), ("building",), ("owner",), ("ward", "building")])
def test_places_add_up_however_they_are_cut(filled: Inventory, by: tuple[str, ...]) -> None:
    rows = count_rows(filled, by=by, pattern="xp", today=TODAY, releases=RELEASES)
    totals = [
        sum(getattr(row, name) for row in rows) for name in ("certain", "probable", "to_verify", "seen")
    ]
    assert totals == [4, 1, 1, len(WHO)]
    assert sum(row.scope for row in rows) == 64 + 448 + 4 + 2**64 + 2


def test_without_a_question_every_machine_counts_once(filled: Inventory) -> None:
    (row,) = count_rows(filled, by=("site",), today=TODAY, releases=RELEASES)
    assert (row.certain, row.probable, row.to_verify, row.seen) == (8, 2, 1, 11)


def test_by_os_each_product_is_asked_about_in_turn(filled: Inventory) -> None:
    rows = count_rows(filled, by=("os",), today=TODAY, releases=RELEASES)
    assert _counted(rows) == {
        ("",): (0, 0, 1),
        ("Samba",): (1, 0, 0),
        ("Windows 10",): (3, 0, 0),
        ("Windows Server 2003",): (0, 0, 1),
        ("Windows XP",): (4, 1, 1),
    }
    assert {row.seen for row in rows} == {11}


def test_by_status_the_wards_policy_decides(filled: Inventory) -> None:
    rows = count_rows(filled, by=("ward", "status"), today=TODAY, releases=RELEASES)
    assert _counted(rows) == {
        ("", "unsupported"): (1, 0, 0),
        ("Bloc", "ending"): (2, 0, 0),  # LTSC by its date; 22H2 by the extension that only this ward has
        ("Bloc", "unknown"): (1, 0, 0),
        ("Bloc", "unsupported"): (1, 0, 0),
        ("Cardiologie", "depends"): (1, 0, 0),
        ("Cardiologie", "unknown"): (0, 0, 1),
        ("Cardiologie", "unsupported"): (2, 2, 0),
    }


@pytest.mark.parametrize(
    ("status", "counted"),
    [
        (Status.UNSUPPORTED, (4, 2, 1)),  # 10 of some kind: to be verified, one kind is past
        (Status.DEPENDS, (1, 0, 0)),
        (Status.ENDING, (2, 0, 1)),
        (Status.SUPPORTED, (0, 0, 1)),
        (Status.UNKNOWN, (1, 0, 1)),
    ],
)
def test_a_status_counts_what_has_it_and_verifies_what_may(
    filled: Inventory, status: Status, counted: tuple[int, int, int]
) -> None:
    rows = count_rows(filled, by=("site",), status=status, today=TODAY, releases=RELEASES)
    assert list(_counted(rows).values()) == [counted]


def test_an_assets_listing_agrees_with_the_count(filled: Inventory) -> None:
    for status in Status:
        listed = list(assets_rows(filled, Filters(status=status), today=TODAY, releases=RELEASES))
        rows = count_rows(filled, by=("status",), today=TODAY, releases=RELEASES)
        counted = sum(r.certain + r.probable + r.to_verify for r in rows if r.keys["status"] == status)
        assert len(listed) == counted


def test_every_key_alone_and_all_together(filled: Inventory) -> None:
    for by in [(key,) for key in BY] + [BY]:
        rows = count_rows(filled, by=by, today=TODAY, releases=RELEASES)
        assert rows
        assert all(tuple(row.keys) == by for row in rows)


def test_an_empty_inventory_counts_nothing(inventory: Inventory) -> None:
    assert count_rows(inventory, today=TODAY, releases=RELEASES) == ()


@pytest.mark.parametrize(
    ("pattern", "meant"),
    [
        ("xp", {"w-xp", "w-pos"}),
        ("Windows XP", {"w-xp", "w-pos"}),
        ("  windows   xp ", {"w-xp", "w-pos"}),
        ("WINDOWS XP SP3", {"w-xp"}),
        ("w-pos", {"w-pos"}),
        ("windows 10*", {"w-10", "w-10-l", "w-10-i"}),
        ("*ltsc*", {"w-10-l"}),
        ("2003", {"w-2003"}),
        ("10", {"w-10", "w-10-l", "w-10-i"}),
        ("posr", {"w-pos"}),
    ],
)
def test_what_people_type_means_what_they_mean(pattern: str, meant: set[str]) -> None:
    assert releases_meant(pattern, RELEASES) == meant


@pytest.mark.parametrize("pattern", ["windows xq", "", " ", "*vms*", "("])
def test_a_slip_of_the_pen_is_no_zero(pattern: str) -> None:
    with pytest.raises(ConfigError, match="no system is called"):
        releases_meant(pattern, RELEASES)


def test_a_near_miss_is_suggested() -> None:
    with pytest.raises(ConfigError, match=r"did you mean .*Windows XP"):
        releases_meant("windwos xp", RELEASES)


def test_the_packaged_releases_know_what_people_say() -> None:
    releases = load_lifecycle().releases
    said = {pattern: releases_meant(pattern, releases) for pattern in ("xp", "windows 8", "windows 8.1")}
    assert all(said.values())
    assert {releases[each].product for each in said["xp"]} == {"Windows XP"}
    assert said["windows 8"].isdisjoint(said["windows 8.1"])


NETWORKS = st.sampled_from(
    [
        "10.0.0.0/23",
        "10.0.0.128/25",
        "10.0.1.0/26",
        "10.0.1.16/28",
        "10.0.1.128/25",
        "10.0.1.7/32",
        "10.0.2.0/30",
    ]
)


@settings(max_examples=60, deadline=None)
@given(
    wards=st.dictionaries(st.integers(1, 4), st.lists(NETWORKS, unique=True, max_size=3), max_size=4),
    asked=st.sets(st.integers(0x0A000000, 0x0A000280), max_size=60),
)
def test_extents_are_those_of_counting_on_fingers(wards: dict[int, list[str]], asked: set[int]) -> None:
    networks = [(ip_network(text), ward) for ward, texts in wards.items() for text in texts]
    if len({network for network, _ in networks}) < len(networks):
        return  # a subnet of two wards is refused by the site file
    homes: dict[int, int | None] = dict.fromkeys(asked)
    for network, ward in sorted(networks, key=lambda each: each[0].prefixlen):
        homes |= dict.fromkeys(map(int, network), ward)
    blocks: dict[int, int] = {}
    for number in asked:
        blocks[number >> 8] = blocks.get(number >> 8, 0) | 1 << (number & 255)
    rows = [(4, block.to_bytes(3), bits.to_bytes(32, "little")) for block, bits in blocks.items()]
    found = extents_of(wards, rows)
    for place in {*wards, None}:
        mine = {number for number, home in homes.items() if home == place}
        assert found.get(place, (0, 0)) == (len(mine), len(mine & asked))


def test_wards_are_sorted_as_people_expect() -> None:
    names = ["Ward 10", "ward 2", "Ward 1", "", "Zone", "2 bis", "10"]
    assert sorted(names, key=natural) == ["", "2 bis", "10", "Ward 1", "ward 2", "Ward 10", "Zone"]


def test_of_a_site_counts_are_those_of_its_rows_among_all(filled: Inventory, tmp_path: Path) -> None:
    (tmp_path / "other.toml").write_text(OTHER, encoding="utf-8")
    other = load_site(tmp_path / "other.toml")
    record(filled, other, [host("10.20.0.1", "Cardiologie", TEN), host("10.20.0.9", "", XP)], asked=[1, 2])
    for by in (("site", "ward"), ("site", "os"), ("site", "ward", "status"), ("site",)):
        for pattern, status in (
            (None, None),
            ("xp", None),
            (None, Status.UNSUPPORTED),
            ("xp", Status.ENDING),
        ):

            def counted(area: Area | None, *, by: tuple[str, ...] = by) -> list[CountRow]:
                asked = {"pattern": pattern, "status": status}  # noqa: B023 - called at once
                sites = None if area is None else area.sites(filled)
                rows = count_rows(filled, by=by, sites=sites, today=TODAY, releases=RELEASES, **asked)  # type: ignore[arg-type]
                return list(rows)

            every = counted(None)
            assert counted(Area()) == every
            for name in ("CHU", "Straße"):
                mine = [row for row in every if row.keys["site"] == name]
                for called in (name, name.upper(), name.casefold()):
                    assert counted(Area(called)) == mine
    assert Area("elsewhere").sites(filled) == frozenset()
    assert count_rows(filled, sites=frozenset(), today=TODAY, releases=RELEASES) == ()


OTHER = """
[site]
name = "Straße"
[[ward]]
name = "Cardiologie"
subnets = ["10.20.0.0/24"]
"""
