"""What reaches the wire, counted by nftables and tcpdump in the hospital's own namespace."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.captures import SYN, busiest_second, watched
from tests.integration.test_pacing import demand_two_a_second
from tests.namespaces import Wire, wire

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.namespaces
CLI = Path(__file__).parents[2] / "cli.py"

SITE = """
[site]
name = "CHU de Démonstration"

[policy]
probes = ["smb"]
exclude = ["10.77.0.16/28"]

[[ward]]
name = "Cardiologie"
subnets = ["10.77.0.0/25"]

[[ward]]
name = "Réanimation"
passive_only = true
subnets = ["10.77.9.0/24"]
"""

RULES = (
    "ip daddr 10.77.0.16/28 counter name excluded",
    "ip daddr 10.77.9.0/24 counter name passive",
    "ip daddr 10.77.0.0/16 tcp dport != { 445, 139 } counter name elsewhere",
    "ip daddr 10.77.0.0/16 meta l4proto != tcp counter name other",
    "tcp dport { 445, 139 } tcp flags & (syn | ack) == syn counter name attempts",
)


@pytest.fixture
def cable() -> Iterator[Wire]:
    with wire("safe") as made:
        made.count(RULES)
        yield made


def scan(cable: Wire, folder: Path, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    site = folder / "site.toml"
    if not site.exists():
        site.write_text(SITE, encoding="utf-8")
    where = ("--site", str(site), "--db", str(folder / "inventory.db"))
    return cable.scanner.run(sys.executable, CLI, "scan", *where, *words, check=check, LANG="C.UTF-8")


def test_exclusions_passive_wards_and_other_ports_receive_nothing(cable: Wire, tmp_path: Path) -> None:
    planned = json.loads(scan(cable, tmp_path, "--plan", "--json").stdout)
    assert cable.counted() == dict.fromkeys(("excluded", "passive", "elsewhere", "other", "attempts"), 0)
    scan(cable, tmp_path)
    counted = cable.counted()
    attempts = counted.pop("attempts")
    assert counted == {"excluded": 0, "passive": 0, "elsewhere": 0, "other": 0}
    assert planned[0]["connections_least"] <= attempts <= planned[0]["connections_most"]
    assert attempts >= 112


def test_the_clinical_profile_keeps_its_pace(cable: Wire, tmp_path: Path) -> None:
    """At most 55 attempts in any second, 2 to a host, 4 to a host in all: when every port refuses at once."""
    with watched(cable.hospital, tmp_path / "syn.pcap", SYN) as capture:
        scan(cable, tmp_path)
    seen = capture.syns()
    assert len(seen) == cable.counted()["attempts"]
    assert busiest_second(seen) <= 55
    assert max(Counter(packet.host for packet in seen).values()) <= 4
    demand_two_a_second(seen)


def test_silence_is_asked_no_more_often(cable: Wire, tmp_path: Path) -> None:
    """Where nothing answers, each address gets three SYNs (445, 139, 445 again), and none from the kernel."""
    rule = "add rule inet judge arriving ip daddr 10.77.0.0/16 drop"
    cable.hospital.run("nft", rule)
    with watched(cable.hospital, tmp_path / "syn.pcap", SYN) as capture:
        scan(cable, tmp_path, "10.77.0.64-90")
    by_host = Counter(packet.host for packet in capture.syns())
    assert set(by_host.values()) == {3}
    assert len(by_host) == 27
    rows = json.loads(count(cable, tmp_path))
    assert {row["ward"]: (row["seen"], row["never_scanned"]) for row in rows}["Cardiologie"] == (0, 128 - 27)


def count(cable: Wire, folder: Path) -> str:
    words = ("count", "--db", folder / "inventory.db", "--format", "json")
    return cable.scanner.run(sys.executable, CLI, *words).stdout


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("10.77.2.0/24",), "lie outside the wards"),
        (("8.8.8.8",), "outside the wards|public"),
        (("10.77.9.0/24",), "nothing is left to scan"),
        (("10.77.0.16/28",), "nothing is left to scan"),
        (("--profile", "lab"), "lab"),
        (("--ports", "9100"), "no port is left"),
        (("--ports", "telnet"), "no ports"),
        (("10.77.0.300",), "no target"),
        (("--exclude", "10.77.0.0/25"), "nothing is left to scan"),
        (("--site", "/nonexistent.toml"), "site file"),
    ],
)
def test_a_wrong_request_sends_nothing(
    cable: Wire, tmp_path: Path, words: tuple[str, ...], complaint: str
) -> None:
    done = scan(cable, tmp_path, *words, check=False)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert any(part in done.stderr for part in complaint.split("|"))
    assert set(cable.counted().values()) == {0}
    assert not (tmp_path / "inventory.db").exists()


def test_without_a_site_file_public_addresses_are_refused(cable: Wire, tmp_path: Path) -> None:
    environment = {**os.environ, "LANG": "C.UTF-8"}
    done = subprocess.run(
        cable.scanner.command(sys.executable, CLI, "scan", "8.8.8.8", "--db", tmp_path / "inventory.db"),
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "--allow-public" in done.stderr


def test_a_network_that_vanishes_ends_the_scan_and_keeps_what_was_recorded(
    cable: Wire, tmp_path: Path
) -> None:
    site = tmp_path / "site.toml"
    site.write_text(SITE.replace('["10.77.0.0/25"]', '["10.77.0.0/22"]'), encoding="utf-8")
    words = ("scan", "--site", site, "--db", tmp_path / "inventory.db", "--rate", "40", "--patience", "5")
    process = cable.scanner.start(sys.executable, CLI, *words, stderr=subprocess.PIPE)
    while cable.counted()["attempts"] < 100:
        assert process.poll() is None
    cable.scanner.run("ip", "route", "delete", "10.77.0.0/16")
    _, complaint = process.communicate(timeout=120)
    assert process.returncode == 3
    assert "has been away" in complaint.strip().splitlines()[-1]
    seen = sum(row["seen"] for row in json.loads(count(cable, tmp_path)))
    assert 20 <= seen <= 1024
