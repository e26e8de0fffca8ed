"""The site file and the truth that a scan of the hospital needs."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from scanner.config import load_site
from scanner.simulator import Hospital
from scanner.simulator.files import TRUTH_COLUMNS, site_file, write_truth

if TYPE_CHECKING:
    from pathlib import Path


def test_the_product_reads_the_site_file_and_may_scan_every_ward(tmp_path: Path) -> None:
    hospital = Hospital(500, 60)
    path = tmp_path / "site.toml"
    path.write_text(site_file(hospital, (14450, 11390)), encoding="utf-8")
    site = load_site(path)
    assert site.ports == {"smb": (14450, 11390)}
    assert site.policy.probes == ("smb",)
    assert site.snmp.community_env == ()
    assert [ward.name for ward in site.wards] == [ward.name for ward in hospital.wards]
    assert [ward.subnets for ward in site.wards] == [(str(ward.subnet),) for ward in hospital.wards]
    assert all(ward.lab and not ward.passive_only for ward in site.wards)
    assert site.policy.profile == "lab"


def test_only_what_is_simulated_is_asked_for_and_where_it_is(tmp_path: Path) -> None:
    path = tmp_path / "site.toml"
    path.write_text(site_file(Hospital(20, 1), tuple(range(10_001, 10_009))), encoding="utf-8")
    site = load_site(path)
    assert site.policy.probes == ("smb", "rdp", "netbios", "msrpc", "snmp", "ssh", "http")
    assert site.ports == {
        "smb": (10_001, 10_002),
        **{probe: (10_003 + place,) for place, probe in enumerate(site.policy.probes[1:])},
    }
    assert site.snmp.community_env == ("VETUSTE_SNMP",)


def test_the_truth_has_a_line_for_every_machine(tmp_path: Path) -> None:
    hospital = Hospital(300, 3)
    path = tmp_path / "truth.csv"
    write_truth(hospital, path)
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == TRUTH_COLUMNS
    assert [row["address"] for row in rows] == list(hospital.places)
    for row in rows:
        place = hospital.places[row["address"]]
        assert row["ward"] == place.ward.name
        assert (row["personality"], row["product"]) == (place.personality.key, place.personality.product)
        assert (row["listening"] == "yes") == place.listening
