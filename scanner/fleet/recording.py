"""What workers delivered, recorded in the centre's inventory: each run as one scan, each chunk once."""

from __future__ import annotations

import io
import logging
from datetime import UTC, datetime
from threading import Thread
from typing import TYPE_CHECKING, Final

from scanner import alerts
from scanner.addresses import AddressSet
from scanner.bundles import end, read_bundle, take
from scanner.classify import default_classifier
from scanner.errors import ConfigError, DataError, VetusteError
from scanner.fleet.chunk_scan import key_of
from scanner.fleet.model import RunState
from scanner.fleet.planning import source_of
from scanner.inventory import breakers_rows, fragile_rows, progress_in, scans_rows, visited_in
from scanner.targets import span_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from scanner.config import SiteSource
    from scanner.fleet.centre_store import CentreStore
    from scanner.fleet.model import Run
    from scanner.fleet.rows import Delivery
    from scanner.inventory import Inventory

_LOGGER: Final = logging.getLogger("vetuste")
_GOING: Final = frozenset({"running", "killed"})
"""States of scans that nobody closed: whoever scans here takes them for those of a process that died."""
_PATIENCE: Final = 5.0
"""Seconds that the centre waits for those who are told."""
_ENDED: Final = {
    RunState.DONE: "done",
    RunState.CANCELLED: "interrupted",
    RunState.FAILED: "failed",
}
"""States of runs, as scans have them."""


class Recording:
    """Records deliveries, and closes the scans of runs that are over. Every step may be done again.

    Its methods raise FleetError or InventoryError where a database cannot be used.
    """

    def __init__(self, store: CentreStore, inventory: Inventory) -> None:
        self._store, self._inventory = store, inventory
        self._closed: set[int] = set()

    def record(self) -> None:
        """Record everything that was delivered and is not recorded yet."""
        for delivery in self._store.deliveries.untaken():
            run = self._store.runs.one(delivery.run)
            try:
                self._take(run, delivery)
            except (ConfigError, DataError) as error:
                says = f"chunk {delivery.number}: {error}"
                _LOGGER.warning("run %d: what was delivered is refused: %s", run.id, says)
                self._store.runs.set_state(run.id, RunState.FAILED, says)
            self._store.deliveries.mark_taken(delivery)

    def _take(self, run: Run, delivery: Delivery) -> None:
        source = source_of(self._store.sites.one(run.site))
        bundle = read_bundle(io.BytesIO(self._store.deliveries.body(delivery)))
        key = key_of(run.id, delivery.number)
        taken = take(
            self._inventory, bundle, source.file, default_classifier(), key=key, scan=run.scan, part=True
        )
        if run.scan is None:
            self._store.runs.set_scan(run.id, taken.scan)
        self._keep_out(run, source)
        _LOGGER.info("%s: recorded, %d machines", key, taken.hosts)

    def _keep_out(self, run: Run, source: SiteSource) -> None:
        """Let what tripped a breaker, and what fell then, be left alone by the chunks to come, at once."""
        name, known = source.file.site.name, AddressSet(run.untouchable)
        stopped = [span_of(row.subnet) for row in breakers_rows(self._inventory, name)]
        if AddressSet(stopped).without(known):
            fragile = [span_of(row.address) for row in fragile_rows(self._inventory, name)]
            self._store.runs.keep_out(run.id, [*stopped, *fragile])

    def close(self, idle: Callable[[Run], bool]) -> None:
        """Close the scans of runs that are over.

        Args:
            idle: whether no job of a run was left before the last deliveries were recorded.
        """
        over = [run for run in self._store.runs.all(states=_ENDED) if run.id not in self._closed]
        if over := [run for run in over if idle(run)]:
            going = {scan.id for scan in scans_rows(self._inventory) if scan.state in _GOING}
            for run in over:
                if run.scan in going:
                    self._close(run, run.scan)
                self._closed.add(run.id)

    def judge(self, run: Run) -> None:
        """Say how a run ended of which no job is left."""
        missing = ", ".join(str(chunk.number) for chunk in self._store.deliveries.missing(run.id))
        if missing:
            says = f"given up: chunk {missing}"
            self._store.runs.set_state(run.id, RunState.FAILED, says)
        else:
            self._store.runs.set_state(run.id, RunState.DONE)

    def _close(self, run: Run, scan: int) -> None:
        trips = any(row.scan == scan for row in breakers_rows(self._inventory))
        state = "interrupted" if trips and run.state is RunState.DONE else _ENDED[run.state]
        chunks = self._store.deliveries.chunks(run.id)
        total = sum(AddressSet(chunk.spans).size for chunk in chunks)
        counts = {"addresses": total, "visited": len(visited_in(self._inventory, scan))}
        counts |= progress_in(self._inventory, scan)
        end(self._inventory, scan, state, counts, default_classifier(), ended=datetime.now(UTC))
        _LOGGER.info("run %d: %s, scan %d", run.id, run.state.value, scan)
        self._alert(run)

    def _alert(self, run: Run) -> None:
        """Tell whoever wants to be told; a receiver that hangs holds up nobody, and is tried again."""
        try:
            source = source_of(self._store.sites.one(run.site))
        except ConfigError as error:
            _LOGGER.warning("run %d: alerts: %s", run.id, error)
            return
        teller = Thread(target=_tell, args=(self._inventory, source, run.id), name="alerts", daemon=True)
        teller.start()
        teller.join(_PATIENCE)


def _tell(inventory: Inventory, source: SiteSource, run: int) -> None:
    try:
        failed = alerts.send(inventory, source, datetime.now(UTC)).failed
    except VetusteError as error:
        _LOGGER.warning("run %d: alerts: %s", run, error)
    else:
        for channel in failed:
            _LOGGER.warning("run %d: alerts: %s could not be told", run, channel)
