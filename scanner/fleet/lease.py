"""The lease: for how long a worker may send without having heard from the centre.

A sign of life that the centre had is worth :data:`~scanner.fleet.port.LEASE` seconds, counted by this
machine's clock from before the question was asked whose answer told of it. The clock goes on while the
machine sleeps.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import TYPE_CHECKING, Final, Self

from scanner.fleet.errors import FleetError, LinkError
from scanner.fleet.model import RunState
from scanner.fleet.port import LEASE

if TYPE_CHECKING:
    from collections.abc import Callable

    from scanner.fleet.model import Standing

_ASK_EVERY: Final = 2.0
"""Seconds between two questions how the hold stands."""
_GOING: Final = frozenset({RunState.QUEUED, RunState.RUNNING})
_ENDED: Final = frozenset({RunState.CANCELLED, RunState.DONE, RunState.FAILED})


class HoldLostError(FleetError):
    """The job was given to somebody else meanwhile: this worker ends, and begins anew."""

    exit_code = 70
    """EX_SOFTWARE (sysexits.h): whoever started this starts it again."""


def _now() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@dataclass
class Lease:
    """Asks how a hold stands, in a thread of its own, for as long as it is entered."""

    ask: Callable[[], Standing]
    """Asks the centre; called by that thread alone. It raises LinkError where the centre is away."""
    on_asked: Callable[[], None]
    """Called by the same thread after each answer: what else the centre is to be told."""
    trouble: FleetError | None = None
    """What made an end of asking."""
    _standing: Standing | None = None
    _until: float = float("-inf")
    _ended: Event = field(default_factory=Event)
    _asked: Event = field(default_factory=Event)
    _thread: Thread | None = None

    def __enter__(self) -> Self:
        self._thread = Thread(target=self._watch, name="lease", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        if self._thread is not None:
            self._thread.join(LEASE)  # what it asks with is closed after that

    @property
    def held_back(self) -> bool:
        """Whether nothing may be sent now: asked before every packet."""
        return _now() >= self._until

    @property
    def is_over(self) -> bool:
        """Whether the run has ended, by somebody's will or without this chunk."""
        return self._standing is not None and self._standing.run in _ENDED

    def demand_held(self) -> None:
        """Check that nobody else has the job, as far as is known.

        Raises:
            HoldLostError: somebody has.
            FleetError: the centre refuses to answer.
        """
        if self.trouble is not None:
            raise self.trouble
        if self._standing is not None and not self._standing.held:
            raise HoldLostError

    def wait(self, seconds: float) -> None:
        """Wait for the next answer, so long at most."""
        self._asked.clear()
        self._asked.wait(seconds)

    def ask_once(self) -> bool:
        """Ask, and tell what is to be told; whether to ask again."""
        try:
            self._take(_now(), self.ask())
            self.on_asked()
        except LinkError:
            return True  # the lease runs out by itself
        except FleetError as error:
            self._until, self.trouble = float("-inf"), error
            return False
        finally:
            self._asked.set()
        return True

    def _watch(self) -> None:
        while self.ask_once() and not self._ended.wait(_ASK_EVERY):
            pass

    def _take(self, asked: float, standing: Standing) -> None:
        free = standing.held and not standing.site_paused and standing.run in _GOING
        self._standing = standing
        self._until = asked - standing.silent + LEASE if free else float("-inf")
