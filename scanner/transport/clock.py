"""Whether the time of day can be trusted: windows are told by it."""

from __future__ import annotations

import time
from typing import Final

from scanner.errors import VetusteError

_JUMP: Final = 60.0
"""Seconds by which the clock may go wrong between two looks: daylight saving does not move it, NTP slews."""


class ClockError(VetusteError):
    """This machine's clock jumped by {seconds} s: nothing more is sent, for no window can be told by it; set it right, then vetuste scan --resume."""  # noqa: E501 - one message, one line


class Clock:
    """Compares the clock on the wall with one that nobody sets."""

    def __init__(self) -> None:
        self._ahead = self._difference()

    @staticmethod
    def _difference() -> float:
        return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)  # goes on while the machine sleeps

    def demand_steady(self) -> None:
        """Check that the clock ran like any clock since the last time.

        Raises:
            ClockError: somebody set it; raised again until the clock is back.
        """
        ahead = self._difference()
        if abs(ahead - self._ahead) > _JUMP:
            raise ClockError(seconds=round(ahead - self._ahead))
        self._ahead = ahead
