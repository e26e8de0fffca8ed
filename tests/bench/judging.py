"""What the data costs: to load, to classify a million machines, to judge a million again.

All of it in directories of its own, the cache too. ``python -m tests.bench.judging`` measures this alone.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final
from unittest.mock import patch

from tests.bench import crowd
from tests.bench.running import ROOT, ratio, say, timed
from tests.measuring import measured

if TYPE_CHECKING:
    from collections.abc import Callable

MILLION: Final = 1_000_000
FEW: Final = 50_000
LOADING: Final = """
import json, time
import scanner.cli.rejudge
from scanner.classify import default_classifier
began = time.perf_counter()
default_classifier()
print(json.dumps([time.perf_counter() - began]))
"""
HOSTS: Final = """
import gc, json, statistics, sys, time
from scanner.classify import default_classifier
from tests.bench.crowd import machines
classifier, times = default_classifier(), []
said = [{key: tuple(values) for key, values in each.items()} for _, each in machines(20_000, 100)]
gc.freeze()
for each in said:
    began = time.perf_counter()
    classifier.classify(each)
    times.append(time.perf_counter() - began)
print(json.dumps([times[0], statistics.quantiles(times[100:], n=100)[98]]))
"""


def _measured(program: str) -> list[float]:
    found: list[float] = json.loads(timed([sys.executable, "-c", program], cwd=ROOT).output)
    return found


def data_loaded(folder: Path) -> None:
    """From nothing, from the cache, and the first machines after that."""
    with patch.dict(os.environ, XDG_CACHE_HOME=str(folder / "cache")):
        (first,) = _measured(LOADING)
        kept = statistics.median(_measured(LOADING)[0] for _ in range(7))
        hosts = [_measured(HOSTS) for _ in range(3)]
    say(f"data read and checked in {first * 1e3:.0f} ms, once")
    ratio("loaded from the cache, milliseconds, median of 7", kept * 1e3, 100)
    begun, usual = map(statistics.median, zip(*hosts, strict=True))
    say(f"  the first machine of a process, its patterns compiled: {begun * 1e3:.2f} ms")
    ratio("a machine with words never heard before, milliseconds, 99 of 100", usual * 1e3, 1)


def _alone(*command: str) -> tuple[float, float]:
    """Seconds of a command whose output nobody wants, and its peak of memory in KiB."""
    quiet = ["sh", "-c", 'exec "$@" >/dev/null', "-", *measured([sys.executable, *command])]
    done = timed(quiet, cwd=ROOT)
    return done.wall, float(done.output)


def _flat(name: str, run: Callable[[int], tuple[float, float]], bound: float) -> None:
    """Time and memory at a few and at a million."""
    _, small = run(FEW)
    seconds, large = run(MILLION)
    say(f"  {seconds / MILLION * 1e6:.0f} µs each")
    ratio(f"{name}, seconds", seconds, bound)
    ratio(f"peak memory over that of {FEW:,}", large / small, 1.5)


def million_classified(folder: Path) -> None:
    """A million lines, three of ten machines with words of their own; then all sharing some hundred."""
    file = folder / "crowd.jsonl"
    for share, name in ((crowd.SHARE, "30 of 100 with words of their own"), (0, "all with words of others")):
        say(f"classify, {name}:")

        def run(number: int, share: int = share) -> tuple[float, float]:
            with file.open("wb") as lines:
                lines.writelines(crowd.lines(number, share))
            found = _alone("cli.py", "classify", str(file), "--today", "2026-11-23")
            file.unlink()
            return found

        with patch.dict(os.environ, XDG_CACHE_HOME=str(folder / "cache")):
            _flat("a million lines", run, 300)


def million_rejudged(folder: Path) -> None:
    """A million assets, a fifth of which and more are seen otherwise than before."""
    say("rejudge, 30 of 100 with words of their own:")
    file = folder / "stock.db"

    def run(number: int) -> tuple[float, float]:
        _alone("-m", "tests.bench.stock", str(file), str(number))
        found = _alone("cli.py", "rejudge", "--db", str(file), "--format", "jsonl")
        for left in folder.glob("stock.db*"):
            left.unlink()
        return found

    with patch.dict(os.environ, XDG_CACHE_HOME=str(folder / "cache")):
        _flat("a million assets", run, 300)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="vetuste-bench-") as scratch:
        data_loaded(Path(scratch))
        million_classified(Path(scratch))
        million_rejudged(Path(scratch))
