"""Other processes that hold, or make, an inventory: told what to do by lines on their standard input."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]

SCAN = """
import sys
from scanner.addresses import AddressSet
from scanner.errors import InventoryError
from scanner.inventory import open_inventory
from tests.inventory.hospital import XP, attempt, host, recorder
from scanner.addresses import address_of
url, networks, resumed = sys.argv[1], sys.argv[2].split(), int(sys.argv[3]) or None
ground = AddressSet.of(networks)
print("ready", flush=True)
sys.stdin.readline()
with open_inventory(url) as inventory:
    try:
        scan = recorder(inventory, None, spans=ground.spans, resumed=resumed)
    except InventoryError as error:
        print(error, flush=True)
        raise SystemExit(3)
    print("scanning", scan.scan_id, flush=True)
    sys.stdin.readline()
    for number in ground.spread():
        scan.record(host(address_of(number), "", XP))
        scan.sent([attempt(address_of(number))] * 2)
        scan.visited(number)
        scan.write_due()
    scan.finish()
    print("done", flush=True)
    sys.stdin.readline()
"""
"""A scan: it begins at the first line, visits its addresses at the second."""

MAKE = """
import sys
from scanner.inventory import migrating, open_inventory
put = migrating._put
def slow(*arguments):
    print("drafted", flush=True)
    sys.stdin.readline()
    put(*arguments)
migrating._put = slow
open_inventory(sys.argv[1], create=True).close()
print("made", flush=True)
"""
"""The making of an inventory, which halts when it is all but there."""


@contextmanager
def child(program: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A Python process; killed at the end where it still runs."""
    with subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as started:
        try:
            yield started
        finally:
            started.kill()


@contextmanager
def scanning(url: str, networks: str, *, resumed: int = 0) -> Iterator[subprocess.Popen[str]]:
    """A scan that has begun, and has visited nothing yet."""
    with child(SCAN, url, networks, str(resumed)) as started:
        assert said(started) == "ready"
        go(started)
        assert said(started).startswith("scanning ")
        yield started


def said(process: subprocess.Popen[str]) -> str:
    """Its next line."""
    return _pipe(process.stdout).readline().rstrip("\n")


def go(process: subprocess.Popen[str]) -> None:
    """Let it take its next step."""
    stream = _pipe(process.stdin)
    stream.write("\n")
    stream.flush()


def _pipe(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream
