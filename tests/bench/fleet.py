"""``python -m tests.bench.fleet``: what the fleet costs, and how soon the job of a dead worker is taken up.

Needs no root: the hospital is the simulator on loopback, the database the tests' own PostgreSQL.
"""

from __future__ import annotations

import sys
import tempfile
import time
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from scanner.fleet import chunk_scan
from scanner.fleet.engine import JobDispatcher, JobTaker
from scanner.fleet.home import home_of
from scanner.fleet.model import Chunk
from scanner.fleet.planning import CHUNK
from scanner.fleet.working import Worker
from scanner.scan import Request
from scanner.scan import run as scan_run
from tests.cli.process import FRONT
from tests.fleet.running.hospitals import Fleet, fleet, until
from tests.inventory.servers import serving
from tests.simulator.process import running

if TYPE_CHECKING:
    from collections.abc import Iterator

JOBS = 1000
CLINICAL = 3
"""Chunks that are scanned at the pace of a hospital."""
HOSPITAL = ("--hosts", "800", "--wards", "8")


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def jobs_a_second(made: Fleet) -> None:
    """Jobs that nothing is done for, one after the other at one site."""
    chunks = [Chunk(1 << 40, number, ((number, number),)) for number in range(1, JOBS + 1)]
    begun = time.perf_counter()
    JobDispatcher(made.url).enqueue("nord", chunks)
    queued = time.perf_counter() - begun
    with closing(JobTaker(made.as_role("nord"), "nord")) as taker:
        jobs = iter(taker)
        taker.done(next(jobs))
        begun = time.perf_counter()
        for taken in islice(jobs, JOBS - 1):
            taker.done(taken)
        passed = time.perf_counter() - begun
    say(f"{JOBS} jobs queued in {queued:.2f} s; taken and finished: {(JOBS - 1) / passed:.0f} jobs/s")


class Counted:
    """A taker that ends after so many jobs, and knows how long each took."""

    def __init__(self, taker: JobTaker, most: int) -> None:
        self.taker, self.most = taker, most
        self.seconds: list[float] = []

    def __iter__(self) -> Iterator[Any]:
        begun = time.perf_counter()
        for number, taken in enumerate(self.taker, 1):
            yield taken
            now = time.perf_counter()
            self.seconds.append(now - begun)
            begun = now
            if number == self.most:
                return

    def __getattr__(self, name: str) -> object:
        return getattr(self.taker, name)


def overhead(made: Fleet, folder: Path) -> None:
    """What of a job is no scanning: taking it, beginning, delivering, acknowledging."""
    nets = tuple(f"127.32.{number}.0/24" for number in range(CLINICAL))
    run = made.ask("nord", Request(nets, profile="clinical"), chunk=CHUNK)
    JobDispatcher(made.url).enqueue("nord", made.store.deliveries.missing(run.id))
    scanning: list[float] = []
    original = scan_run

    def timed(*given: Any, **named: Any) -> Any:  # noqa: ANN401 - as scan.run
        begun = time.perf_counter()
        try:
            return original(*given, **named)
        finally:
            scanning.append(time.perf_counter() - begun)

    with (
        patch.object(chunk_scan, "run", timed),
        home_of(folder / "bench", "nord", None) as home,
        closing(JobTaker(made.as_role("nord"), "nord")) as taker,
    ):
        counted = Counted(taker, run.chunks)
        Worker(made.as_role("nord"), home, counted).work()  # type: ignore[arg-type]  # it is one, by delegation
    for whole, part in zip(counted.seconds[1:], scanning[1:], strict=True):  # the first reads the data
        aside = whole - part
        say(f"a clinical chunk: {whole:.1f} s, {aside:.3f} s of it no scanning: {aside / whole:.2%}")


def takeover(made: Fleet) -> None:
    """From kill -9 until another worker has the job, with the product's own times."""
    made.program = (str(FRONT),)
    made.ask("nord", Request(profile="lab", rate=10), chunk=CHUNK)
    made.centre()
    first = made.worker("nord", "first")
    until(lambda: made.rows("SELECT 1 FROM fleet.progress WHERE visited > 0 AND visited < total"), made.said)
    made.worker("nord", "second")
    time.sleep(5)  # it is there, and waits
    first.kill()
    killed = time.monotonic()
    until(
        lambda: made.rows("SELECT 1 FROM jobs.procrastinate_jobs WHERE status = 'doing' AND attempts = 1"),
        made.said,
    )
    say(f"a dead worker's job was taken up by another after {time.monotonic() - killed:.1f} s")


def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="vetuste-bench-"))
    with serving() as server, running(folder, *HOSPITAL) as hospital:
        for part in (jobs_a_second, lambda made: overhead(made, folder), takeover):
            with fleet(server.fresh(), folder) as made:
                made.add_site("nord", hospital.site_file.read_bytes())
                part(made)


if __name__ == "__main__":
    main()
