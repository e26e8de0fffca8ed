"""Canaries: hosts that a site file names, asked between probes whether all is well where they live."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from scanner.model import Attempt, Endpoint, Outcome, Transport
from scanner.transport.looking import look
from scanner.transport.pinging import SIZE, echoes

if TYPE_CHECKING:
    from scanner.transport.gate import HostDoor
    from scanner.transport.switchboard import Switchboard

_APART: Final = 1.0
"""Least seconds between two questions to one canary."""
TRIES: Final = 3
"""Questions that stay without an answer before a canary counts as silent: one packet in ten may get lost."""


@dataclass(slots=True)
class Canary:
    """One canary."""

    door: HostDoor
    port: int | None
    asked: float = float("-inf")

    @property
    def endpoint(self) -> Endpoint:
        """What is asked."""
        transport = Transport.ICMP if self.port is None else Transport.TCP
        return Endpoint(self.door.address, self.port or 0, transport)

    async def sings(self, switchboard: Switchboard) -> bool:
        """Ask, unless it was asked a moment ago; so many times before it counts as silent.

        Raises:
            ForbiddenError: nothing may be sent to it now.
            NoEchoError: this machine may not send what it is asked by.
        """
        if time.monotonic() - self.asked < _APART:
            return True
        async with self.door.line:
            for _ in range(TRIES):
                if await self._ask(switchboard):
                    self.asked = time.monotonic()
                    return True
        return False

    async def _ask(self, switchboard: Switchboard) -> bool:
        if self.port is not None:
            return await look(self.door, self.endpoint, switchboard, "canary", counted=False)
        await self.door.admit(counted=False)
        at = datetime.now(UTC)
        heard = await _echo(self.door.address, switchboard)
        outcome = Outcome.ANSWERED if heard else Outcome.SILENT
        self.door.gate.ledger.append(Attempt(self.endpoint, "canary", at, outcome, SIZE, SIZE * heard))
        return heard


async def _echo(address: str, switchboard: Switchboard) -> bool:
    with echoes(6 if ":" in address else 4, switchboard) as asking:
        try:
            return await asking.ask(address)
        except OSError:  # no route
            return False
