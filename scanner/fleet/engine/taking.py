"""A worker's side of the engine: Procrastinate's worker in a thread, whose jobs are carried out elsewhere."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Final

from scanner.fleet.engine.jobs import (
    FINISH,
    GIVE_UP,
    RETRY,
    TASK,
    UNREACHABLE,
    acknowledge,
    new_app,
    opened,
    taken_of,
    translated,
)
from scanner.fleet.errors import FleetError
from scanner.fleet.lease import HoldLostError
from scanner.fleet.port import HEARTBEAT, MOST_ATTEMPTS, STALE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from procrastinate.job_context import JobContext

    from scanner.fleet.port import Taken

_POLL: Final = 2.0
"""Seconds between two looks whether there is a job, and between two tries to connect."""


class JobTaker:
    """Takes the jobs of one site, one after the other, and gives signs of life for as long as it is open."""

    def __init__(self, dsn: str, site: str) -> None:
        self._engine = _Engine(dsn, site)

    def __iter__(self) -> Iterator[Taken]:
        while not self._engine.stopped and (taken := self._engine.taken.get()) is not None:
            yield taken

    def done(self, taken: Taken) -> None:
        """Say that a job is done, whatever came of it.

        Raises:
            HoldLostError: it is somebody else's by now; nothing was said.
            LinkError: it cannot be said now.
        """
        self._engine.acknowledge(taken, FINISH)

    def again(self, taken: Taken) -> None:
        """Give a job back; one that was tried too often is given up. It raises what :meth:`done` raises."""
        self._engine.acknowledge(taken, _back(taken))

    def stop(self) -> None:
        """Take no further job; from a signal handler or another thread."""
        self._engine.stop()

    def close(self) -> None:
        """Let the engine go; a job that was not acknowledged is somebody else's when its time has come."""
        self.stop()
        while not self._engine.taken.empty():
            if (left := self._engine.taken.get()) is not None:
                with suppress(FleetError):  # taken while this was told to stop
                    self.again(left)
        self._engine.end()


class _Engine:
    """Procrastinate's worker, in its thread; a job of its lasts until it is acknowledged."""

    def __init__(self, dsn: str, site: str) -> None:
        self._dsn, self._site = dsn, site
        self.taken: SimpleQueue[Taken | None] = SimpleQueue()  # signal handlers may put to it
        self.stopped = False
        self._app = new_app()
        self._over: dict[int, asyncio.Event] = {}
        self._loop = asyncio.new_event_loop()
        self._working: asyncio.Task[None] | None = None
        self._thread = Thread(target=self._serve, name="engine", daemon=True)
        self._thread.start()

    def acknowledge(self, taken: Taken, statement: str) -> None:
        """Say what became of a job, where it is still held."""
        asked = acknowledge(self._app, taken.hold, statement)
        with translated():
            if not asyncio.run_coroutine_threadsafe(asked, self._loop).result():
                raise HoldLostError
        self._loop.call_soon_threadsafe(self._over[taken.hold.job].set)

    def stop(self) -> None:
        """Take nothing more."""
        self.stopped = True
        self.taken.put(None)
        with suppress(RuntimeError):  # it has ended
            self._loop.call_soon_threadsafe(lambda: self._working and self._working.cancel())

    def end(self) -> None:
        """Wait for the thread's end, whatever was not acknowledged."""
        with suppress(RuntimeError):
            for over in tuple(self._over.values()):
                self._loop.call_soon_threadsafe(over.set)
        self._thread.join(HEARTBEAT)

    def _serve(self) -> None:
        with suppress(asyncio.CancelledError), asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._work())

    async def _work(self) -> None:
        while not self.stopped:
            self._app = new_app()
            self._app.task(name=TASK, pass_context=True)(self._hand_over)
            self._working = asyncio.create_task(self._take())
            with suppress(*UNREACHABLE):
                await self._working
            if not self.stopped:
                await asyncio.sleep(_POLL)

    async def _take(self) -> None:
        async with opened(self._app, self._dsn):
            await self._app.run_worker_async(
                queues=[self._site],
                fetch_job_polling_interval=_POLL,
                update_heartbeat_interval=HEARTBEAT,
                stalled_worker_timeout=STALE,
                listen_notify=False,
                install_signal_handlers=False,
            )

    async def _hand_over(self, context: JobContext, run: int, number: int) -> None:  # noqa: ARG002 - the job has them
        taken = taken_of(context.job)
        if self.stopped:
            await acknowledge(self._app, taken.hold, _back(taken))
            return
        over = self._over[taken.hold.job] = asyncio.Event()
        self.taken.put(taken)
        await over.wait()
        self._over.pop(taken.hold.job, None)


def _back(taken: Taken) -> str:
    return RETRY if taken.hold.attempt + 1 < MOST_ATTEMPTS else GIVE_UP
