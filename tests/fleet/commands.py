"""The product at the centre and the sites of a scene, by its commands; and what the centre's database has."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.fleet.kept import Kept
from tests.fleet.postgres import OWNER
from tests.fleet.witness import swear_in
from tests.integration.killing import lasting

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from tests.fleet.scene import Scene, Site

ENDED = {"done", "failed", "cancelled"}


@dataclass
class Fleet:
    """The centre's loop, and two workers a site."""

    scene: Scene
    loop: Kept
    workers: dict[str, tuple[Kept, Kept]]

    def processes(self) -> Iterator[Kept]:
        """The loop, then every worker."""
        yield self.loop
        for pair in self.workers.values():
            yield from pair

    def tend(self) -> None:
        """Start again whatever ended."""
        for process in self.processes():
            process.tend()

    def end(self) -> None:
        """End everything in order."""
        for process in self.processes():
            process.end()

    def command(self, *words: str) -> str:
        """What a command at the centre prints."""
        return self.scene.product.run(*words, VETUSTE_DB=self.scene.database.url_of(OWNER)).stdout

    def scan(self, *sites: str, asked: Sequence[str]) -> dict[str, int]:
        """Ask for a scan of sites at the same time: the number of each one's run."""
        told = {"VETUSTE_DB": self.scene.database.url_of(OWNER)}
        commands = {site: self.scene.product.start("fleet", "scan", site, *asked, **told) for site in sites}
        printed = {site: process.communicate(timeout=120) for site, process in commands.items()}
        return {site: int(re.findall(r"\d+", out)[0]) for site, (out, _) in printed.items()}

    def states(self, runs: Collection[int]) -> dict[int, str]:
        """How runs stand: the state of each, and as long as its scan is not closed, of that."""
        asked = (
            "SELECT runs.id, CASE WHEN scans.state = 'running' THEN 'recording' ELSE runs.state END"
            " FROM fleet.runs LEFT JOIN scans ON scans.id = runs.scan WHERE runs.id = ANY(%s)"
        )
        return dict(self.scene.database.ask(asked, list(runs)))  # type: ignore[arg-type] # pairs

    def over(self, runs: Collection[int]) -> bool:
        """Whether all of them have ended."""
        return set(self.states(runs).values()) <= ENDED

    def wait(self, runs: Collection[int], patience: float) -> float:
        """Tend the fleet until runs have ended; the seconds that took."""
        begun = time.monotonic()
        while not self.over(runs):
            self.tend()
            assert time.monotonic() < begun + patience, self.states(runs)
            time.sleep(0.1)
        return time.monotonic() - begun

    def known(self, site: Site) -> dict[str, dict[str, Any]]:
        """What the centre knows of a site's machines, but for when they were seen."""
        rows = map(json.loads, self.command("export", "jsonl", "--out", "-", "--lang", "en").splitlines())
        return lasting({row["ip"]: row for row in rows if row["site"] == site.name})

    def heard(self, run: int) -> Counter[tuple[object, ...]]:
        """How often what was observed in a run; in an undisturbed one, once each."""
        asked = (
            "SELECT address, port, probe, outcome FROM observations WHERE scan_id ="
            " (SELECT scan FROM fleet.runs WHERE id = %s)"
        )
        return Counter(self.scene.database.ask(asked, run))

    def left(self, run: int) -> list[tuple[object, ...]]:
        """Chunks that were not delivered and recorded, and jobs of theirs that are not done."""
        undelivered = (
            "SELECT number FROM fleet.chunks LEFT JOIN fleet.deliveries USING (run, number)"
            " WHERE run = %s AND taken IS NULL"
        )
        undone = "SELECT id, status FROM jobs.procrastinate_jobs WHERE (args->>'run')::bigint = %s"
        jobs = [row for row in self.scene.database.ask(undone, run) if row[1] != "succeeded"]
        return [*self.scene.database.ask(undelivered, run), *jobs]


@contextmanager
def fleet(scene: Scene) -> Iterator[Fleet]:
    """The centre made, the sites entered, and everything started; it is ended in order."""
    told = {"VETUSTE_DB": scene.database.url_of(OWNER)}
    loop = Kept(scene.product, ("fleet", "run"), scene.folder / "loop.log", told)
    made = Fleet(scene, loop, {key: _workers(scene, site) for key, site in scene.sites.items()})
    made.command("fleet", "init")
    scene.database.ask(made.command("fleet", "init", "--print-sql"))
    for key, site in scene.sites.items():
        made.command("fleet", "site", "add", str(site.file), "--key", key)
    swear_in(scene.database)
    made.tend()
    try:
        yield made
    finally:
        made.end()


def _workers(scene: Scene, site: Site) -> tuple[Kept, Kept]:
    first, second = (
        Kept(
            post.product,
            ("worker", "--site", site.key, "--state", str(post.product.folder)),
            scene.folder / f"{site.key}{place}.log",
            site.environment,
        )
        for place, post in enumerate(site.posts, 1)
    )
    return first, second
