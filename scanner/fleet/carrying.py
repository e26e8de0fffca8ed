"""One job carried out: scanned under the lease, delivered by the fence, acknowledged."""

from __future__ import annotations

import io
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from scanner.bundles import write_bundle
from scanner.errors import VetusteError
from scanner.fleet.chunk_scan import ChunkScan
from scanner.fleet.errors import LinkError
from scanner.fleet.lease import HoldLostError, Lease
from scanner.fleet.model import Progress

if TYPE_CHECKING:
    from collections.abc import Callable

    from scanner.fleet.home import Home
    from scanner.fleet.port import Taken, Taker
    from scanner.fleet.worker_store import WorkerStore
    from scanner.language import Message
    from scanner.scan import Tally

_LOGGER: Final = logging.getLogger("vetuste")
_MOMENT: Final = 0.5
"""Seconds after which whoever waits looks whether to go on."""


@dataclass
class Onlooker:
    """The screen of its scan: what is seen there is told to the centre."""

    taken: Taken
    progress: Progress | None = None

    def show(self, tally: Tally) -> None:
        """How far the scan is."""
        numbers = (tally.visited, tally.total, tally.seen, tally.attempts)
        self.progress = Progress(self.taken.run, self.taken.number, *numbers)

    def told(self, message: Message) -> None:
        """Something that whoever looks after this worker should read."""
        _LOGGER.warning("run %d chunk %d: %s", self.taken.run, self.taken.number, message.render())


@dataclass
class Carrying:
    """One job, from when it was taken until it is acknowledged."""

    taken: Taken
    store: WorkerStore
    watching: WorkerStore
    """The lease's, which is another thread."""
    home: Home
    taker: Taker
    stop: Callable[[], None]
    """Called where a signal ended the scan: then this worker ends."""
    is_stopping: Callable[[], bool]
    lease: Lease = field(init=False)
    screen: Onlooker = field(init=False)

    def __post_init__(self) -> None:
        self.screen = Onlooker(self.taken)
        self.lease = Lease(lambda: self.watching.standing(self.taken.hold, self.taken.run), self._tell)

    def carry_out(self) -> None:
        """Do it, however often the centre goes away meanwhile.

        Raises:
            HoldLostError: somebody else has it by now; nothing was acknowledged.
            VetusteError: it failed; nothing was acknowledged.
        """
        told = ""
        with self.lease:
            while True:
                try:
                    return self._try()
                except LinkError as error:
                    if str(error) != told:  # once, however long it is away
                        _LOGGER.warning("run %d chunk %d: %s", self.taken.run, self.taken.number, error)
                    told = str(error)
                if self.is_stopping():
                    return None  # somebody takes it when its time has come
                self.lease.wait(_MOMENT)
                self.lease.demand_held()

    def _try(self) -> None:
        run, number = self.taken.run, self.taken.number
        if not self.store.delivered(run, number):
            source = self.home.source(self.store.site())
            with self.home.inventory() as inventory:
                scan = ChunkScan(inventory, source, self.store.run(run), self.store.chunk(run, number))
                if not self._scan(scan) and not self.lease.is_over:
                    return self.taker.again(self.taken)
                self._deliver(scan)
        return self.taker.done(self.taken)

    def _scan(self, scan: ChunkScan) -> bool:
        """Scan until all is done; False where this worker ends before, or the run does."""
        if scan.source.digest != scan.run.digest:
            raise VetusteError("the site file changed since run {run} was cut", run=scan.run.id)
        while self._is_free():
            tally = scan.go_on(lambda: self.lease.held_back, lambda: self.lease.held_back, self.screen)
            if tally is None or not tally.interrupted:
                return True
            if not tally.halted:
                self.stop()
        return False

    def _is_free(self) -> bool:
        """Wait until something may be sent; False where nothing will be any more."""
        while not self.is_stopping() and not self.lease.is_over:
            if not self.lease.held_back:
                return True
            self.lease.demand_held()
            self.lease.wait(_MOMENT)
        return False

    def _deliver(self, scan: ChunkScan) -> None:
        """Hand over what was learnt; of a run that was cancelled before anything was sent, nothing."""
        row, body = scan.settled(), io.BytesIO()
        if row is None:
            return
        write_bundle(scan.inventory, row.id, body)
        hold, number = self.taken.hold, self.taken.number
        if not self.store.deliver(hold, self.taken.run, number, body.getvalue()):
            raise HoldLostError

    def _tell(self) -> None:
        if self.screen.progress is not None:
            self.watching.tell(self.screen.progress)
