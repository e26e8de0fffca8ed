"""One packet of a look at a host: its turn before it leaves, its line of the ledger after it ended."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from scanner.errors import LimitError
from scanner.model import Attempt, Observation, Outcome
from scanner.transport.gate import ForbiddenError, HoursError

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from scanner.model import Endpoint, Evidence
    from scanner.transport.gate import HostDoor

Answer = TypeVar("Answer")


@dataclass(slots=True)
class Packet:
    """A packet to one host, that is answered or not."""

    door: HostDoor
    endpoint: Endpoint
    probe: str
    _at: datetime = field(default_factory=lambda: datetime.now(UTC))
    _start: float = 0.0

    async def withheld(self) -> Observation | None:
        """Take its turn; what to say of it where it may not leave.

        Raises:
            HoursError: the ward's window closed before anything was sent.
            ClockError: the hours cannot be told.
        """
        try:
            await self.door.admit()
        except HoursError:
            raise
        except (ForbiddenError, LimitError) as forbidden:
            now = datetime.now(UTC)
            return Observation(self.endpoint, self.probe, now, Outcome.WITHHELD, detail=str(forbidden))
        self._at, self._start = datetime.now(UTC), time.monotonic()
        return None

    async def heard(self, asking: Awaitable[Answer]) -> Answer:
        """Wait for what answers it; where the scan is stopped meanwhile, it was sent nevertheless."""
        try:
            return await asking
        except asyncio.CancelledError:
            self.ended(Outcome.SILENT)
            raise

    def unsent(self) -> None:
        """It did not leave: it counts for nothing."""
        self.door.recount(-1)

    def ended(
        self, outcome: Outcome, evidence: Evidence | None = None, *, size: int = 0, detail: str = ""
    ) -> Observation:
        """It was answered, or nobody did in time; so many bytes of payload each way."""
        attempt = Attempt(self.endpoint, self.probe, self._at, outcome, size, size * outcome.alive)
        self.door.gate.ledger.append(attempt)
        if outcome.alive:
            lost = self.door.lost(self.endpoint)
            self.door.answered()
            self.door.subnet.congestion.answered(time.monotonic() - self._start, lost)
        else:
            self.door.missed = True
            if outcome is Outcome.SILENT:
                self.door.silent = self.endpoint
        now = datetime.now(UTC)
        return Observation(self.endpoint, self.probe, now, outcome, evidence or {}, detail, connections=1)
