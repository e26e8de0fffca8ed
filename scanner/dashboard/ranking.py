"""The order of findings by risk: worked out aside, kept, and worked out anew when something changed."""

from __future__ import annotations

import time
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Final

from scanner.errors import VetusteError
from scanner.inventory import findings_version, ranked_ids

if TYPE_CHECKING:
    from array import array
    from datetime import datetime

    from starlette.requests import Request

    from scanner.dashboard.house import House

_AGAIN: Final = 60.0
"""Seconds for which an order holds at least, whatever changes: thousands of machines are weighed for it."""
_SHARE: Final = 20
"""It holds so many times as long as it took: the readers of other pages are not to wait for it."""
_PATIENCE: Final = 2.0
"""Seconds that a first reader waits for it."""
_making: Final = Lock()


class Ranking:
    """The machines that something is to be done about, the most pressing first."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._lock, self._ready = Lock(), Event()
        self._ids: array[int] | None = None
        self._state: object = None
        self._made, self._took, self._working = 0.0, 0.0, False
        self.at: datetime | None = None
        """As of when."""

    def ids(self, patience: float = _PATIENCE) -> array[int] | None:
        """The order; None while it is worked out for the first time, and that takes long."""
        with self._lock:
            if not self._working and self._is_old():
                self._working = True
                Thread(target=self._work, name="ranking", daemon=True).start()
        self._ready.wait(patience)
        return self._ids

    def _is_old(self) -> bool:
        if self._ids is None:
            return True
        if time.monotonic() - self._made < max(_AGAIN, _SHARE * self._took):
            return False
        return self._state != (self._house.today, findings_version(self._house.inventory))

    def _work(self) -> None:
        house, begun = self._house, time.monotonic()
        try:
            at, state = house.now(), (house.today, findings_version(house.inventory))
            found = ranked_ids(house.inventory, today=house.today)
        except VetusteError:  # the next reader asks again, and is told
            found = None
        with self._lock:
            if found is not None:
                self._ids, self._state, self._made, self.at = found, state, time.monotonic(), at
                self._took = self._made - begun
                self._ready.set()
            self._working = False


def ranking_of(request: Request) -> Ranking:
    """The order that the whole dashboard shares."""
    state = request.app.state
    with _making:
        if not hasattr(state, "ranking"):
            state.ranking = Ranking(state.house)
    ranking: Ranking = state.ranking
    return ranking
