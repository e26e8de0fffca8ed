"""What people ask of a large inventory, all in one run: ``python -m tests.bench.scale [FILE]``.

Without a file a million assets are made first (two minutes, 2.4 GB). Machines differ: read the ratios.
"""

from __future__ import annotations

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

from scanner.campaign import Circumstances, close_campaign
from scanner.config import load_site
from scanner.inventory import Filters, assets_rows, count_rows, open_inventory, settle_findings
from scanner.inventory.campaigns import campaigns_rows, open_campaign
from scanner.model import Certainty, Status
from tests.bench.million import FIRST, SITES, build
from tests.bench.recording import recording
from tests.bench.running import CLI, ratio, say, timed

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
    "a name that nothing has, and more": Filters(text="nothing", os="xp", status=Status.UNSUPPORTED),
    "a name, and a system": Filters(text="pc-0765432", os="xp"),
    "a name, and a status that nothing has": Filters(text="pc-0765432", status=Status.ENDING),
    "much at once": Filters(ward="ward 7*", os="xp", text="7.s3", certainty=Certainty.CERTAIN),
}


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
    one = typical(lambda: count_rows(inventory, sites={"Site 2"}, today=TODAY))
    ratio("of one site, milliseconds", 1000 * one, 50)
    wall = typical(lambda: timed([*CLI, "count", "--by", "ward", "--db", url]))
    ratio("as a command, seconds", wall, 0.6)


def listed(inventory: Inventory) -> None:
    say(f"assets, the first {PAGE} of those with:")
    for name, wanted in FILTERS.items():

        def page(wanted: Filters = wanted) -> list[object]:
            return list(islice(assets_rows(inventory, wanted, today=TODAY), PAGE))

        ratio(f"{name} ({len(page())}), milliseconds", 1000 * typical(page), 100)


def exported(url: str, folder: Path) -> None:
    say("export csv of all:")
    run = timed([*CLI, "export", "csv", "--db", url, "--out", str(folder / "all.csv")])
    ratio("seconds", run.wall, 60)
    ratio("seconds of each of two processors", run.cpu / 2, 60)
    ratio("peak memory of the larger one of its two processes, MB", run.peak_mb, 300)


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


def settled(url: str) -> None:
    """Findings of all machines, the first time and once more; it writes them."""
    say("findings, seconds (no figure is held to):")
    with open_inventory(url) as inventory:
        for when in ("the first time", "again"):
            began = time.perf_counter()
            found = settle_findings(inventory, today=TODAY)
            say(f"  {when}: {time.perf_counter() - began:.1f} ({found.opened} opened)")


def sealed(url: str) -> None:
    """A campaign over all of one site; it stays closed."""
    say("campaign close, of one site of four:")
    with open_inventory(url) as inventory:
        at = datetime(2026, 12, 1, tzinfo=UTC)
        name = f"bench {len(campaigns_rows(inventory))}"
        site = load_site(Path(url.removeprefix("sqlite:///")).with_suffix(".site-1.toml"))
        open_campaign(inventory, name, site=site, at=at, account="bench", since=FIRST)
        began = time.perf_counter()
        with_ = Circumstances(at, TODAY, "bench", {})
        rows = sum(each.rows for each in close_campaign(inventory, name, with_).segments)
        taken = time.perf_counter() - began
        say(f"  {rows} rows in {taken:.1f} s: {1e6 * taken / rows:.0f} microseconds a row")


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
                (number,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - our own tables
                say(f"  {number:>10} {table}")
        say(f"load before: {os.getloadavg()[0]:.2f}")
        with open_inventory(url) as inventory:
            counted(inventory, url)
            listed(inventory)
        pruned(url)
        exported(url, folder)
        compared(url)
        sealed(url)
        settled(url)
        recording(url)


if __name__ == "__main__":
    main()
