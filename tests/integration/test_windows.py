"""Hours: a scan that waits for them and goes on by itself; and a clock that cannot be trusted.

The clock on the wall is libfaketime's; the one that nobody sets is the machine's own: seconds are seconds.
"""

from __future__ import annotations

import signal
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.product import Product
from tests.integration.scenes import PATIENCE, Scene, hosts, scene

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.namespaces

LIVING = hosts("10.77.0.1", 60)
FIRST, SECOND = "10.77.0.0/27", "10.77.0.32/27"
BOTH = 'subnets = ["10.77.0.0/28", "10.77.0.16/28", "10.77.0.32/28", "10.77.0.48/28"]'
STEP = 50
"""Seconds by which a clock may be set without a scan's distrust."""


@dataclass
class Watch:
    """The clock of the machine that scans; the processes on it read it from a file."""

    stage: Scene
    clock: str

    def __post_init__(self) -> None:
        """Make it this time of the next day, in UTC."""
        now = datetime.now(UTC)
        hour, minute, second = map(int, self.clock.split(":"))
        tomorrow = now + timedelta(days=1)
        wanted = tomorrow.replace(hour=hour, minute=minute, second=second, microsecond=0)
        self.ahead = (wanted - now).total_seconds()
        self.advance(0)

    def advance(self, seconds: float) -> float:
        """Set it; the moment at which that was done, on the clock of the tests."""
        self.ahead += seconds
        file = self.stage.folder / "clock"
        (fresh := file.with_suffix(".new")).write_text(f"{self.ahead:+.2f}\n", encoding="ascii")
        fresh.replace(file)
        return time.time()

    def when(self, clock: str) -> float:
        """The moment, on the clock of the tests, at which it will be or was that time on its day."""
        hour, minute, second = map(int, clock.split(":"))
        there = datetime.fromtimestamp(time.time() + self.ahead, UTC)
        wanted = there.replace(hour=hour, minute=minute, second=second, microsecond=0)
        return time.time() + (wanted - there).total_seconds()

    def until(self, clock: str) -> None:
        """Wait until it is that time on it."""
        while time.time() < self.when(clock):
            time.sleep(0.02)

    @property
    def product(self) -> Product:
        """The product on that machine."""
        (library,) = Path("/usr/lib").glob("*/faketime/libfaketime.so.1")
        settings = ("FAKETIME_NO_CACHE=1", "FAKETIME_DONT_FAKE_MONOTONIC=1")
        file = f"FAKETIME_TIMESTAMP_FILE={self.stage.folder / 'clock'}"
        words = ("env", *settings, file, f"LD_PRELOAD={library}")
        return Product(self.stage.folder, (*self.stage.product.prefix, *words))


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Scene]:
    with scene("hours", tmp_path, LIVING) as made:
        yield made


def test_a_scan_waits_for_its_window_and_goes_on(stage: Scene) -> None:
    stage.site(f'{BOTH}\nwindow = "22:00-05:30 UTC"')
    watch = Watch(stage, "21:59:53")
    opens = time.time() + 7
    with stage.watched() as capture:
        said = watch.product.run("scan", "--profile", "office").stderr
    assert capture.packets()[0].at >= opens - 0.1
    assert any("waits until" in line for line in said.splitlines()), said
    assert set(stage.known()) == set(LIVING)


def test_a_window_that_closes_in_mid_scan_pauses_its_ward(stage: Scene) -> None:
    """Closed from 22:00 to 22:01: nothing is sent there then; the other ward goes on, then this one too."""
    stage.site(f'subnets = ["{FIRST}"]\nwindow = "22:01-22:00 UTC"', f'subnets = ["{SECOND}"]')
    watch = Watch(stage, "21:59:20")
    with stage.watched() as capture, watch.product.start("scan", "--rate", "10") as process:
        stage.wait_for_attempts(process, 20)
        watch.advance(35)
        closes = watch.when("22:00:00")
        watch.until("22:00:04")
        assert process.poll() is None
        watch.advance(STEP)
        opens = watch.when("22:01:00")
        _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, said
    first = [packet.at for packet in capture.packets(FIRST)]
    assert [at for at in first if closes < at < opens - 0.1] == []
    assert [at for at in first if at < closes]
    assert [at for at in first if at > opens]
    assert any(closes < packet.at < opens for packet in capture.packets(SECOND))
    assert set(stage.known()) == set(LIVING)


@pytest.mark.parametrize("hours", [1, -1])
def test_a_clock_that_jumps_ends_a_scan_that_has_hours(stage: Scene, hours: int) -> None:
    stage.site(f'{BOTH}\nwindow = "20:00-05:30 UTC"')
    watch = Watch(stage, "23:00:00")
    with stage.watched() as capture, watch.product.start("scan", "--rate", "10") as process:
        stage.wait_for_attempts(process, 20)
        jumped = watch.advance(3600 * hours)
        _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 3, said
    assert "clock jumped" in said.strip().splitlines()[-1]
    assert [packet for packet in capture.syns() if packet.at > jumped + 0.1] == [], "nothing is sent in doubt"
    watch.advance(-3600 * hours)
    watch.product.run("scan", "--resume")
    assert set(stage.known()) == set(LIVING)


def test_a_clock_that_jumps_while_a_scan_waits_ends_it(stage: Scene) -> None:
    """Set into the window by someone: whether it is open cannot be known."""
    stage.site(f'{BOTH}\nwindow = "22:00-05:30 UTC"')
    watch = Watch(stage, "18:00:00")
    with stage.watched() as capture, watch.product.start("scan") as process:
        assert process.stderr is not None
        assert "waits until" in process.stderr.readline()
        watch.advance(5 * 3600)
        _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 3, said
    assert "clock jumped" in said.strip().splitlines()[-1]
    assert capture.packets() == []


def test_a_clock_that_jumps_is_nothing_to_a_scan_without_hours(stage: Scene) -> None:
    stage.site(BOTH)
    watch = Watch(stage, "12:00:00")
    with watch.product.start("scan", "--profile", "office", "--rate", "100") as process:
        stage.wait_for_attempts(process, 20)
        watch.advance(3600)
        _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, said
    assert set(stage.known()) == set(LIVING)


def test_a_scan_that_waits_can_be_interrupted(stage: Scene) -> None:
    stage.site(f'subnets = ["{FIRST}"]\nwindow = "22:00-22:01 UTC"')
    watch = Watch(stage, "12:00:00")
    with stage.watched() as capture, watch.product.start("scan") as process:
        assert process.stderr is not None
        assert "waits until" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, said
    assert capture.packets() == []
