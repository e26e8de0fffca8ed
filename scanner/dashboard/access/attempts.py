"""How often somebody may fail to say who they are."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address
from math import ceil
from threading import Lock
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

WINDOW: Final = 300.0
"""Seconds for which a failure counts."""
OF_ONE: Final = 10
"""Failures of one address in that time, before it must wait."""
OF_ALL: Final = 200
"""Failures of everybody: then all must wait who are not in yet. It bounds what is remembered, too."""


@dataclass(slots=True)
class Attempts:
    """The failures of the last minutes."""

    clock: Callable[[], float] = time.monotonic
    _failures: deque[tuple[float, str]] = field(default_factory=deque)
    _lock: Lock = field(default_factory=Lock)

    def wait(self, address: str) -> int:
        """The seconds that an address must wait before it may try; 0: it may."""
        place = _place(address)
        with self._lock:
            now = self.clock()
            while self._failures and self._failures[0][0] <= now - WINDOW:
                self._failures.popleft()
            own = [when for when, where in self._failures if where == place]
            first = [own[-OF_ONE]] if len(own) >= OF_ONE else []
            if len(self._failures) >= OF_ALL:
                first.append(self._failures[-OF_ALL][0])
            return ceil(max(first) + WINDOW - now) if first else 0

    def failed(self, address: str) -> None:
        """Remember a failure."""
        with self._lock:
            self._failures.append((self.clock(), _place(address)))

    def succeeded(self, address: str) -> None:
        """Forget the failures of an address: who got in had mistyped."""
        place = _place(address)
        with self._lock:
            self._failures = deque(each for each in self._failures if each[1] != place)


def _place(address: str) -> str:
    """The address; of IPv6 the network of 64 bits, which one machine may fill."""
    try:
        number = ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    return f"{int(number) >> 64:x}::" if isinstance(number, IPv6Address) else str(number)
