"""One night of a fleet: every site is scanned, whatever befalls it; and what must be true in the morning."""

from __future__ import annotations

import random
import time
from collections import Counter
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.fleet.commands import fleet
from tests.fleet.faults import KINDS, Struck, Timetable, befall, shake
from tests.fleet.scene import fleet_scene
from tests.fleet.witness import out_of_turn, pace, said, trespasses, turns
from tests.integration.killing import lasting

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.fleet.commands import Fleet
    from tests.fleet.scene import Scene

PATIENCE = 240
"""Seconds after which a run that has not ended never will."""
OFFICE = 550
"""Attempts of any second that the profile allows a site, whoever scans it."""
WITHIN = 10
"""Seconds that an undisturbed run takes: misfortunes fall into them."""


@dataclass(frozen=True)
class Truth:
    """What an undisturbed scan of a site knows, and what it heard."""

    known: dict[str, dict[str, Any]]
    heard: Counter[tuple[object, ...]]


def truth_of(scene: Scene) -> dict[str, Truth]:
    """Scan every site from its second post, without any fleet."""
    with ExitStack() as running:
        for site in scene.sites.values():
            running.enter_context(site.posts[1].product.start("scan", "--site", site.file))
    found = {}
    for key, site in scene.sites.items():
        product = site.posts[1].product
        known = lasting(product.exported("--lang", "en"))
        heard = product.ask("SELECT address, port, probe, outcome FROM observations")
        found[key] = Truth(known, Counter(heard))
    return found


@dataclass
class Nights:
    """A fleet, and what is true of its sites."""

    scene: Scene
    fleet: Fleet
    truth: Mapping[str, Truth]
    befallen: set[str] = field(default_factory=set)

    def pass_one(self, seed: str) -> None:
        """A night with a misfortune for every site, and two for the centre."""
        draw, times = random.Random(seed), Timetable()
        begun, sites = time.time(), self.scene.sites
        with self.scene.watched(f"night {seed}") as recordings:
            runs = self.fleet.scan(*sites, asked=("--profile", "office"))
            for (key, site), kind in zip(sites.items(), draw.sample(KINDS, len(sites)), strict=True):
                befall(Struck(site, self.fleet.workers[key], draw, times), kind, WITHIN)
                self.befallen.add(kind)
            shake(self.scene.database, self.fleet.loop, draw, times, WITHIN)
            while not times.over:
                self.fleet.tend()
                times.pass_time()
                time.sleep(0.05)
            self.fleet.wait(runs.values(), PATIENCE)
        for key in sites:
            self._demand_the_truth(key, runs[key], times.told)
            packets = said(recordings[key])
            assert trespasses(packets) == [], times.told
            assert pace(packets) <= OFFICE, times.told
            wrong = out_of_turn(packets, turns(self.scene.database, key, begun))
            assert wrong == [], (len(wrong), wrong[:5], times.told)
            recordings[key].unlink()

    def _demand_the_truth(self, key: str, run: int, told: list[str]) -> None:
        """The inventory of an undisturbed scan: no job was lost, and no observation came twice."""
        assert self.fleet.states([run]) == {run: "done"}, told
        assert self.fleet.left(run) == [], told
        assert self.fleet.heard(run) == self.truth[key].heard, told
        assert self.fleet.known(self.scene.sites[key]) == self.truth[key].known, told


@contextmanager
def nights(folder: Path) -> Iterator[Nights]:
    """A fleet at work, of which an undisturbed scan has told the truth."""
    with fleet_scene(folder) as scene:
        truth = truth_of(scene)
        with fleet(scene) as made:
            yield Nights(scene, made, truth)
