"""How fast scans go, and what is left: told from what they had done a while ago."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Final

from scanner.inventory import going_scans

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from scanner.dashboard.house import House
    from scanner.inventory import Going

_FRESH: Final = 2.0
"""Seconds for which everybody is shown the same figures."""
_BACK: Final = 60.0
"""Seconds that a rate is of."""
_LEAST: Final = 1.0
"""Seconds that two looks must be apart to tell a rate."""
_making: Final = Lock()


@dataclass(frozen=True, slots=True)
class Pace:
    """One scan, and how fast it goes."""

    scan: Going
    rate: float | None
    """Addresses a second; None: it is not known yet."""

    @property
    def seconds_left(self) -> float | None:
        """None where nothing tells."""
        return self.scan.left / self.rate if self.rate and self.scan.total else None


@dataclass(slots=True)
class Watch:
    """Looks at the scans that are going on, for all readers together."""

    house: House
    clock: Callable[[], float] = monotonic
    _lock: Lock = field(default_factory=Lock)
    _at: float | None = None
    _seen: tuple[Pace, ...] = ()
    _looks: dict[int, deque[tuple[float, int]]] = field(default_factory=dict)

    def paces(self) -> tuple[Pace, ...]:
        """The scans of now, oldest first.

        Raises:
            InventoryError: the inventory cannot be read.
        """
        with self._lock:
            now = self.clock()
            if self._at is None or now - self._at >= _FRESH:
                found = going_scans(self.house.inventory)
                self._looks = {each.id: self._looks.get(each.id, deque()) for each in found}
                self._seen = tuple(Pace(each, self._rate(each, now)) for each in found)
                self._at = now
            return self._seen

    def _rate(self, scan: Going, now: float) -> float | None:
        """Since the oldest look of the last minute; of a first look, since the scan began."""
        looks = self._looks[scan.id]
        looks.append((now, scan.visited))
        while len(looks) > 2 and now - looks[1][0] >= _BACK:  # noqa: PLR2004 - the first and the last
            looks.popleft()
        then, visited = looks[0]
        if now - then < _LEAST:
            since = (self.house.now() - scan.started).total_seconds()
            return scan.visited / since if since >= _LEAST else None
        return max(0, scan.visited - visited) / (now - then)


def watch_of(request: Request) -> Watch:
    """The watch that the whole dashboard shares."""
    state = request.app.state
    with _making:
        if not hasattr(state, "watch"):
            state.watch = Watch(state.house)
    watch: Watch = state.watch
    return watch
