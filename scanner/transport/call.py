"""One host called by one probe over TCP: its connections, through the host's door, into the ledger."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from scanner.errors import PeerClosedError
from scanner.model import Attempt, Outcome
from scanner.transport.connection import Connection
from scanner.transport.dialling import Ended, dial, repeats_of
from scanner.transport.gate import demand_free
from scanner.transport.secured import Secured

if TYPE_CHECKING:
    from scanner.model import Endpoint
    from scanner.probes import Secure, Send
    from scanner.transport.gate import HostDoor
    from scanner.transport.switchboard import Deadlines, Switchboard


@dataclass(slots=True)
class Call:
    """One host called by one probe."""

    probe: str
    endpoint: Endpoint
    door: HostDoor
    switchboard: Switchboard
    silence: Outcome = Outcome.STALLED
    """What it is where no whole answer comes in time."""
    waited: Deadlines = field(init=False)
    """How long an answer is waited for."""
    counted: bool = True
    """Whether what it sends is among the connections that a host gets in a scan."""
    _connection: Connection | None = None
    _inside: Secured | None = None
    _began: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.waited = self.switchboard.answering

    async def open(self) -> Ended | None:
        """Take a turn and connect; what came of it where that fails.

        Raises:
            ForbiddenError: nothing may be sent there.
            LimitError: the host has had its connections.
        """
        await self.door.admit(counted=self.counted)
        self._began, start = datetime.now(UTC), time.monotonic()
        dialled = await dial(self.endpoint, self.switchboard)
        for _ in range(dialled.repeats if isinstance(dialled, Ended) else repeats_of(dialled)):
            self.door.recount(1, counted=self.counted)
            self.enter(Outcome.SILENT)
        if not isinstance(dialled, Ended):
            self._connection = Connection(dialled, self.switchboard, partial(demand_free, self.door.gate))
            self._note(start)
            return None
        self.door.missed = True
        if dialled.local:
            self.door.recount(-1, counted=self.counted)
        else:
            self.enter(dialled.outcome)
        if dialled.outcome is Outcome.REFUSED:
            self._note(start)
        elif dialled.outcome is Outcome.SILENT:
            self.door.silent = self.endpoint
        return dialled

    async def take_turn(self) -> None:
        """What a connection carries needs no turn of its own."""

    async def exchange(self, send: Send) -> bytes:
        """Say something and hear the answer.

        Raises:
            ProbeError, TimeoutError, OSError: as :meth:`Connection.exchange`.
        """
        if self._connection is None:
            raise PeerClosedError("there is no connection")
        answer = await (self._inside or self._connection).exchange(send)
        self.door.answered()
        return answer

    async def secure(self, step: Secure, most: int) -> bytes:
        """Begin TLS on the connection, hearing so many bytes of it at most.

        Raises:
            ProbeError, TimeoutError, OSError: no TLS came about.
        """
        if self._connection is None or self._inside is not None:
            raise PeerClosedError("there is no connection to secure")
        self._inside = Secured(self._connection, step.server_name, self.waited.seconds)
        return await self._inside.begin(most)

    def _note(self, start: float) -> None:
        """How long the host took, and whether an attempt before was lost."""
        self.door.answered()
        self.door.subnet.congestion.answered(time.monotonic() - start, self.door.lost(self.endpoint))

    def end(self, outcome: Outcome) -> None:
        """Close the connection, if there is one."""
        if self._connection is not None:
            self._connection.close(self._inside.parting() if self._inside is not None else b"")
            self.enter(outcome, self._connection.sent, self._connection.received)
            self._connection = self._inside = None

    lose = end
    """An exchange failed: the connection is over then."""

    def enter(self, outcome: Outcome, sent: int = 0, received: int = 0) -> None:
        """A line of the ledger."""
        attempt = Attempt(self.endpoint, self.probe, self._began, outcome, sent, received)
        self.door.gate.ledger.append(attempt)
