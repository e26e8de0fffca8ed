"""Procrastinate's jobs as we use them: made by us, held by attempts, acknowledged by the fence alone."""

from __future__ import annotations

import logging
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

import procrastinate
import psycopg
from procrastinate import exceptions
from procrastinate.manager import JobManager
from psycopg_pool import AsyncConnectionPool, PoolClosed, PoolTimeout

from scanner.fleet.errors import FleetError, LinkError
from scanner.fleet.model import Hold
from scanner.fleet.port import HEARTBEAT, Taken

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from procrastinate.jobs import Job

TASK: Final = "scan"
SEARCH_PATH: Final = "-c search_path=jobs,pg_catalog -c lock_timeout=10s"
"""What connections of the engine begin with."""
UNREACHABLE: Final = (
    *(exceptions.AppNotOpen, exceptions.ConnectorException),
    *(psycopg.OperationalError, PoolClosed, PoolTimeout),
)

_HELD: Final = """
WITH held AS MATERIALIZED (
    SELECT id FROM procrastinate_jobs
     WHERE id = %(job)s AND status = 'doing' AND attempts = %(attempt)s FOR UPDATE SKIP LOCKED
)"""
"""Whoever holds its job's row while it delivers neither has it taken away nor makes others wait."""
FINISH: Final = f"{_HELD} SELECT procrastinate_finish_job_v1(id, 'succeeded', false) FROM held"  # noqa: S608 - of constants
GIVE_UP: Final = f"{_HELD} SELECT procrastinate_finish_job_v1(id, 'failed', false) FROM held"  # noqa: S608 - of constants
RETRY: Final = f"{_HELD} SELECT procrastinate_retry_job_v2(id, NULL, NULL, NULL, NULL) FROM held"  # noqa: S608 - of constants
"""At once: a job that waits for its time would keep its site from every other."""

for _name in ("procrastinate", "psycopg"):  # what is wrong is told once, in words of ours
    logging.getLogger(_name).addHandler(logging.NullHandler())
    logging.getLogger(_name).propagate = False


class _Manager(JobManager):
    """Procrastinate's own way to its tables, but for what the fence and a bad line ask of it."""

    async def finish_job(self, *_: Any, **__: Any) -> None:  # noqa: ANN401 - as Procrastinate has it
        """Nothing: it was acknowledged before, where it was still held."""

    async def update_heartbeat(self, worker_id: int) -> None:
        """Give a sign of life; one that does not get through is missed, and the lease knows it."""
        with suppress(*UNREACHABLE):
            await super().update_heartbeat(worker_id)


def new_app() -> procrastinate.App:
    """Procrastinate, with nothing behind it yet."""
    app = procrastinate.App(connector=procrastinate.PsycopgConnector())
    app.job_manager = _Manager(app.connector)
    return app


@asynccontextmanager
async def opened(app: procrastinate.App, dsn: str) -> AsyncIterator[None]:
    """Have the centre's database behind it.

    Raises:
        PoolTimeout: it cannot be reached.
    """
    pool = AsyncConnectionPool(
        dsn,
        kwargs={"options": SEARCH_PATH},
        min_size=1,
        max_size=2,
        open=False,
        timeout=HEARTBEAT,
        reconnect_timeout=float("inf"),
        check=AsyncConnectionPool.check_connection,
    )
    await pool.open(wait=True, timeout=HEARTBEAT)
    async with pool:
        await app.open_async(pool)
        yield


def taken_of(job: Job) -> Taken:
    """What a job asks for."""
    asked: dict[str, Any] = job.task_kwargs
    return Taken(Hold(job.id or 0, job.attempts), int(asked["run"]), int(asked["number"]))


async def acknowledge(app: procrastinate.App, hold: Hold, statement: str) -> bool:
    """Finish a job or give it back where it is still held; whether it was."""
    return bool(await app.connector.execute_query_all_async(statement, job=hold.job, attempt=hold.attempt))


@contextmanager
def translated() -> Iterator[None]:
    """Turn what the engine raises into our errors."""
    try:
        yield
    except (exceptions.AppNotOpen, exceptions.ConnectorException, psycopg.Error) as error:
        cause = error if isinstance(error, psycopg.Error) else error.__cause__
        if cause is None or isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError):
            raise LinkError from error
        raise FleetError("the centre's database refuses: {why}", why=str(cause).partition("\n")[0]) from error
