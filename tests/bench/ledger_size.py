"""What the ledger costs: bytes and microseconds an attempt, and the size of three years of it.

``python -m tests.bench.ledger_size [SCANS]``: so many weekly scans (3; 156 are three years) of a hospital of
15,000 hosts that answer and 17,000 addresses where nobody is, into an inventory of their own. ``--hosts``:
every host is recorded too, with what it says.
"""

from __future__ import annotations

import gc
import random
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from scanner.addresses import AddressSet, address_of
from scanner.inventory import Inventory, Recorder, ledger_rows, open_inventory
from scanner.model import Attempt, Certainty, Endpoint, HostRecord, Identity, Observation, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

ADDRESSES = AddressSet.of(["10.20.0.0/18", "10.21.0.0/18"])
VISITED, HOSTS, WEEKS = 32_000, 15_000, 156
BEGAN = datetime(2026, 1, 5, 22, tzinfo=UTC)
WINDOWS = Identity(("windows-10-22h2-pro",), Certainty.CERTAIN)
SAID = {
    "smb.dialect": ("3.1.1",),
    "smb.server_guid": ("7f3c1b52-9a1e-4a55-8d4b-3f6f0f6c8a11",),
    "ntlm.version": ("10.0.19041",),
    "ntlm.netbios_name": ("PC-CARDIO-0001",),
    "ntlm.dns_name": ("pc-cardio-0001.chu.example",),
    "ntlm.dns_domain": ("chu.example",),
}


def say(*words: object) -> None:
    print(*words, flush=True)  # noqa: T201 - the result of this program


def attempts_of(number: int, at: datetime, dice: random.Random) -> list[Attempt]:
    """What a scan sends to one address: two or three conversations, or three SYNs that nobody answers."""
    address = address_of(number)
    if number % VISITED >= HOSTS:
        ends = [(445, Outcome.SILENT, 0, 0), (139, Outcome.SILENT, 0, 0), (445, Outcome.SILENT, 0, 0)]
    else:
        ends = [(445, Outcome.ANSWERED, 560, dice.randrange(500, 900)), (445, Outcome.ANSWERED, 180, 220)]
        ends += [(139, Outcome.REFUSED, 0, 0)] if number % 2 else []
    return [
        Attempt(Endpoint(address, port), "smb", at + timedelta(seconds=place), outcome, sent, received)
        for place, (port, outcome, sent, received) in enumerate(ends)
    ]


def visits(started: datetime, seed: int) -> Iterator[tuple[int, list[Attempt]]]:
    """The visits of one scan at 50 attempts a second, in the order of a sweep."""
    dice = random.Random(seed)
    for place, number in enumerate(ADDRESSES.spread()):
        if place == VISITED:
            return
        yield number, attempts_of(number, started + timedelta(seconds=place / 20), dice)


def scan(inventory: Inventory, week: int, *, hosts: bool) -> tuple[int, float]:
    """One weekly scan; how many attempts, and the seconds that recording them took."""
    started = BEGAN + timedelta(weeks=week)
    versions = {"data": "bench"}
    recorder = Recorder(
        inventory,
        None,
        profile="clinical",
        scope="",
        versions=versions,
        started=started,
        spans=ADDRESSES.spans,
    )
    done = list(visits(started, week))
    gc.freeze()  # as a scan does
    begun = time.process_time()
    for number, attempts in done:
        if hosts and attempts[0].outcome is Outcome.ANSWERED:
            recorder.record(host(attempts))
        recorder.sent(attempts)
        recorder.visited(number)
    recorder.finish()
    return sum(len(attempts) for _, attempts in done), time.process_time() - begun


def host(attempts: list[Attempt]) -> HostRecord:
    """What a machine answered."""
    first = attempts[0]
    raw = tuple(random.Random(first.received).randbytes(first.received // 3) for _ in range(3))
    seen = Observation(first.endpoint, "smb", first.at, Outcome.ANSWERED, SAID, "", 2, raw)
    return HostRecord(first.endpoint.address, "", (seen,), WINDOWS)


def measure(folder: Path, scans: int, *, hosts: bool) -> None:
    """Scan so many weeks, and say what it came to."""
    file = folder / "inventory.db"
    with open_inventory(f"sqlite:///{file}", create=True) as inventory:
        empty, attempts, seconds = file.stat().st_size, 0, 0.0
        for week in range(scans):
            number, took = scan(inventory, week, hosts=hosts)
            attempts, seconds = attempts + number, seconds + took
        grown = file.stat().st_size - empty
        say(
            f"{scans} scans, {attempts} attempts: {grown / 1e6:.1f} MB, {grown / attempts:.1f} bytes and",
            f"{seconds / attempts * 1e6:.1f} microseconds an attempt",
        )
        say(f"three years: {grown / scans * WEEKS / 1e9:.2f} GB")
        begun = time.perf_counter()
        one = ADDRESSES.at(VISITED // 2)
        rows = len(list(ledger_rows(inventory, [(one, one)])))
        say(f"the {rows} lines of one address are read in {(time.perf_counter() - begun) * 1e3:.0f} ms")


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:] if word.isdecimal()]
    with tempfile.TemporaryDirectory() as scratch:
        measure(Path(scratch), numbers[0] if numbers else 3, hosts="--hosts" in sys.argv)
