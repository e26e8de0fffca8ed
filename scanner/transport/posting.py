"""One host called by one probe over UDP: each datagram has a turn of its own, and a line of the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from scanner.errors import PeerClosedError
from scanner.model import Outcome
from scanner.transport.call import Call
from scanner.transport.datagrams import Datagrams
from scanner.transport.dialling import Ended
from scanner.transport.gate import demand_free

if TYPE_CHECKING:
    from scanner.probes import Send


@dataclass(slots=True)
class Posting(Call):
    """One host called by datagrams."""

    silence: Outcome = Outcome.SILENT
    _datagrams: Datagrams | None = None
    _turn: tuple[int, int] | None = (0, 0)
    """The datagram whose turn was taken and that the ledger has not: bytes sent and received before it."""

    def __post_init__(self) -> None:
        self.waited = self.switchboard.datagrams

    async def open(self) -> Ended | None:
        """Take the first datagram's turn.

        Raises:
            ForbiddenError, LimitError: nothing may be sent there.
        """
        await self.door.admit(counted=self.counted)
        self._began = datetime.now(UTC)
        try:
            self._datagrams = Datagrams(self.endpoint, self.switchboard, partial(demand_free, self.door.gate))
        except OSError as error:
            self.door.recount(-1, counted=self.counted)
            return Ended(Outcome.FAILED, error.strerror or "", local=True)
        return None

    async def take_turn(self) -> None:
        """Take the turn of a datagram after the first.

        Raises:
            ForbiddenError, LimitError: nothing more may be sent there.
        """
        if self._datagrams is not None and self._turn is None:
            await self.door.admit(counted=self.counted)
            self._began, self._turn = datetime.now(UTC), (self._datagrams.sent, self._datagrams.received)

    async def exchange(self, send: Send) -> bytes:
        """Send a datagram and hear the one that answers it.

        Raises:
            ProbeError, TimeoutError, OSError: as :meth:`Datagrams.exchange`.
        """
        if self._datagrams is None:
            raise PeerClosedError("there is no socket")
        answer = await self._datagrams.exchange(send)
        self.door.answered()
        self.lose(Outcome.ANSWERED)
        return answer

    def lose(self, outcome: Outcome) -> None:
        """Enter the datagram whose turn was taken, or take the turn back where it did not leave."""
        if self._turn is None or self._datagrams is None:
            return
        sent, received = self._turn
        self._turn = None
        if self._datagrams.sent > sent:
            self.enter(outcome, self._datagrams.sent - sent, self._datagrams.received - received)
        else:
            self.door.recount(-1, counted=self.counted)

    def end(self, outcome: Outcome) -> None:
        """Close the socket."""
        if self._datagrams is not None:
            self._datagrams.close()
            self.lose(outcome)
            self._datagrams = None
