"""The pacing law, on the wire: in any second at most rate + max(1, rate/10) in all, and 2 to a host."""

from __future__ import annotations

import time
from collections import defaultdict
from typing import TYPE_CHECKING

import pytest

from tests.integration.captures import SYN, Sent, busiest_second, watched
from tests.integration.scenes import hosts, scene, small_wards

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.namespaces


def law(rate: float) -> float:
    """The most that any window of one second may hold."""
    return rate + max(1, rate / 10)


def demand_two_a_second(sent: list[Sent]) -> None:
    by_host: dict[str, list[Sent]] = defaultdict(list)
    for packet in sent:
        by_host[packet.host].append(packet)
    assert max(map(busiest_second, by_host.values())) <= 2


def middle_rate(sent: list[Sent]) -> float:
    """Attempts a second between the first and the last tenth of all attempts."""
    tenth = len(sent) // 10
    middle = sent[tenth : len(sent) - tenth]
    return (len(middle) - 1) / (middle[-1].at - middle[0].at)


@pytest.mark.parametrize(
    ("rate", "profile", "subnet"),
    [
        (1, "clinical", "10.77.0.0/29"),
        (50, "clinical", "10.77.0.0/25"),
        (500, "office", "10.77.0.0/22"),
    ],
)
def test_a_pace_is_kept_and_reached(tmp_path: Path, rate: int, profile: str, subnet: str) -> None:
    with scene("pace", tmp_path) as stage:
        stage.site(*small_wards(subnet, 29))
        with watched(stage.cable.hospital, tmp_path / "syn.pcap", SYN) as capture:
            stage.product.run("scan", "--profile", profile, "--rate", str(rate))
        sent = capture.syns()
        assert len(sent) == stage.attempts(), "the capture has every packet that nftables counted"
    assert busiest_second(sent) <= law(rate)
    assert middle_rate(sent) >= 0.8 * rate
    demand_two_a_second(sent)


def test_twenty_thousand_a_second(tmp_path: Path) -> None:
    """As fast as this machine can: the law holds there too (in the lab no host has a limit of its own)."""
    with scene("fast", tmp_path) as stage:
        stage.site('lab = true\nsubnets = ["10.77.0.0/19"]')
        with watched(stage.cable.hospital, tmp_path / "syn.pcap", SYN) as capture:
            stage.product.run("scan", "--profile", "lab", "--rate", "20000")
        sent = capture.syns()
        assert len(sent) == stage.attempts()
    assert len({packet.host for packet in sent}) == 1 << 13
    assert busiest_second(sent) <= law(20_000)


def test_wards_of_different_profiles_each_have_theirs(tmp_path: Path) -> None:
    """One scan over a clinical and an office ward: the clinical one never has more than it would alone."""
    careful, other = "10.77.0.0/26", "10.77.8.0/22"
    with scene("both", tmp_path) as stage:
        clinical = [f'{ward}\nprofile = "clinical"' for ward in small_wards(careful, 29)]
        stage.site(*clinical, *small_wards(other, 29), policy='profile = "office"')
        with watched(stage.cable.hospital, tmp_path / "syn.pcap", SYN) as capture:
            stage.product.run("scan")
    assert busiest_second(capture.syns(careful)) <= law(50)
    assert busiest_second(capture.syns()) <= law(500)
    demand_two_a_second(capture.syns())


def test_where_nothing_answers_the_kernel_repeats_nothing(tmp_path: Path) -> None:
    """Every SYN counts, the kernel's own retransmissions included: of a dark subnet at full pace too."""
    with scene("dark", tmp_path) as stage:
        stage.site(*small_wards("10.77.0.0/23", 29))
        stage.cable.rule("ip daddr 10.77.0.0/16 drop")
        with watched(stage.cable.hospital, tmp_path / "syn.pcap", SYN) as capture:
            said = stage.product.run("scan", "--profile", "office").stderr
        sent = capture.syns()
    assert busiest_second(sent) <= law(500)
    demand_two_a_second(sent)
    assert f"{len(sent)} connection attempts" in said, "what it says it sent is what was sent"


def test_a_subnet_that_answers_more_slowly_is_asked_more_slowly(tmp_path: Path) -> None:
    """Its latency rises from nothing to 300 ms in mid-scan: the pace falls well below what it was."""
    living = hosts("10.77.0.1", 200)
    with scene("slow", tmp_path, living, seed="slow") as stage:
        stage.site('subnets = ["10.77.0.0/24"]')
        with (
            watched(stage.cable.hospital, tmp_path / "syn.pcap", SYN) as capture,
            stage.product.start("scan", "--profile", "office", "--rate", "20") as process,
        ):
            stage.wait_for_attempts(process, 120)
            stage.cable.rough(delay=0.15)
            rose = time.time()
            stage.wait_for_attempts(process, 200)
            process.terminate()
            process.communicate(timeout=60)
        sent = capture.syns()
    before = [packet for packet in sent if packet.at < rose]
    after = [packet for packet in sent if packet.at > rose + 2]
    assert middle_rate(before) >= 0.8 * 20
    assert middle_rate(after) <= 0.6 * 20
