"""Recording machines that are known, while others read: ``python -m tests.bench.recording URL [MACHINES]``.

The inventory is one of ``tests.bench.million``; of its first site some machines are scanned again, far from
each other. Machines differ: read the ratios.
"""

from __future__ import annotations

import multiprocessing
import random
import sys
import time
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from scanner.addresses import number_of
from scanner.classify import default_classifier
from scanner.config import load_site
from scanner.inventory import Filters, Recorder, assets_rows, count_rows, open_inventory
from scanner.inventory.database import asking, database_of
from scanner.model import Endpoint, HostRecord, Observation, Outcome, Status
from tests.bench.million import SITES, Identities, Machine, machines, site_text
from tests.bench.running import ratio, say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scanner.config import SiteFile

MACHINES: Final = 10_000
READERS: Final = ((0, 0.0), (5, 1.0), (5, 0.0))
"""How many read beside, and how many seconds each of them rests after it has asked."""
TODAY: Final = date(2026, 11, 23)
BOUNDS: Final = {"sqlite": 10_000, "postgresql": 4_000}


def hosts(assets: int, number: int, seed: int = 1) -> list[HostRecord]:
    """So many machines of the first site of an inventory of so many assets, in no order."""
    dice = random.Random(seed)
    here = list(islice(machines(assets, Identities()), assets // SITES))
    return [_host(each) for each in dice.sample(here, number)]


def _host(each: Machine) -> HostRecord:
    protocols: dict[str, dict[str, tuple[str, ...]]] = {}
    for key, values in each.evidence.items():
        protocols.setdefault(key.partition(".")[0], {})[key] = values
    at = datetime.now(UTC) - timedelta(seconds=5)
    seen = [
        Observation(Endpoint(each.address, 1000 + place), probe, at, Outcome.ANSWERED, said, "", 1)
        for place, (probe, said) in enumerate(protocols.items())
    ]
    identity = default_classifier().classify(each.evidence)
    return HostRecord(each.address, f"Ward {each.ward + 1}", tuple(seen), identity)


def busy(url: str, rest: float, over: object) -> None:
    """A reader who asks for figures and pages, and rests, until it is over."""
    asked = 0
    with open_inventory(url) as inventory:
        while not over.is_set():  # type: ignore[attr-defined]  # an event of multiprocessing
            count_rows(inventory, today=TODAY)
            for wanted in (Filters(os="windows nt 3.1"), Filters(status=Status.UNSUPPORTED)):
                list(islice(assets_rows(inventory, wanted, today=TODAY), 50))
            asked += 1
            over.wait(rest)  # type: ignore[attr-defined]  # the same
    say(f"    a reader asked {asked} times")


@contextmanager
def readers(url: str, number: int, rest: float) -> Iterator[None]:
    """So many, busy."""
    context = multiprocessing.get_context("spawn")
    over = context.Event()
    them = [context.Process(target=busy, args=(url, rest, over)) for _ in range(number)]
    for each in them:
        each.start()
    time.sleep(3 if them else 0)
    try:
        yield
    finally:
        over.set()
        for each in them:
            each.join()


def recorded(url: str, found: list[HostRecord], site: SiteFile) -> float:
    """Observations a second."""
    started, cpu = time.perf_counter(), time.process_time()
    with open_inventory(url) as inventory:
        scan = Recorder(
            inventory, site, profile="lab", scope="", versions={"data": "bench"}, started=datetime.now(UTC)
        )
        for each in found:
            scan.record(each)
            scan.visited(number_of(each.address))
        scan.finish()
    taken = time.perf_counter() - started
    say(f"    {taken:.2f} s, {time.process_time() - cpu:.2f} of them this process's work")
    return sum(len(each.observations) for each in found) / taken


def recording(url: str, number: int = MACHINES) -> None:
    """Record alone, then beside readers."""
    with asking(database_of(url)) as connection:
        ((assets,),) = connection.execute("SELECT count(*) FROM assets").fetchall()
    found = hosts(assets, len(READERS) * number)
    observations = sum(len(each.observations) for each in found)
    evidence = sum(len(seen.evidence) for each in found for seen in each.observations)
    say(f"recording {number} of {assets} machines:")
    say(
        f"  {observations / len(found):.1f} observations, {evidence / len(found):.1f} evidence rows a machine"
    )
    with TemporaryDirectory() as folder:
        path = Path(folder, "site.toml")
        path.write_text(site_text(1), encoding="utf-8")
        site = load_site(path)
    bound = BOUNDS[url.partition(":")[0]]
    for place, (others, rest) in enumerate(READERS):
        with readers(url, others, rest):
            figure = recorded(url, found[place * number :][:number], site)
        said = f"observations a second beside {others} readers who rest {rest:g} s"
        ratio(said, figure, bound, at_least=True)


if __name__ == "__main__":
    recording(sys.argv[1], *map(int, sys.argv[2:]))
