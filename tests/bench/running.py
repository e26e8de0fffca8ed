"""Running the product and saying what came out, for all benchmarks."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[2]
CLI = (sys.executable, str(ROOT / "cli.py"))


@dataclass(frozen=True)
class Run:
    """One finished command."""

    wall: float
    cpu: float
    peak_mb: float
    output: str


def say(*words: object) -> None:
    print(*words, flush=True)  # noqa: T201 - the result of this program


def timed(command: Sequence[str], stdin: str | None = None, cwd: Path = ROOT) -> Run:
    """Run a command; processor seconds and peak memory are the kernel's account of it alone."""
    started = time.perf_counter()
    with tempfile.TemporaryFile("w+", errors="replace") as output, tempfile.TemporaryFile("w+") as given:
        given.write(stdin or "")
        given.seek(0)
        process = subprocess.Popen(command, stdin=given, stdout=output, stderr=subprocess.STDOUT, cwd=cwd)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - started
        output.seek(0)
        text = output.read()
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}:\n{text}")
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, text)


def ratio(name: str, figure: float, bound: float, *, at_least: bool = False) -> None:
    held = figure >= bound if at_least else figure <= bound
    relation = "at least" if at_least else "at most"
    say(f"  {'held  ' if held else 'MISSED'}  {name}: {figure:.2f} ({relation} {bound:g})")
