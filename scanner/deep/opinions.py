"""Whom second opinions are asked about, and how many at a time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from scanner.deep import msrpc, nmap
from scanner.deep.allowed import scripts
from scanner.model import Outcome, Transport

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scanner.model import Endpoint, Observation
    from scanner.transport.gate import HostDoor
    from scanner.transport.switchboard import Switchboard

_AT_ONCE: Final = 4
"""Hosts about which a program is asked at one time; each is a process of some 40 MB."""
GENTLE: Final = "clinical"
"""The profile under which nobody else's program has a say."""
_OPEN: Final = frozenset({Outcome.ANSWERED, Outcome.FOREIGN, Outcome.CLOSED, Outcome.RESET})
_TRYING: Final = frozenset({Outcome.STALLED, Outcome.EXCESSIVE})
"""A port where some conversation ended like this is left alone."""


@dataclass(slots=True)
class SecondOpinions:
    """Asks other people's programs; one for a whole scan."""

    _turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))

    async def of(
        self, door: HostDoor, observations: Sequence[Observation], switchboard: Switchboard
    ) -> list[Observation]:
        """Ask about one host, of which the scan's own probes have told too little.

        Args:
            door: the host's, whose line the caller holds.
            observations: what the host said in this visit: only endpoints that answered are asked again.
            switchboard: what all connections share.

        Returns:
            What came of it, whatever a network or a program can do; nothing where nothing was asked.

        Raises:
            ClockError: the hours of the ward cannot be told any more.
        """
        endpoints = _open(observations)
        if door.terms.limits.profile == GENTLE or not endpoints:
            return []
        async with self._turns:
            told = await nmap.ask(door, endpoints, switchboard)
            return told + await msrpc.ask(door, endpoints, switchboard)


def _open(observations: Sequence[Observation]) -> list[Endpoint]:
    """Endpoints that took a connection and bore it, each once."""
    seen = [each for each in observations if each.endpoint.transport in {Transport.TCP, Transport.TLS}]
    tried = {each.endpoint.port for each in seen if each.outcome in _TRYING}
    found = {each.endpoint.port: each.endpoint for each in seen if each.outcome in _OPEN}
    return [endpoint for port, endpoint in found.items() if port not in tried]


def most() -> tuple[int, int, float]:
    """What a host may cost at most: connections, packets, and seconds that the scan takes longer."""
    own = [scripts().at(service, 1 << 16) for service in scripts().names]
    connections = sum(script.connections for chosen in own for script in chosen) + msrpc.CONNECTIONS
    packets = sum(script.packets for chosen in own for script in chosen) + msrpc.PACKETS
    return connections, packets, (len(own) * nmap.SECONDS + msrpc.SECONDS) / _AT_ONCE
