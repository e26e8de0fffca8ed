"""What a worker asks of the centre and tells it, as the role of its site, which may do nothing else."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any, Final, TypeVar

from scanner.fleet.errors import FleetError
from scanner.fleet.link import Link
from scanner.fleet.model import RunState, Standing
from scanner.fleet.rows import CHUNKS, RUNS, SITES, chunk_of, run_of, site_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scanner.fleet.model import Chunk, FleetSite, Hold, Progress, Run

LARGEST: Final = 1 << 24
"""Bytes of a delivery; the centre's table takes no more."""

_FENCE: Final = """
SELECT 1 FROM jobs.procrastinate_jobs WHERE id = %s AND status = 'doing' AND attempts = %s FOR SHARE
"""
_STANDING: Final = """
SELECT jobs.id IS NOT NULL, extract(epoch FROM clock_timestamp() - workers.last_heartbeat)::float,
  runs.state, sites.paused
FROM fleet.runs JOIN fleet.sites ON sites.key = runs.site
LEFT JOIN jobs.procrastinate_jobs AS jobs ON jobs.id = %s AND jobs.status = 'doing' AND jobs.attempts = %s
LEFT JOIN jobs.procrastinate_workers AS workers ON workers.id = jobs.worker_id
WHERE runs.id = %s
"""
_TELL: Final = """
INSERT INTO fleet.progress (run, number, site, visited, total, seen, attempts)
VALUES (%s, %s, current_user, %s, %s, %s, %s)
ON CONFLICT (run, number) DO UPDATE SET visited = excluded.visited, total = excluded.total,
  seen = excluded.seen, attempts = excluded.attempts
"""
_DELIVER: Final = """
INSERT INTO fleet.deliveries (run, number, site, job, attempt, body)
VALUES (%s, %s, current_user, %s, %s, %s) ON CONFLICT (run, number) DO NOTHING
"""

Row = TypeVar("Row")


class Shown:
    """What the centre shows a worker. Its methods raise as those of :class:`WorkerStore`."""

    def __init__(self, dsn: str) -> None:
        """Know where the centre is.

        Args:
            dsn: what :func:`scanner.fleet.dsn.checked` gave.
        """
        self.link = Link(dsn)

    def version(self) -> str:
        """The version of the program at the centre (:func:`scanner.fleet.schema.program_version` is ours)."""
        return self._one("SELECT version FROM fleet.centre", (), lambda row: str(row[0]))

    def site(self) -> FleetSite:
        """The site whose role this is."""
        return self._one(SITES + " WHERE key = current_user", (), site_of)

    def run(self, number: int) -> Run:
        """A run of the site's."""
        return self._one(RUNS + " WHERE id = %s", (number,), run_of)

    def chunk(self, run: int, number: int) -> Chunk:
        """A chunk of it."""
        sql = CHUNKS + " WHERE run = %s AND number = %s"
        return self._one(sql, (run, number), chunk_of)

    def delivered(self, run: int, number: int) -> bool:
        """Whether a chunk was delivered, by whomever."""
        sql = "SELECT 1 FROM fleet.deliveries WHERE run = %s AND number = %s"
        return bool(self.link.rows(sql, (run, number)))

    def _one(self, sql: str, values: Sequence[object], made: Callable[[Sequence[Any]], Row]) -> Row:
        for row in self.link.rows(sql, values):
            return made(row)
        raise FleetError(
            "the centre does not have it for this role: is it the role of a site (vetuste fleet site list)?"
        )


class WorkerStore(Shown):
    """The centre, as one worker sees it; for one thread: whoever watches has one of its own.

    Nothing is connected before the first call. After a LinkError the next call connects again. Every method
    raises FleetError, LinkError where the centre cannot be reached.
    """

    def standing(self, hold: Hold, run: int) -> Standing:
        """How a hold stands, by the centre's clock; of a run that is gone, as cancelled and not held."""
        for held, silent, state, paused in self.link.rows(_STANDING, (hold.job, hold.attempt, run)):
            return Standing(held, inf if silent is None else silent, RunState(state), paused)
        return Standing(held=False, silent=inf, run=RunState.CANCELLED, site_paused=False)

    def tell(self, progress: Progress) -> None:
        """Tell how far a chunk is."""
        chunk = (progress.run, progress.number)
        self.link.rows(_TELL, (*chunk, progress.visited, progress.total, progress.seen, progress.attempts))

    def deliver(self, hold: Hold, run: int, number: int, body: bytes) -> bool:
        """Deliver a chunk, once: in one transaction that holds the fence; twice changes nothing.

        Gives False where the hold is lost: nothing was written.
        """
        if len(body) > LARGEST:
            raise FleetError(
                "what chunk {number} of run {run} learnt is too large to deliver", number=number, run=run
            )
        with self.link.transaction():
            if not self.link.rows(_FENCE, (hold.job, hold.attempt)):
                return False
            self.link.rows(_DELIVER, (run, number, hold.job, hold.attempt, body))
        return True
