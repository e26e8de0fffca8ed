"""Carrying a scan out: sweep, classify, record, until everything was visited or someone says stop."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import uvloop

from scanner.addresses import IPV6
from scanner.model import HostRecord, Outcome
from scanner.probes import probes
from scanner.sweep.connect import sweep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from scanner.classify import Classifier
    from scanner.inventory import Recorder
    from scanner.model import Observation
    from scanner.scan.request import Ground
    from scanner.transport.gate import HostDoor

    Tell = Callable[["Tally"], None]

_STOPS: Final = (signal.SIGINT, signal.SIGTERM)

_TELL_EVERY: Final = 0.2
"""Seconds between two reports of progress."""

_NO_SIGN: Final = frozenset({Outcome.SILENT, Outcome.UNREACHABLE, Outcome.WITHHELD, Outcome.FAILED})
"""Outcomes that no living host is behind, as far as one can tell."""

_NOT_SENT: Final = frozenset({Outcome.WITHHELD, Outcome.FAILED})


@dataclass(slots=True)
class Tally:
    """What a scan has done so far."""

    total: int
    started: datetime
    visited: int = 0
    seen: int = 0
    identified: int = 0
    attempts: int = 0
    interrupted: bool = False
    outcomes: Counter[str] = field(default_factory=Counter)

    def counts(self) -> dict[str, int]:
        """The numbers that are kept with the scan."""
        numbers = {"addresses": self.total, "visited": self.visited, "seen": self.seen}
        return numbers | {"identified": self.identified, "attempts": self.attempts} | dict(self.outcomes)


def run(ground: Ground, recorder: Recorder, classifier: Classifier, tell: Tell) -> Tally:
    """Carry out a prepared scan.

    The first SIGINT or SIGTERM ends it: what was learnt up to then is recorded, and the tally says so.

    Args:
        ground: where to go, and on which terms.
        recorder: writes what is learnt, as it is learnt.
        classifier: turns evidence into identities.
        tell: told of progress a few times a second, and once at the end.

    Raises:
        NetworkLostError: this machine lost its network; what was learnt is recorded.
        InventoryError: the inventory cannot be written; what was committed is kept.
    """
    work = _Work(ground, recorder, classifier, Tally(len(ground.asked), datetime.now(UTC)))
    state = "failed"
    try:
        with _rare_collections():
            uvloop.run(_carry_out(work, tell))
        state = "interrupted" if work.tally.interrupted else "done"
    finally:
        with _undisturbed():
            recorder.finish(state, work.tally.counts(), ended=datetime.now(UTC))
    return work.tally


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Let no impatient second signal end the process while the last batch is written; that takes a moment."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in _STOPS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)  # None: set from C


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Let the garbage collector look less often while thousands of visits are under way.

    It would walk all of them, and all that was imported, for every few hundred new objects: up to a fifth
    of a scan's processor time in user space, to find next to nothing.
    """
    thresholds = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()


@dataclass(slots=True)
class _Work:
    ground: Ground
    recorder: Recorder
    classifier: Classifier
    tally: Tally

    def take(self, door: HostDoor, observations: tuple[Observation, ...]) -> None:
        """Classify and record one visited host."""
        tally = self.tally
        tally.visited += 1
        tally.attempts = self.ground.gate.attempts
        if not observations or all(seen.outcome in _NOT_SENT for seen in observations):
            return
        tally.outcomes[observations[-1].outcome] += 1
        number = door.number
        self.recorder.asked(*((number, 4) if number < IPV6 else (number - IPV6, 6)))
        if all(seen.outcome in _NO_SIGN for seen in observations):
            return
        identity = self.classifier.classify(_united(observations))
        tally.seen += 1
        tally.identified += bool(identity.candidates)
        self.recorder.record(HostRecord(door.address, door.terms.ward, observations, identity))


def _united(observations: tuple[Observation, ...]) -> dict[str, tuple[str, ...]]:
    """The evidence of all observations; different values of one key stand side by side."""
    united: dict[str, tuple[str, ...]] = {}
    for seen in observations:
        for key, values in seen.evidence.items():
            known = united.get(key)
            united[key] = values if known is None else tuple(dict.fromkeys(known + values))
    return united


async def _carry_out(work: _Work, tell: Tell) -> None:
    loop = asyncio.get_running_loop()
    sweeping = asyncio.create_task(
        sweep(work.ground.asked.spread(), work.ground.gate, probes(), work.ground.in_flight, work.take)
    )

    def stop() -> None:
        work.tally.interrupted = True
        sweeping.cancel()

    for number in _STOPS:
        loop.add_signal_handler(number, stop)
    try:
        while not sweeping.done():
            await asyncio.wait({sweeping}, timeout=_TELL_EVERY)
            work.recorder.write_due()
            tell(work.tally)
        if not work.tally.interrupted:
            await sweeping
    finally:
        sweeping.cancel()
        await asyncio.wait({sweeping})
        if not sweeping.cancelled():
            sweeping.exception()  # seen: what is on its way already says more
