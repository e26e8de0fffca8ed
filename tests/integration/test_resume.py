"""Scans that were interrupted go on: nothing is asked twice, and the end is that of an undisturbed scan."""

from __future__ import annotations

import json
import signal
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.product import Product
from tests.integration.scenes import PATIENCE, Scene, hosts, scene, small_wards

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.captures import Capture

pytestmark = pytest.mark.namespaces

LIVING = [*hosts("10.77.0.1", 60), *hosts("10.77.1.1", 60)]
WARDS = [*small_wards("10.77.0.0/26"), *small_wards("10.77.1.0/26")]
SURE = 0.5
"""Seconds before a kill, for what was completed to be surely on the disk."""


@dataclass(frozen=True)
class Calm:
    """An undisturbed scan: what it ends with, and how much it says to each machine."""

    known: dict[str, dict[str, Any]]
    said: dict[str, int]


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Calm:
    with scene("calm", tmp_path_factory.mktemp("calm") / "scan", LIVING) as stage:
        stage.site(*WARDS)
        with stage.watched() as capture:
            stage.product.run("scan", "--profile", "office")
        return Calm(stage.known(), {host: len(times) for host, times in capture.messages().items()})


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Scene]:
    with scene("resume", tmp_path, LIVING) as made:
        made.site(*WARDS)
        yield made


def interrupted(stage: Scene, number: signal.Signals, attempts: int, *words: str) -> float:
    """End a scan in its midst; when that was."""
    with stage.product.start("scan", "--profile", "office", "--rate", "100", *words) as process:
        stage.wait_for_attempts(process, attempts)
        moment = time.time()
        process.send_signal(number)
        process.communicate(timeout=PATIENCE)
    assert process.returncode == (130 if number == signal.SIGINT else -signal.SIGKILL)
    return moment


@pytest.mark.parametrize(("number", "attempts"), [(signal.SIGINT, 100), (signal.SIGKILL, 200)])
def test_what_was_done_is_not_asked_again(
    stage: Scene, truth: Calm, number: signal.Signals, attempts: int
) -> None:
    with stage.watched("first") as first:
        moment = interrupted(stage, number, attempts)
    with stage.watched("second") as second:
        stage.product.run("scan", "--resume")
    done = {
        host
        for host, times in first.messages().items()
        if len(times) == truth.said[host] and times[-1] < moment - SURE
    }
    assert len(done) >= 8, "there was something to lose"
    assert done.isdisjoint(second.hosts()), "what was done gets no further packet"
    assert stage.known() == truth.known
    rows = stage.product.ask("SELECT state FROM scans")
    assert rows == [("done",)], "it is the same scan, gone on with"


def test_several_kills_in_one_scan(stage: Scene, truth: Calm) -> None:
    interrupted(stage, signal.SIGKILL, 50)
    for attempts in (120, 200):
        with stage.product.start("scan", "--resume") as process:
            stage.wait_for_attempts(process, attempts)
            process.kill()
            process.communicate()
    stage.product.run("scan", "--resume")
    assert stage.known() == truth.known
    stage.product.run("scan", "--resume", expect=2)


def test_a_site_file_that_changed_meanwhile_sends_nothing(stage: Scene, truth: Calm) -> None:
    interrupted(stage, signal.SIGINT, 60)
    file = stage.folder / "site.toml"
    before = file.read_bytes()
    for changed in (before.replace(b"10.77.1.0/28", b"10.77.1.0/27"), before + b"# a comment\n"):
        file.write_bytes(changed)
        sent = stage.attempts()
        said = stage.product.run("scan", "--resume", expect=2).stderr
        assert len(said.strip().splitlines()) == 1
        assert "site file changed" in said
        assert stage.attempts() == sent
    file.write_bytes(before)
    stage.product.run("scan", "--resume")
    assert stage.known() == truth.known


def test_another_request_than_the_first_sends_nothing(stage: Scene) -> None:
    interrupted(stage, signal.SIGINT, 60)
    sent = stage.attempts()
    said = stage.product.run("scan", "10.77.1.0/26", "--resume", expect=2).stderr
    assert "--fresh" in said
    assert len(said.strip().splitlines()) == 1
    assert stage.attempts() == sent


def test_a_fresh_scan_asks_everybody(stage: Scene, truth: Calm) -> None:
    interrupted(stage, signal.SIGINT, 60)
    with stage.watched() as capture:
        stage.product.run("scan", "--fresh", "--profile", "office")
    assert set(capture.hosts()) >= set(LIVING)
    assert stage.known() == truth.known


def test_two_scans_never_touch_one_host(stage: Scene) -> None:
    """The second begins while the first is at work: it says so in one line, and sends nothing."""
    with stage.product.start("scan", "--rate", "20") as first:
        stage.wait_for_attempts(first, 10)
        with stage.watched() as capture:
            for words in (("10.77.1.0/28",), (), ("--resume",), ("--fresh",)):
                said = stage.product.run("scan", *words, expect=None)
                assert said.returncode in ({2, 3} if words == ("--resume",) else {3})
                assert len(said.stderr.strip().splitlines()) == 1
        assert max(_connections(capture).values()) <= 4, "each was asked by one scan"
        first.send_signal(signal.SIGKILL)
        first.communicate()
    stage.product.run("scan", "--fresh", "--profile", "office", "10.77.1.0/26")


def test_two_scans_of_different_hosts_go_on_together(stage: Scene) -> None:
    with stage.product.start("scan", "--profile", "office", "--rate", "40", "10.77.0.0/26") as first:
        stage.wait_for_attempts(first, 10)
        stage.product.run("scan", "--profile", "office", "10.77.1.0/26")
        _, said = first.communicate(timeout=PATIENCE)
    assert first.returncode == 0, said
    assert set(stage.known()) == set(LIVING)


def _connections(capture: Capture) -> dict[str, int]:
    counted: dict[str, int] = {}
    for packet in capture.syns():
        counted[packet.host] = counted.get(packet.host, 0) + 1
    return counted


def test_the_lock_of_the_dead_is_taken_over(stage: Scene, tmp_path: Path, truth: Calm) -> None:
    """A scan that was killed, its process id taken by somebody else: nobody has to clean up after it."""
    interrupted(stage, signal.SIGKILL, 60)
    states = {row[0] for row in stage.product.ask("SELECT state FROM scans")}
    assert states <= {"running", "killed"}
    Product(tmp_path, stage.product.prefix).run("scan", "--resume")
    assert stage.known() == truth.known
    listed = json.loads(stage.product.run("count", "--format", "json").stdout)
    assert sum(row["seen"] for row in listed) == len(LIVING)
