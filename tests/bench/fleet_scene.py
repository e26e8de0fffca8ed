"""``python -m tests.bench.fleet_scene``: over rough links: jobs a second, deaths, three sites at once.

In one run, in network namespaces of its own; needs root. Machines differ and drift: read the ratios.
"""

from __future__ import annotations

import sys
import time
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from scanner.fleet.centre_store import CentreStore
from scanner.fleet.engine import JobDispatcher
from scanner.scan import Request
from tests.bench.running import ROOT, ratio, say
from tests.fleet.commands import fleet
from tests.fleet.postgres import OWNER
from tests.fleet.scene import ROUGH, fleet_scene
from tests.fleet.witness import pace, said, turns
from tests.integration.scenes import until

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.fleet.commands import Fleet
    from tests.fleet.scene import Scene, Site
    from tests.fleet.witness import Said, Turn

PATIENCE = 600
JOBS = 200
DEATHS = 3
SHORTEST = 256 / 50
"""Seconds that a clinical job takes at least: an attempt at each of its addresses."""
SLOWLY = ("--rate", "3")
"""So that no job ends before its worker does."""
CLINICAL = ("--profile", "clinical")

_TAKE = """
import sys, time
from scanner.fleet.engine import JobTaker
dsn, number = sys.argv[1], int(sys.argv[2])
taker = JobTaker(dsn, "nord")
begun = None
for done, taken in enumerate(taker):
    begun = begun or time.monotonic()
    taker.done(taken)
    if done + 1 == number:
        break
print(number / (time.monotonic() - begun))
taker.close()
"""


def main() -> None:
    """Everything."""
    with TemporaryDirectory() as name, fleet_scene(Path(name) / "scene") as scene, fleet(scene) as made:
        parts = {"sites": one_and_three, "deaths": deaths, "jobs": jobs}
        for part in sys.argv[1:] or parts:
            parts[part](made)


def one_and_three(made: Fleet) -> None:
    """Addresses a second under the clinical limit: a scan without a fleet, one site, three sites."""
    scene, begun = made.scene, time.monotonic()
    site = scene.sites["nord"]
    site.posts[0].product.run("scan", "--site", site.file, *CLINICAL)
    alone = time.monotonic() - begun
    since = time.time()
    with scene.watched("one") as recordings:
        one = made.wait(made.scan("nord", asked=CLINICAL).values(), PATIENCE)
    idle(said(recordings["nord"]), turns(scene.database, "nord", since))
    with scene.watched("three") as recordings:
        three = made.wait(made.scan(*scene.sites, asked=CLINICAL).values(), PATIENCE)
    say(f"  seconds until all is known: {alone:.1f} without a fleet, one site {one:.1f}, three {three:.1f}")
    ratio("addresses a second, three sites over one", 3 * one / three, 2.5, at_least=True)
    ratio("attempts in the busiest second of any site", max(map(pace, map(said, recordings.values()))), 55)


def idle(packets: Sequence[Said], at: Sequence[Turn]) -> None:
    """The part of a job's time before its first packet and after its last: more than its engine costs."""
    taken = [turn.at for turn in at if turn.status == "doing"]
    whole = lost = 0.0
    for begun, ended in pairwise(taken):
        sent = [packet.at for packet in packets if begun <= packet.at < ended]
        whole += ended - begun
        lost += sent[0] - begun + ended - sent[-1]
    number = len(taken) - 1
    say(
        f"  of the {whole / number:.1f} s of a job, nothing is sent before and after in {lost / number:.2f} s"
    )


def scanning(made: Fleet, site: Site) -> int:
    """Whose packets reach a site's hospital, as soon as both of its workers had the time to begin."""
    until_all_run = time.monotonic() + 10
    while time.monotonic() < until_all_run or (place := site.sender()) is None:
        made.tend()
        time.sleep(0.1)
    return place


def deaths(made: Fleet) -> None:
    """What becomes of the jobs of workers that die."""
    run = made.scan("sud", asked=SLOWLY)["sud"]
    figures = [death(made, "sud") for _ in range(DEATHS)]
    made.command("fleet", "cancel", str(run))
    made.wait([run], PATIENCE)
    taken, sent = ([f"{each:.1f}" for each in column] for column in zip(*figures, strict=True))
    say(f"  a dead worker's job is taken after {', '.join(taken)} s, sent after {', '.join(sent)} s")
    ratio("seconds until a dead worker's job is taken up again", max(first for first, _ in figures), 60)


def death(made: Fleet, key: str) -> tuple[float, float]:
    """Seconds from a worker's death until somebody else has its job, and until that one sends."""
    site, workers = made.scene.sites[key], made.workers[key]
    place = scanning(made, site)
    other, before = 1 - place, site.sent()
    died = time.time()
    workers[place].kill(PATIENCE)
    until(lambda: site.sent()[other] > before[other])
    sent = time.time() - died
    taken = next(turn.at for turn in turns(made.scene.database, key, died) if turn.status == "doing")
    workers[place].due = 0
    return taken - died, sent


def jobs(made: Fleet) -> None:
    """Jobs a second that one worker takes and acknowledges, over a rough link and over a good one."""
    made.end()
    site = made.scene.sites["nord"]
    per_second = {}
    for name, link in (("rough", ROUGH), ("good", {"delay": 0, "loss": 0})):
        site.posts[0].link_is(**link)
        queue(made.scene)
        words = (sys.executable, "-c", _TAKE, site.environment["VETUSTE_CENTRE"], str(JOBS))
        done = site.posts[0].machine.run(*words, PYTHONPATH=str(ROOT))
        per_second[name] = float(done.stdout)
        part = 100 / per_second[name] / SHORTEST
        say(f"  over a {name} link: {per_second[name]:.1f} jobs a second, {part:.2f} % of a job's time")
    ratio("overhead of a job over a good link, percent", 100 / per_second["good"] / SHORTEST, 2)


def queue(scene: Scene) -> None:
    """Jobs that nobody need scan anything for."""
    dsn = scene.database.url_of(OWNER)
    with closing(CentreStore(dsn)) as store, closing(JobDispatcher(dsn)) as dispatcher:
        digest = store.sites.one("nord").digest
        run = store.runs.add("nord", Request().options(), digest, [[(0, 0)]] * JOBS)
        begun = time.monotonic()
        dispatcher.enqueue("nord", store.deliveries.chunks(run.id))
        say(f"  {JOBS / (time.monotonic() - begun):.0f} jobs a second are queued")


if __name__ == "__main__":
    main()
