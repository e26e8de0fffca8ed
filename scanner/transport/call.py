"""The connections of one conversation: opened through the host's door, ended into the ledger."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from scanner.model import Attempt, Outcome
from scanner.transport.connection import Connection
from scanner.transport.dialling import Ended, dial, repeats_of

if TYPE_CHECKING:
    from scanner.model import Endpoint
    from scanner.transport.gate import HostDoor
    from scanner.transport.switchboard import Switchboard


@dataclass(slots=True)
class Call:
    """One host called by one probe."""

    probe: str
    endpoint: Endpoint
    door: HostDoor
    switchboard: Switchboard
    connection: Connection | None = None
    """The one that is open now."""
    _began: datetime = field(init=False)

    async def open(self) -> Ended | None:
        """Connect; what came of it where that fails.

        Raises:
            ForbiddenError: nothing may be sent there.
            LimitError: the host has had its connections.
        """
        await self.door.admit()
        self._began, start = datetime.now(UTC), time.monotonic()
        dialled = await dial(self.endpoint, self.switchboard)
        for _ in range(dialled.repeats if isinstance(dialled, Ended) else repeats_of(dialled)):
            self.door.repeated()
            self._enter(Outcome.SILENT)
        if not isinstance(dialled, Ended):
            self._note(start)
            self.connection = Connection(dialled, self.switchboard)
            return None
        self.door.missed |= dialled.outcome is not Outcome.REFUSED
        if dialled.local:
            self.door.withdraw()
        else:
            self._enter(dialled.outcome)
        if dialled.outcome is Outcome.REFUSED:
            self._note(start)
        elif dialled.outcome is Outcome.SILENT:
            self.door.silent = self.endpoint
        return dialled

    def _note(self, start: float) -> None:
        """How long the host took, and whether an attempt before was lost."""
        self.door.subnet.congestion.answered(time.monotonic() - start, self.door.lost(self.endpoint))

    def end(self, outcome: Outcome) -> None:
        """Close the connection, if there is one."""
        if self.connection is not None:
            self.connection.close()
            self._enter(outcome, self.connection.sent, self.connection.received)
            self.connection = None

    def _enter(self, outcome: Outcome, sent: int = 0, received: int = 0) -> None:
        attempt = Attempt(self.endpoint, self.probe, self._began, outcome, sent, received)
        self.door.gate.ledger.append(attempt)
