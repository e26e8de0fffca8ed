"""What the fleet needs of a job engine: with another one behind it, nothing else changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from scanner.fleet.model import Chunk, Hold

HEARTBEAT = 5.0
"""Seconds between two signs of life of a worker."""
STALE = 20.0
"""Seconds without one after which its job is taken up again."""
LOOK = 10.0
"""Seconds between two looks for such jobs, at the centre."""
LEASE = 14.0
"""Seconds since the last sign of life that the centre had, after which a worker sends nothing more.

Less than :data:`STALE` by more than a round of the watch and a packet last: no site is scanned twice at once.
"""
MOST_ATTEMPTS = 5
"""Attempts at one chunk, after which it is given up."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A job that a worker took."""

    hold: Hold
    run: int
    number: int


class Dispatcher(Protocol):
    """The centre's side."""

    def enqueue(self, site: str, chunks: Iterable[Chunk]) -> None:
        """Queue a run's chunks: one after the other at a site, whoever takes them."""

    def requeue_stalled(self) -> Iterable[Taken]:
        """Give jobs of dead workers to others; gives those that were tried too often and are given up."""

    def cancel(self, run: int) -> None:
        """Take back the jobs of a run that nobody has begun."""

    def busy(self) -> frozenset[int]:
        """The runs of which jobs wait or are under way: of any other, everything is done or given up."""

    def forget_old(self) -> None:
        """Let jobs go that ended long ago."""

    def close(self) -> None:
        """Let the engine go."""


class Taker(Protocol):
    """A worker's side. Iterating waits for the next job; after :meth:`stop` it ends."""

    def __iter__(self) -> Iterator[Taken]: ...

    def done(self, taken: Taken) -> None:
        """Say that a job is done, whatever came of it: the engine forgets it."""

    def again(self, taken: Taken) -> None:
        """Give a job back: it failed for now, or this worker ends in order; somebody takes it later."""

    def stop(self) -> None:
        """Take no further job; from a signal handler or another thread."""

    def close(self) -> None:
        """Let the engine go."""
