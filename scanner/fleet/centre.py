"""The centre: one process that plans, gives out jobs, takes up those of the dead, and records what comes.

It may be killed anywhere: what it does is found in the databases, and done once.
"""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from scanner.errors import ConfigError, InventoryError
from scanner.fleet.errors import FleetError, LinkError
from scanner.fleet.model import RunState
from scanner.fleet.planning import start_due
from scanner.fleet.port import LOOK, STALE
from scanner.fleet.recording import Recording
from scanner.fleet.runs import OPEN
from scanner.fleet.schema import program_version

if TYPE_CHECKING:
    from collections.abc import Callable

    from scanner.fleet.centre_store import CentreStore
    from scanner.fleet.port import Dispatcher
    from scanner.inventory import Inventory

_LOGGER: Final = logging.getLogger("vetuste")
_ROUND: Final = 1.0
"""Seconds between two rounds."""
_PATIENCE: Final = 5.0
"""The same, where a database cannot be used."""
_SLICE: Final = 0.2
_ALONE: Final = "SELECT pg_try_advisory_lock(hashtext('vetuste fleet run'))"
_BEGUN: Final = "SELECT 1 FROM fleet.progress WHERE run = %s LIMIT 1"
_DAY: Final = 86_400.0


class Centre:
    """The centre's work."""

    def __init__(self, store: CentreStore, inventory: Inventory, dispatcher: Dispatcher) -> None:
        self._store, self._inventory, self._dispatcher = store, inventory, dispatcher
        self._recording = Recording(store, inventory)
        self._queued: set[int] = set()
        self._look = self._forget = 0.0

    def demand_alone(self) -> None:
        """Check that nobody else is the centre; from then on nobody can be, as long as the connection lasts.

        Raises:
            ConfigError: the database is of another version of this program.
            FleetError: somebody else is.
        """
        theirs = self._store.link.rows("SELECT version FROM fleet.centre")[0][0]
        if theirs != program_version():
            raise ConfigError(
                "the tables are of vetuste {theirs}, this is {ours}: vetuste fleet init upgrades them",
                theirs=theirs,
                ours=program_version(),
            )
        if not self._store.link.rows(_ALONE)[0][0]:
            raise FleetError("another vetuste fleet run is at work on this database")

    def work(self, is_stopping: Callable[[], bool]) -> None:
        """Go on until somebody says stop; a database that is away is waited for.

        Raises:
            ConfigError, FleetError: somebody else is the centre, or the database refuses.
        """
        told = ""
        while not is_stopping():
            pause = _ROUND
            try:
                self.demand_alone()
                self.round()
                told = ""
            except (LinkError, InventoryError) as error:
                if str(error) != told:  # once, however long it is away
                    _LOGGER.warning("%s", error)
                told = str(error)
                self._look = time.monotonic() + STALE  # signs of life were missed here, and not by workers
                pause = _PATIENCE
            until = time.monotonic() + pause
            while not is_stopping() and time.monotonic() < until:
                time.sleep(_SLICE)

    def round(self) -> None:
        """One round: what is due is begun, what was delivered is recorded, what is over is closed.

        Raises:
            FleetError, InventoryError: a database cannot be used; the next round does the rest.
        """
        start_due(self._store, self._inventory, datetime.now(UTC))
        self._give_out()
        if time.monotonic() >= self._look:
            for taken in self._dispatcher.requeue_stalled():
                _LOGGER.warning("run %d chunk %d: tried too often, given up", taken.run, taken.number)
            self._look = time.monotonic() + LOOK
        busy = self._dispatcher.busy()  # before deliveries are looked for: of the others, all are there
        self._recording.record()
        self._end(busy)
        if time.monotonic() >= self._forget:
            self._dispatcher.forget_old()
            self._forget = time.monotonic() + _DAY

    def _give_out(self) -> None:
        """Queue the chunks of new runs; a site file that was replaced ends the runs that were cut by it."""
        digests = {site.key: site.digest for site in self._store.sites.all()}
        for run in self._store.runs.all(states=OPEN):
            if digests.get(run.site) != run.digest:
                self._store.runs.set_state(run.id, RunState.FAILED, "the site file was replaced")
            elif run.id not in self._queued:
                self._dispatcher.enqueue(run.site, self._store.deliveries.missing(run.id))
                self._queued.add(run.id)
            elif run.state is RunState.QUEUED and self._store.link.rows(_BEGUN, (run.id,)):
                self._store.runs.set_state(run.id, RunState.RUNNING, of=(RunState.QUEUED,))

    def _end(self, busy: frozenset[int]) -> None:
        """Judge runs of which no job is left, take back the jobs of those that were cancelled."""
        for run in self._store.runs.all(states=OPEN):
            if run.id in self._queued and run.id not in busy:
                self._recording.judge(run)
        for run in self._store.runs.all(states=(RunState.CANCELLED, RunState.FAILED)):
            if run.id in busy:
                self._dispatcher.cancel(run.id)
        self._recording.close(lambda run: run.id not in busy)
