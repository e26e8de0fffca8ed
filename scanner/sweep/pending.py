"""Visits that met silence wait a while: it may be the network that was silent, not the host.

They are reported as soon as something answers after them, from the same subnet where anything ever did; where
the network was away they are made again.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from scanner.sweep.visit import Visit
    from scanner.transport.gate import HostDoor
    from scanner.transport.subnets import Subnet

_ON_ITS_WAY: Final = timedelta(seconds=0.5)
"""An answer counts as one after a silence from so much later on: it may have come before, and only have been
read now."""
_MOST: Final = 64
"""Visits that wait, at most, in one subnet: where all is dark, nothing will ever come after them."""


@dataclass(slots=True)
class Pending:
    """The visits that wait, by subnet; under None those of subnets where nothing ever answered."""

    report: Callable[[Visit], None]
    _waiting: dict[str | None, deque[Visit]] = field(default_factory=dict)

    def take(self, visit: Visit) -> None:
        """A visit ended: report it, or let it wait; report those that signs of life confirm."""
        door = visit.door
        if door.subnet.alive is not None:
            self.heard(door.subnet, door.subnet.alive)
        if door.missed and visit.observations:
            lot = door.subnet.name if door.subnet.answered else None
            waiting = self._waiting.setdefault(lot, deque())
            waiting.append(visit)
            if len(waiting) > _MOST:
                self.report(waiting.popleft())
        else:
            self.report(visit)

    def heard(self, subnet: Subnet, at: datetime) -> None:
        """Something answered, at this time: silence that was over by then was the host's own."""
        for lot in (None, subnet.name):
            waiting = self._waiting.get(lot)
            while waiting and (waiting[0].ended or at) + _ON_ITS_WAY <= at:
                visit = waiting.popleft()
                visit.door.subnet.trust(visit.door, visit.observations)
                self.report(visit)

    def drop(self, subnet: Subnet) -> None:
        """A subnet was stopped: what was silent there at the end is not known to be dark."""
        self._waiting.pop(subnet.name, None)

    def forget(self) -> list[HostDoor]:
        """The network was away: the doors of all that must be visited again."""
        return [visit.door for visit in self._drain()]

    def finish(self) -> None:
        """Nothing more will come: report the rest."""
        for visit in self._drain():
            self.report(visit)

    def _drain(self) -> Iterator[Visit]:
        for waiting in self._waiting.values():
            while waiting:
                yield waiting.popleft()
