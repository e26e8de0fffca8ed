"""``syn``: half-open looks. A SYN that is answered by SYN and ACK, or by RST, came to somebody.

Where a profile has limits, each host is looked at through its door, a packet at a time. In a laboratory
nothing has limits, and whole lots are looked at before anybody is visited (:mod:`scanner.sweep.mass`). Never
under the clinical profile: what an embedded system makes of a connection that is never completed, only its
maker knows.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from scanner.addresses import IPV6
from scanner.language import Message
from scanner.model import Endpoint, Outcome
from scanner.probes import probes
from scanner.sweep.connect import CONNECT_SECONDS
from scanner.sweep.mass import Mass
from scanner.sweep.methods import Method
from scanner.sweep.packets import Packet
from scanner.sweep.plan import More
from scanner.sweep.sightings import Answer, answer_of, looked_ports, observations
from scanner.sweep.visit import LOOK
from scanner.transport.raw import raw_part

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator, Sequence

    from scanner.model import Observation
    from scanner.sweep.mass import Listener
    from scanner.transport.gate import Gate, HostDoor
    from scanner.transport.raw import Heard, Raw
    from scanner.transport.switchboard import Switchboard

PROGRAM: Final = "syn_raw.py"
_AGAIN: Final = 1
"""How often the first port is asked again where every port was silent."""
_TIMES: Final = 9
"""How often a port is asked in a mass look at most: three times, each time as a witness too, and again where
packets get lost (:mod:`scanner.sweep.lots`)."""
_WITH_RESETS: Final = 4
"""Packets for each SYN: the kernel resets what comes back open, as often as it comes."""


@dataclass(slots=True)
class SynLook:
    """Half-open looks, under way."""

    gate: Gate
    switchboard: Switchboard
    raw: Raw
    mass: Mass
    waiting: dict[tuple[int, int], asyncio.Future[bytes]] = field(default_factory=dict)
    heard: dict[tuple[int, int], Answer] = field(default_factory=dict)

    async def ahead(self, numbers: Iterator[int], listener: Listener) -> AsyncIterator[Iterable[int]]:
        """Every address that is not dark; those that are looked at one by one are left to the visits."""
        async for part in self.mass.parts(numbers, listener):
            yield part

    async def look(self, door: HostDoor) -> Sequence[Observation]:
        """Ask the ports in turn, until one answers; the first of them again where none does."""
        known = self.mass.sightings.found.pop(door.number, None)
        if known is not None:
            return observations(door.number, known, self.mass.ports_of(door.terms))
        if door.number >= IPV6:
            return ()
        ports = looked_ports(self.gate, probes(), door.terms)
        seen: list[Observation] = []
        for port, service in (*ports, *ports[:_AGAIN]):
            seen.append(await self._ask(door, port, service))
            if seen[-1].outcome is not Outcome.SILENT:
                break
        return seen

    async def _ask(self, door: HostDoor, port: int, service: int) -> Observation:
        packet = Packet(door, Endpoint(door.address, port, service=service), LOOK)
        withheld = await packet.withheld()
        if withheld is not None:
            return withheld
        answer = await packet.heard(self._answer((door.number, port)))
        if answer.outcome is Outcome.FAILED:
            packet.unsent()
            return answer.observation(packet.endpoint, datetime.now(UTC), connections=0)
        return packet.ended(answer.outcome, answer.evidence, detail=answer.detail)

    async def _answer(self, asked: tuple[int, int]) -> Answer:
        waiter: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self.waiting[asked] = waiter
        try:
            await self.raw.send([asked])
            self.switchboard.connecting.start(waiter)
            await waiter
        finally:
            del self.waiting[asked]
        return self.heard.pop(asked, Answer(Outcome.SILENT))

    def take(self, heard: Heard) -> None:
        """Something was heard."""
        asked = (heard.number, heard.port)
        waiter = self.waiting.get(asked)
        if waiter is None:
            self.mass.sightings.take(heard)
        elif not waiter.done():
            self.heard[asked] = answer_of(heard)
            waiter.set_result(b"")


def _most(ports: int) -> More:
    """Every port three times over where the network comes and goes, each twice where packets get lost."""
    packets = _TIMES * ports
    return More(packets, packets * _WITH_RESETS, 0.0, (ports + _AGAIN) * CONNECT_SECONDS)


@asynccontextmanager
async def _opened(gate: Gate, switchboard: Switchboard) -> AsyncIterator[SynLook]:
    """The raw part, and who speaks with it.

    Raises:
        NoRawError: this machine may not.
    """
    async with raw_part(PROGRAM) as raw:
        look = SynLook(gate, switchboard, raw, Mass(gate, raw))
        raw.heard = look.take
        yield look


METHOD = Method(
    "syn",
    Message("half-open looks from a raw socket: fast, and never under the clinical profile"),
    frozenset({"office", "lab"}),
    conclusive=True,
    most=_most,
    open=_opened,
)
