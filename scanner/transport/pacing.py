"""Even spacing: at most so many attempts a second, never a burst."""

from __future__ import annotations

import asyncio
import time
from typing import Final

_CATCH_UP: Final = 0.02
"""How far late turns may be made good, in seconds of the schedule: two hundredths of the rate, where the law
of the design (section 5) leaves a tenth. Slower rates need none: no clock is that coarse."""


class Pacer:
    """Gives out turns, evenly spaced, in the order in which they were asked for.

    A turn is reckoned from when the one before really left, not from when it should have: whatever holds this
    process up, no burst follows. A pacer may stand within another one, whose turns are fewer or shared with
    others: then a turn has left when it has left the outer one too.
    """

    def __init__(self, rate: float | None, within: Pacer | None = None) -> None:
        self._within = within
        self._next = 0.0
        self._line = asyncio.Lock()
        self.rate = rate

    @property
    def rate(self) -> float | None:
        """Turns a second; None: no limit of its own."""
        return self._rate

    @rate.setter
    def rate(self, rate: float | None) -> None:
        self._rate = rate
        self._interval = 0.0 if rate is None else 1 / rate
        self._catch_up = _CATCH_UP if self._interval < _CATCH_UP else 0.0

    @property
    def slowest(self) -> float | None:
        """The lowest rate of this one and those that it stands within; None: no limit at all."""
        outer = None if self._within is None else self._within.slowest
        return min((rate for rate in (self._rate, outer) if rate is not None), default=None)

    async def turn(self, number: int = 1) -> None:
        """Wait until one more attempt may leave, or so many of them together."""
        if not self._interval:
            if self._within is not None:
                await self._within.turn(number)
            return
        async with self._line:
            while (left := self._next - time.monotonic()) > 0:  # noqa: ASYNC110 - a time, not an event, is awaited
                await asyncio.sleep(left)  # may wake early: libuv counts in milliseconds
            if self._within is not None:
                await self._within.turn(number)
            self._next = max(self._next, time.monotonic() - self._catch_up) + number * self._interval
