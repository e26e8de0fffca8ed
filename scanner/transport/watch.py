"""The circuit breaker: it looks back at hosts that answered, and stops a subnet that falls."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from scanner.errors import VetusteError
from scanner.language import Message
from scanner.model import Trip
from scanner.transport.link import link_is_up
from scanner.transport.looking import still_there
from scanner.transport.rounds import ask_again, silent_canary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from scanner.transport.gate import Gate
    from scanner.transport.subnets import Subnet, Witness
    from scanner.transport.switchboard import Switchboard

_ELSEWHERE: Final = 3
"""Other subnets where a host is asked before it is said that this one fell, and not the network."""
_PAUSE: Final = 5.0
"""Seconds between two attempts to find a network that is away."""


class NetworkLostError(VetusteError):
    """The network has been away for {seconds} s. What was recorded is kept: check the link, then vetuste scan --resume."""  # noqa: E501 - one message, one line


@dataclass(slots=True)
class Watch:
    """Looks after the subnets of one sweep."""

    gate: Gate
    switchboard: Switchboard
    stopped: Callable[[Trip], None]
    """Told of each subnet that is stopped."""
    told: Callable[[Message], None]
    """Told what the operator should read now."""
    patience: float
    """Seconds for which a network that is away is waited for."""
    _present: asyncio.Event = field(default_factory=asyncio.Event)
    _losses: int = 0
    """How often the network was away."""

    def __post_init__(self) -> None:
        self._present.set()

    async def present(self) -> None:
        """Wait while the network is away."""
        if not self._present.is_set():
            await self._present.wait()

    async def look_back(self, subnet: Subnet) -> bool:
        """Ask canaries and a host that answered before; stop the subnet where they are silent.

        Returns:
            Whether all was well; False where the subnet was stopped, or the network was away in between.

        Raises:
            ForbiddenError: nothing may be sent there now.
            NetworkLostError: the network did not come back.
        """
        subnet.looking = True
        losses = self._losses
        silent: list[Witness] = []
        try:
            canary, cause = await silent_canary(subnet, self.gate, self.switchboard)
            if cause is None and subnet.watched:
                cause, silent = await ask_again(subnet, self.switchboard)
            missed = canary or (silent[0].door if silent else None)
            doubt = cause is not None and self._losses == losses
            if doubt and missed and await self._all_fell(subnet, missed.address):
                await self.lost(missed.address)
            if self._losses != losses:  # the network was away: nobody's silence meant anything
                await self.present()
                subnet.forgive(silent)
                return False
        finally:
            subnet.looking = False
        subnet.turns.begun = 0
        if cause is not None:
            self._stop(subnet, cause, silent)
        return cause is None

    async def lost(self, address: str) -> None:
        """Wait until the network is back; nothing is begun meanwhile.

        Args:
            address: one that cannot be reached.

        Raises:
            NetworkLostError: it is not back in time.
        """
        if not self._present.is_set():
            await self._present.wait()
            return
        self._present.clear()
        self._losses += 1
        self.told(
            Message(
                "the network is away: nothing is sent until it is back; waiting up to {seconds} s",
                {"seconds": f"{self.patience:g}"},
            )
        )
        deadline = time.monotonic() + self.patience
        while not await self._is_back(address):
            if time.monotonic() > deadline:
                raise NetworkLostError(seconds=f"{self.patience:g}")
            await asyncio.sleep(min(_PAUSE, self.patience / 8))
        self.told(Message("the network is back: the scan goes on"))
        self._present.set()

    async def _all_fell(self, subnet: Subnet, address: str) -> bool:
        """Whether it is not this subnet alone: then it is the network, or this machine's link."""
        if not link_is_up(address):
            return True
        others = list(self._able(other for other in self.gate.subnets.all() if other is not subnet))
        for witness in others[:_ELSEWHERE]:
            if await still_there(witness, self.switchboard):
                return False
        return bool(others)

    async def _is_back(self, address: str) -> bool:
        if not link_is_up(address):
            return False
        able = sorted(self._able(self.gate.subnets.all()), key=lambda witness: -witness.door.left)
        return not able or await still_there(able[0], self.switchboard)

    @staticmethod
    def _able(subnets: Iterable[Subnet]) -> Iterable[Witness]:
        for subnet in subnets:
            able = subnet.able() if subnet.stopped is None else []
            yield from able[-1:]

    def _stop(self, subnet: Subnet, cause: Message, silent: Iterable[Witness]) -> None:
        subnet.fallen.update({witness.door.number: witness for witness in silent})
        fallen = tuple(witness.door.address for witness in subnet.fallen.values())
        trip = Trip(subnet.name, subnet.ward, datetime.now(UTC), cause, fallen)
        subnet.stopped = trip
        self.stopped(trip)
