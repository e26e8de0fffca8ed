"""What exports cost: the audit CSV of many assets, against a bare copy of the same bytes by the csv module.

``python -m tests.bench.exporting [ASSETS]``: 100,000; the product is held to 60 s and 300 MB for a million.
"""

from __future__ import annotations

import csv
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from tests.bench.running import CLI, ROOT, ratio, say, timed
from tests.bench.stock import build

ASSETS: Final = 100_000
SECONDS: Final = 60 / 1_000_000
"""An asset."""
MEGABYTES: Final = 300
DAY: Final = "--today=2026-11-23"


def copied(source: Path, target: Path) -> float:
    """Seconds that the csv module takes to read the rows and to write them again."""
    began = time.process_time()
    with (
        source.open(encoding="utf-8", newline="") as rows,
        target.open("w", encoding="utf-8", newline="") as copy,
    ):
        csv.writer(copy, delimiter=";").writerows(csv.reader(rows, delimiter=";"))
    return time.process_time() - began


def exported(folder: Path, assets: int) -> None:
    """Every format, once."""
    stock, target = folder / "stock.db", folder / "out"
    build(stock, assets)
    for name in ("csv", "jsonl", "xlsx", "glpi", "prometheus"):
        done = timed([*CLI, "export", name, "--db", str(stock), DAY, "--out", str(target)], cwd=ROOT)
        size = target.stat().st_size / 1e6
        say(f"{name}: {done.wall:.1f} s, {done.cpu:.1f} s of processor, {done.peak_mb:.0f} MB of memory")
        say(f"  {size:.0f} MB written")
        if name == "csv":
            ratio("seconds an asset over what is allowed", done.wall / assets / SECONDS, 1)
            ratio("peak memory over what is allowed", done.peak_mb / MEGABYTES, 1)
            bare = copied(target, folder / "copy.csv")
            ratio("processor time over that of a bare copy of the rows", done.cpu / bare, 5)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="vetuste-bench-") as scratch:
        exported(Path(scratch), int(sys.argv[1]) if sys.argv[1:] else ASSETS)
