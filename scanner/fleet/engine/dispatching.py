"""The centre's side of the engine; each call has a connection of its own, so that none is ever stale."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import psycopg

from scanner.fleet.engine.jobs import (
    GIVE_UP,
    RETRY,
    SEARCH_PATH,
    TASK,
    acknowledge,
    new_app,
    opened,
    taken_of,
    translated,
)
from scanner.fleet.port import MOST_ATTEMPTS, STALE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scanner.fleet.model import Chunk
    from scanner.fleet.port import Taken

_KEPT_HOURS: Final = 30 * 24
_QUEUED: Final = """
SELECT (args->>'run')::bigint, (args->>'number')::int FROM procrastinate_jobs
 WHERE queue_name = %s AND (args->>'run')::bigint = ANY(%s)
"""
_WAITING: Final = """
SELECT id FROM procrastinate_jobs WHERE (args->>'run')::bigint = %s AND status = 'todo'
"""
_BUSY: Final = """
SELECT DISTINCT (args->>'run')::bigint FROM procrastinate_jobs WHERE status IN ('todo', 'doing')
"""


class JobDispatcher:
    """Gives jobs to sites; every method raises FleetError, LinkError where the centre cannot be reached."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn

    def enqueue(self, site: str, chunks: Iterable[Chunk]) -> None:
        """Queue a run's chunks, all or none, one after the other; one that has a job gets no second one."""
        wanted = tuple(chunks)
        with translated(), _connected(self._dsn) as connection:
            runs = sorted({chunk.run for chunk in wanted})
            queued = set(connection.execute(_QUEUED, (site, runs)).fetchall())
            new: list[dict[str, Any]] = [
                {"run": chunk.run, "number": chunk.number}
                for chunk in wanted
                if (chunk.run, chunk.number) not in queued
            ]
            task = new_app().configure_task(TASK, queue=site, lock=f"site:{site}", connection=connection)
            if new:
                task.batch_defer(*new)

    def requeue_stalled(self) -> tuple[Taken, ...]:
        """Give jobs of dead workers to others; gives those that were tried too often and are given up."""
        with translated():
            return asyncio.run(_requeue_stalled(self._dsn))

    def cancel(self, run: int) -> None:
        """Take back the jobs of a run that nobody has begun."""
        with translated(), _connected(self._dsn) as connection:
            jobs = new_app().job_manager
            for (job,) in connection.execute(_WAITING, (run,)).fetchall():
                jobs.cancel_job_by_id(job, connection=connection)

    def busy(self) -> frozenset[int]:
        """The runs of which jobs wait or are under way."""
        with translated(), _connected(self._dsn) as connection:
            return frozenset(run for (run,) in connection.execute(_BUSY))

    def forget_old(self) -> None:
        """Let jobs go that ended a month ago."""
        with translated():
            asyncio.run(_forget_old(self._dsn))

    def close(self) -> None:
        """Nothing is held between two calls."""


def _connected(dsn: str) -> psycopg.Connection[tuple[int, ...]]:
    return psycopg.connect(dsn, options=SEARCH_PATH)


async def _requeue_stalled(dsn: str) -> tuple[Taken, ...]:
    app, given_up = new_app(), []
    async with opened(app, dsn):
        for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALE):
            taken = taken_of(job)
            if job.attempts + 1 < MOST_ATTEMPTS:
                await acknowledge(app, taken.hold, RETRY)
            elif await acknowledge(app, taken.hold, GIVE_UP):
                given_up.append(taken)
    return tuple(given_up)


async def _forget_old(dsn: str) -> None:
    app = new_app()
    async with opened(app, dsn):
        await app.job_manager.delete_old_jobs(
            _KEPT_HOURS, include_failed=True, include_cancelled=True, include_aborted=True
        )
