"""Visits that met silence wait a while: it may be the network that was silent, not the host.

They are reported as soon as something answers after them, from the same subnet where anything ever did; where
the network was away they are made again.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from scanner.model import Observation
    from scanner.transport.gate import HostDoor
    from scanner.transport.subnets import Subnet

    Report = Callable[[HostDoor, Sequence[Observation]], None]

_MOST: Final = 64
"""Visits that wait, at most, in one subnet: where all is dark, nothing will ever come after them."""


@dataclass(slots=True)
class Visit:
    """One visit that ended."""

    door: HostDoor
    observations: Sequence[Observation]
    ended: datetime


@dataclass(slots=True)
class Pending:
    """The visits that wait, by subnet; under None those of subnets where nothing ever answered."""

    report: Report
    _waiting: dict[str | None, deque[Visit]] = field(default_factory=dict)

    def take(self, door: HostDoor, observations: Sequence[Observation]) -> None:
        """A visit ended: report it, or let it wait; report those that it confirms."""
        if observations and observations[-1].outcome.alive and not door.missed:
            self.heard(door.subnet, observations[-1].at)
        if door.missed and observations:
            lot = door.subnet.name if door.subnet.answered else None
            waiting = self._waiting.setdefault(lot, deque())
            waiting.append(Visit(door, observations, observations[-1].at))
            if len(waiting) > _MOST:
                self._tell(waiting.popleft())
        else:
            self.report(door, observations)

    def heard(self, subnet: Subnet, at: datetime) -> None:
        """Something answered, at this time: silence that was over by then was the host's own."""
        for lot in (None, subnet.name):
            waiting = self._waiting.get(lot)
            while waiting and waiting[0].ended <= at:
                self._tell(waiting.popleft())

    def _tell(self, visit: Visit) -> None:
        self.report(visit.door, visit.observations)

    def drop(self, subnet: Subnet) -> None:
        """A subnet was stopped: what was silent there at the end is not known to be dark."""
        self._waiting.pop(subnet.name, None)

    def forget(self) -> list[HostDoor]:
        """The network was away: the doors of all that must be visited again."""
        return [visit.door for visit in self._drain()]

    def finish(self) -> None:
        """Nothing more will come: report the rest."""
        for visit in self._drain():
            self._tell(visit)

    def _drain(self) -> Iterator[Visit]:
        for waiting in self._waiting.values():
            while waiting:
                yield waiting.popleft()
