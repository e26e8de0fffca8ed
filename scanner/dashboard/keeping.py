"""What was worked out is kept for as long as it holds: it is worked out once, whoever asks, and not in a row.

Figures of a million machines take seconds, and a scan writes all the time. What took long is worked out
again after ten times as long at the earliest; until then, and meanwhile, readers get what there is.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

_MOST: Final = 64
"""What is kept at once; what was asked for longest ago goes first."""
_QUICK: Final = 0.1
"""Seconds: what takes no longer is worked out after every change."""
_REST: Final = 10
_PATIENCE: Final = 0.1
"""Seconds that a reader waits for what is newer, or what somebody waits for already."""
_SURE: Final = 2.0
"""The same, where it was quick the last time."""
_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class _Kept:
    value: Any
    stamp: str
    quick: bool
    until: float
    """Until then it is not worked out again, whatever changes."""


class Keeper:
    """Keeps values by their keys."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._running: dict[Hashable, Future[Any]] = {}
        # What is dear waits for what is dear, and never what a page begins with.
        self._quick, self._dear = ThreadPoolExecutor(2, "figures"), ThreadPoolExecutor(1, "history")

    def get(
        self, key: Hashable, stamp: str, make: Callable[[], _Value], patience: float = math.inf
    ) -> _Value | None:
        """A value.

        Args:
            key: what it is.
            stamp: it holds as long as this is the same.
            make: works it out, in another thread; it asks this keeper for nothing. Whatever it raises is
                raised here.
            patience: seconds to wait where there is no value yet and nobody waits yet; what has no end is
                worked out first.

        Returns:
            The value, or None where it takes longer: ask again later.
        """
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None and (kept.stamp == stamp or self._clock() < kept.until):
                self._kept.move_to_end(key)
                value: _Value = kept.value
                return value
            running = self._running.get(key)
            started = running is None
            if running is None:
                pool = self._quick if patience == math.inf else self._dear
                running = self._running[key] = pool.submit(self._made, key, stamp, make)
        if kept is not None:
            wait = _SURE if kept.quick else _PATIENCE
        else:
            wait = patience if started or patience == math.inf else min(patience, _PATIENCE)
        try:
            made: _Value = running.result(None if wait == math.inf else wait)
        except TimeoutError:
            return None if kept is None else kept.value
        return made

    def close(self) -> None:
        """Work out nothing more."""
        for pool in (self._quick, self._dear):
            pool.shutdown(wait=False, cancel_futures=True)

    def _made(self, key: Hashable, stamp: str, make: Callable[[], _Value]) -> _Value:
        began = self._clock()
        try:
            value = make()
            ended = self._clock()
        except BaseException:
            with self._lock:
                del self._running[key]
            raise
        quick = ended - began <= _QUICK
        rest = 0.0 if quick else _REST * (ended - began)
        with self._lock:
            self._kept[key] = _Kept(value, stamp, quick, ended + rest)
            self._kept.move_to_end(key)
            while len(self._kept) > _MOST:
                self._kept.popitem(last=False)
            del self._running[key]
        return value
