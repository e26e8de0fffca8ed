"""A worker: it takes its site's jobs one after the other, until somebody says stop."""

from __future__ import annotations

import logging
import signal
import time
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Final

from scanner.errors import ConfigError, VetusteError
from scanner.fleet.carrying import Carrying
from scanner.fleet.errors import FleetError
from scanner.fleet.schema import program_version
from scanner.fleet.worker_store import WorkerStore
from scanner.process import STOPS
from scanner.transport.sending import sending

if TYPE_CHECKING:
    from scanner.fleet.home import Home
    from scanner.fleet.port import Taken, Taker

_LOGGER: Final = logging.getLogger("vetuste")
_SLICE: Final = 0.2
"""Seconds after which whoever waits looks whether to stop."""
_PATIENCE: Final = 30.0
"""Seconds until the next job is taken after one that failed, for each attempt at it."""
_DAY: Final = 86_400.0


def demand_same(store: WorkerStore, key: str, home: Home) -> None:
    """Check all that can be checked before a job is taken.

    Raises:
        ConfigError: the centre is of another version, this role is another site's, or the site file is not to
            be obeyed.
        FleetError: the centre refuses, or cannot be reached.
    """
    theirs, ours = store.version(), program_version()
    if theirs != ours:
        raise ConfigError(
            "the centre has vetuste {theirs} and this worker {ours}: bring both to one version",
            theirs=theirs,
            ours=ours,
        )
    site = store.site()
    if site.key != key:
        raise ConfigError("this role is of the site {theirs}, and not of {site}", theirs=site.key, site=key)
    home.source(site)


class Worker:
    """The worker of one site, in the main thread of a process: signals end it in order."""

    def __init__(self, dsn: str, home: Home, taker: Taker) -> None:
        self._dsn, self._home, self._taker = dsn, home, taker
        self._is_stopping = False
        self._tidied = float("-inf")
        self._name = ExitStack()

    def work(self) -> None:
        """Take jobs and carry them out.

        Raises:
            HoldLostError: a job was given to somebody else meanwhile: this process is to begin anew.
            FleetError: the centre refuses.
        """
        with self._name:
            self._name.enter_context(sending())  # vetuste stop finds it between two scans too
            self._mind_signals()
            for taken in self._taker:
                self._tidy()
                self._carry_out(taken)
                self._mind_signals()  # a scan's event loop takes them, and gives none back

    def stop(self, *_: object) -> None:
        """Take no further job, and halt what is under way; also from a signal handler."""
        self._is_stopping = True
        self._taker.stop()
        self._name.close()

    def _mind_signals(self) -> None:
        for number in STOPS:
            signal.signal(number, self.stop)

    def _carry_out(self, taken: Taken) -> None:
        run, number, attempt = taken.run, taken.number, taken.hold.attempt + 1
        _LOGGER.info("run %d chunk %d: taken, attempt %d", run, number, attempt)
        try:
            store, watching = WorkerStore(self._dsn), WorkerStore(self._dsn)
            with closing(store.link), closing(watching.link):
                stopping = (self.stop, lambda: self._is_stopping)
                Carrying(taken, store, watching, self._home, self._taker, *stopping).carry_out()
        except FleetError:
            raise
        except VetusteError as error:
            _LOGGER.warning("run %d chunk %d: %s", run, number, error)
            self._mind_signals()
            self._taker.again(taken)
            self._pause(_PATIENCE * attempt)

    def _pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._is_stopping and time.monotonic() < until:
            time.sleep(_SLICE)

    def _tidy(self) -> None:
        if time.monotonic() > self._tidied + _DAY:
            self._home.tidy()
            self._tidied = time.monotonic()
