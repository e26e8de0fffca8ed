"""Cables that lose, delay, reorder and double packets, and cables that are cut: the same machines.

The rough cable is ``tests/rough_link.py``: what ``tc netem`` does, with a seed, on kernels without netem.
"""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.captures import watched
from tests.integration.scenes import hosts, scene, small_wards, until
from tests.namespaces import wire

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.scenes import Scene

pytestmark = pytest.mark.namespaces

SEED = "vetuste"
SUBNETS = 16
"""Of 32 addresses, half of them empty: 256 machines; `make prove` has four times as many."""
ONLY_445 = "tcp dport 139 ip daddr & 0.0.0.1 == 0.0.0.1 reject with tcp reset"
"""Every other machine has no second port where it could be found."""
Found = dict[str, tuple[list[Any], set[str]]]


IDENTITY = ("name", "domain", "os", "certainty", "status", "candidates", "earliest", "latest")


def wards(subnets: int) -> list[str]:
    """So many small wards."""
    return small_wards("10.77.0.0/21", 27)[:subnets]


def living(subnets: int) -> list[str]:
    """Sixteen machines in each of them."""
    firsts = (f"10.77.{number // 8}.{number % 8 * 32 + 1}" for number in range(subnets))
    return [address for first in firsts for address in hosts(first, 16)]


def found(stage: Scene) -> Found:
    """What was learnt of each machine: who it is; and with how much evidence."""
    return {
        address: ([row[key] for key in IDENTITY], set(row["evidence"]))
        for address, row in stage.known().items()
    }


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Found:
    """What a scan over a good cable finds."""
    return scanned_cleanly(tmp_path_factory.mktemp("clean") / "scan", SUBNETS)


def scanned_cleanly(folder: Path, subnets: int) -> Found:
    """What a scan of so many subnets over a good cable finds."""
    with scene("clean", folder, living(subnets)) as stage:
        stage.cable.rule(ONLY_445)
        stage.site(*wards(subnets))
        stage.product.run("scan", "--profile", "office")
        return found(stage)


def test_a_clean_link_finds_every_machine(clean: Found) -> None:
    assert set(clean) == set(living(SUBNETS))


ROUGH = {"loss": 0.05, "delay": 0.2, "reorder": 0.25, "duplicate": 0.05}
"""Each way: a round trip loses a tenth of the packets and takes 400 ms."""


def test_a_rough_link_finds_what_a_clean_one_finds(tmp_path: Path, clean: Found) -> None:
    demand_the_same(tmp_path, clean, SUBNETS, most=1)


def demand_the_same(folder: Path, clean: Found, subnets: int, *, most: int) -> None:
    """A scan over a rough cable finds what one over a good cable found, but for so many machines."""
    with scene("rough", folder, living(subnets), seed=SEED) as stage:
        stage.cable.rule(ONLY_445)
        stage.site(*wards(subnets))
        stage.cable.rough(**ROUGH)
        with stage.watched():
            stage.product.run("scan", "--profile", "office")
        rough = found(stage)
    missing = {
        address: (said, rough.get(address))
        for address, said in clean.items()
        if address not in rough or rough[address][0] != said[0]
    }
    assert len(missing) <= most, missing
    whole = sum(len(rough[address][1]) for address in rough) / sum(len(keys) for _, keys in clean.values())
    assert whole >= 0.99, "what a second connection would have told is missing now and then"
    assert set(rough) <= set(clean), "nothing is found that is not there"


_BURST = """
import socket, sys
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for number in range(4000):
    sender.sendto(b"%d" % number, ("10.77.0.1", 9))
    if number % 50 == 0:
        import time; time.sleep(0.02)
"""


def test_the_rough_cable_is_as_rough_as_it_says(tmp_path: Path) -> None:
    """The instrument is measured too: loss, delay, doubling and overtaking, as tcpdump sees them."""
    with wire("gauge", seed=SEED) as cable, ExitStack() as ends:
        cable.rough(**ROUGH)
        machines = {"near": cable.scanner, "far": cable.hospital}
        left, arrived = (
            ends.enter_context(watched(machine, tmp_path / f"{name}.pcap", "udp dst port 9"))
            for name, machine in machines.items()
        )
        cable.scanner.run(sys.executable, "-c", _BURST)
        time.sleep(0.5)
        ends.pop_all().close()
        sent, came = left.packets(), arrived.packets()
    assert len(sent) == 4000
    assert 0.97 <= len(came) / (4000 * 0.95 * 1.05) <= 1.03
    late = sum(packet.at > sent[-1].at for packet in came)
    assert came[0].at - sent[0].at < 0.2, "some overtake"
    assert 0 < late < len(came)
    assert came[-1].at - sent[-1].at >= 0.19, "the last ones took their time"


def drop(stage: Scene) -> None:
    stage.cable.fall("10.77.0.0/16")


CUTS: dict[str, tuple[Callable[[Scene], None], Callable[[Scene], None]]] = {
    "own": (lambda stage: stage.cable.unplug(0), lambda stage: stage.cable.plug(0)),
    "peer": (lambda stage: stage.cable.unplug(1), lambda stage: stage.cable.plug(1)),
    "drop": (drop, lambda stage: stage.cable.rise()),
}
"""This machine's link goes down, the switch's does, or nothing gets through any more and nothing says so."""
CUT_SECONDS = 60


def test_a_link_that_is_cut_for_a_minute_changes_nothing(tmp_path: Path) -> None:
    """Three scans at once, each cut in its own way: the inventory of an undisturbed one."""
    machines = [address for number in range(3) for address in hosts(f"10.77.{number}.1", 50)]
    site = [ward for number in range(3) for ward in small_wards(f"10.77.{number}.0/26", 28)]
    with scene("whole", tmp_path / "whole", machines) as stage:
        stage.site(*site)
        stage.product.run("scan", "--profile", "office")
        truth = stage.known()
    assert set(truth) == set(machines)
    with ExitStack() as running:
        scenes = {
            kind: running.enter_context(scene(f"cut{kind}", tmp_path / kind, machines)) for kind in CUTS
        }
        for stage in scenes.values():
            running.enter_context(stage.watched())
            stage.site(*site)
        scans = {
            kind: running.enter_context(stage.product.start("scan", "--profile", "office", "--rate", "60"))
            for kind, stage in scenes.items()
        }
        for kind, stage in scenes.items():
            until(lambda stage=stage: stage.attempts() >= 150, scans[kind])  # type: ignore[misc] # the loop's own
            CUTS[kind][0](stage)
        time.sleep(CUT_SECONDS)
        for kind, stage in scenes.items():
            CUTS[kind][1](stage)
        for kind, stage in scenes.items():
            _, said = scans[kind].communicate(timeout=120)
            assert scans[kind].returncode == 0, (kind, said)
            assert stage.known() == truth, kind


def test_a_link_that_stays_cut_ends_the_scan(tmp_path: Path) -> None:
    """After the operator's patience, with what was learnt, to be resumed."""
    machines = hosts("10.77.0.1", 60)
    with scene("gone", tmp_path, machines) as stage:
        stage.site(*small_wards("10.77.0.0/26"))
        with stage.product.start("scan", "--patience", "3", "--rate", "40") as process:
            stage.wait_for_attempts(process, 40)
            stage.cable.unplug(0)
            _, said = process.communicate(timeout=60)
        assert process.returncode == 3
        assert "--resume" in said.strip().splitlines()[-1]
        kept = stage.known()
        assert 0 < len(kept) < 60
        stage.cable.plug(0)
        stage.product.run("scan", "--resume")
        assert set(stage.known()) == set(machines)
