"""What befalls a fleet in one night: kills, cuts and halts at moments of chance."""

from __future__ import annotations

import heapq
import signal
import time
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from tests.fleet.scene import ROUGH

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator

    from tests.fleet.kept import Kept
    from tests.fleet.postgres import Postgres
    from tests.fleet.scene import Site

KINDS = ("killed", "halted", "cut", "all_killed", "all_cut")
"""What may befall a site: methods of :class:`Struck`."""
CUT = (3, 40)
"""Seconds for which a link carries nothing, and tells nobody."""
HALT = (22, 28)
"""Seconds for which a worker is stopped: longer than it takes until it counts as dead."""
AWAY = (0.5, 30)
"""Seconds until a killed worker is there again: before and after somebody else has its job."""
DOWN = (0, 8)
"""Seconds until the centre's database, or its loop, is there again."""


@dataclass
class Timetable:
    """What is to happen when."""

    begun: float = field(default_factory=time.monotonic)
    told: list[str] = field(default_factory=list)
    """What happened, for whoever reads why a night went wrong."""
    _due: list[tuple[float, int, str, Callable[[], None]]] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=count)

    def at(self, seconds: float, what: str, act: Callable[[], None]) -> None:
        """Have something happen so many seconds from now."""
        heapq.heappush(self._due, (time.monotonic() + seconds, next(self._numbers), what, act))

    def pass_time(self) -> None:
        """Let happen what is due."""
        while self._due and self._due[0][0] <= time.monotonic():
            _, _, what, act = heapq.heappop(self._due)
            self.told.append(f"{time.monotonic() - self.begun:.1f} s: {what}")
            act()

    @property
    def over(self) -> bool:
        """Whether everything happened."""
        return not self._due


@dataclass(frozen=True)
class Struck:
    """A site, its two workers, and what may befall them."""

    site: Site
    workers: tuple[Kept, Kept]
    draw: random.Random
    times: Timetable

    def killed(self) -> None:
        """Who scans is killed, and comes back at its post sooner or later."""
        self.workers[self._sender()].kill(self.draw.uniform(*AWAY))

    def all_killed(self) -> None:
        """Nobody is left; the first comes back soon."""
        for worker, away in zip(self.workers, (1, self.draw.uniform(*AWAY)), strict=True):
            worker.kill(away)

    def halted(self) -> None:
        """Who scans is stopped, and goes on when somebody else has its job."""
        worker = self.workers[self._sender()]
        worker.send(signal.SIGSTOP)
        wake = lambda: worker.send(signal.SIGCONT)  # noqa: E731 - said in one line
        self.times.at(self.draw.uniform(*HALT), f"{self.site.key}: goes on", wake)

    def cut(self) -> None:
        """The link of who scans carries nothing for a while."""
        self._cut(self._sender())

    def all_cut(self) -> None:
        """No link of the site carries anything for a while."""
        for place in range(len(self.workers)):
            self._cut(place)

    def _cut(self, place: int) -> None:
        post = self.site.posts[place]
        post.link_is(cut=True)
        mend = lambda: post.link_is(cut=False, **ROUGH)  # noqa: E731 - the same
        self.times.at(self.draw.uniform(*CUT), f"{self.site.key}: link {place} is back", mend)

    def _sender(self) -> int:
        """Who scans; where nobody does just now, either."""
        place = self.site.sender()
        return self.draw.randrange(len(self.workers)) if place is None else place


def befall(struck: Struck, kind: str, within: float) -> None:
    """A misfortune befalls a site at a moment of chance."""
    at = struck.draw.uniform(0, within)
    struck.times.at(at, f"{struck.site.key}: {kind}", getattr(struck, kind))


def shake(database: Postgres, loop: Kept, draw: random.Random, times: Timetable, within: float) -> None:
    """The centre's database and its loop are killed, each at a moment of chance."""

    def killed() -> None:
        database.kill()
        times.at(draw.uniform(*DOWN), "centre: the database starts", database.start)

    times.at(draw.uniform(0, within), "centre: the database is killed", killed)
    away = draw.uniform(*DOWN)
    times.at(draw.uniform(0, within), "centre: the loop is killed", lambda: loop.kill(away))
