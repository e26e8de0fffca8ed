"""What people ask of a large inventory, all in one run: ``python -m tests.bench.scale [FILE]``.

Without a file a million assets are made first (two minutes, 2.4 GB). Machines differ: read the ratios.
"""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
import statistics
import sys
import time
from contextlib import closing
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from scanner.inventory import Filters, Recorder, assets_rows, count_rows, open_inventory
from scanner.model import Certainty, Status
from tests.bench.crowd import machines
from tests.bench.million import SITES, build
from tests.bench.running import CLI, ratio, say, timed
from tests.bench.stock import _record

if TYPE_CHECKING:
    from collections.abc import Callable

    from scanner.inventory import Inventory

TODAY: Final = date(2026, 11, 23)
PAGE: Final = 50
FILTERS: Final = {
    "none": Filters(),
    "a status that is common": Filters(status=Status.UNSUPPORTED),
    "a status that nothing has": Filters(status=Status.ENDING),
    "a system": Filters(os="windows nt 3.1"),
    "a system, certain": Filters(os="xp", certainty=Certainty.CERTAIN),
    "a hint": Filters(certainty=Certainty.HINT),
    "a name": Filters(text="pc-0765432"),
    "part of many names": Filters(text="s3.chu"),
    "a name that nothing has": Filters(text="nothing"),
    "a ward of all sites": Filters(ward="ward 77"),
    "much at once": Filters(ward="ward 7*", os="xp", text="7.s3", certainty=Certainty.CERTAIN),
}
READERS: Final = 5
RECORDED: Final = 10_000
"""Machines that are recorded while readers are busy."""


def typical(act: Callable[[], object], times: int = 5) -> float:
    """Seconds that something takes: the median of a few."""
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        act()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def counted(inventory: Inventory, url: str) -> None:
    say("count --by ward:")
    ratio("of all sites, milliseconds", 1000 * typical(lambda: count_rows(inventory, today=TODAY)), 200)
    wall = typical(lambda: timed([*CLI, "count", "--by", "ward", "--db", url]))
    ratio("as a command, seconds", wall, 0.6)


def listed(inventory: Inventory) -> None:
    say(f"assets, the first {PAGE} of those with:")
    for name, wanted in FILTERS.items():

        def page(wanted: Filters = wanted) -> list[object]:
            return list(islice(assets_rows(inventory, wanted, today=TODAY), PAGE))

        ratio(f"{name} ({len(page())}), milliseconds", 1000 * typical(page), 100)


def busy(url: str, over: object) -> None:
    """A reader who asks for figures and pages until it is over."""
    with open_inventory(url) as inventory:
        while not over.is_set():  # type: ignore[attr-defined]  # an event of multiprocessing
            count_rows(inventory, today=TODAY)
            list(islice(assets_rows(inventory, FILTERS["a system"], today=TODAY), PAGE))


def recorded(url: str) -> None:
    """Observations a second into the large inventory, while others read from it."""
    say(f"recording, while {READERS} others read:")
    hosts = [
        _record(number, f"172.{16 + number // 65536}.{number // 256 % 256}.{number % 256}", _said(said))
        for number, (_, said) in enumerate(machines(RECORDED, 0))
    ]
    over = multiprocessing.get_context("spawn").Event()
    readers = [
        multiprocessing.get_context("spawn").Process(target=busy, args=(url, over)) for _ in range(READERS)
    ]
    for reader in readers:
        reader.start()
    time.sleep(3)
    started = time.perf_counter()
    with open_inventory(url) as inventory:
        scan = Recorder(inventory, None, profile="lab", scope="", versions={}, started=datetime.now(UTC))
        for number, each in enumerate(hosts):
            scan.record(each)
            scan.visited(0xAC100000 + number)
        scan.finish()
    taken = time.perf_counter() - started
    over.set()
    for reader in readers:
        reader.join()
    number = sum(len(each.observations) for each in hosts)
    ratio("observations a second", number / taken, 10_000, at_least=True)


def _said(evidence: dict[str, list[str]]) -> dict[str, tuple[str, ...]]:
    return {key: tuple(values) for key, values in evidence.items()}


def exported(url: str, folder: Path) -> None:
    say("export csv of all:")
    run = timed([*CLI, "export", "csv", "--db", url, "--out", str(folder / "all.csv")])
    ratio("seconds", run.wall, 60)
    ratio("peak memory, MB", run.peak_mb, 300)


def compared(url: str) -> None:
    """The two scans of the first site, where the program can compare scans."""
    if "diff" not in timed([*CLI, "--help"]).output.split():
        say("diff: there is no such command")
        return
    say("diff of two scans:")
    ratio("seconds", timed([*CLI, "diff", "1", str(1 + SITES), "--db", url]).wall, 10)


def pruned(url: str) -> None:
    say("db prune, only counting:")
    run = timed([*CLI, "db", "prune", "--older-than", "1d", "--ledger", "1d", "--dry-run", "--db", url])
    say(f"  {run.wall:.1f} s, {run.peak_mb:.0f} MB: {run.output.strip()}")


def main() -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        file = Path(sys.argv[1]) if len(sys.argv) > 1 else folder / "inventory.db"
        if not file.exists():
            started = time.perf_counter()
            build(file, 1_000_000)
            say(f"made in {time.perf_counter() - started:.0f} s: {file.stat().st_size / 1e6:.0f} MB")
        url = f"sqlite:///{file}"
        with closing(sqlite3.connect(file)) as connection:
            for table in ("assets", "observations", "evidence", "sights", "traits", "ledger", "identities"):
                (number,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - from above
                say(f"  {number:>10} {table}")
        say(f"load before: {os.getloadavg()[0]:.2f}")
        with open_inventory(url) as inventory:
            counted(inventory, url)
            listed(inventory)
        pruned(url)
        exported(url, folder)
        compared(url)
        recorded(url)


if __name__ == "__main__":
    main()
