"""The default sweep: plain connections; the one that finds a port open is the one that is spoken on."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from scanner.sweep.feed import Feed
from scanner.sweep.pending import Pending
from scanner.sweep.visit import Asking, Judgement, Visit
from scanner.transport.gate import ForbiddenError, HoursError
from scanner.transport.neighbours import KEY, Neighbours
from scanner.transport.switchboard import Switchboard
from scanner.transport.watch import Watch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator, Sequence

    from scanner.language import Message
    from scanner.model import Observation, Trip
    from scanner.probes import Probe
    from scanner.sweep.methods import Look, Method
    from scanner.transport.gate import Gate, HostDoor
    from scanner.transport.subnets import Subnet

CONNECT_SECONDS: Final = 0.9
"""How long a SYN is waited for: less than the kernel's first retransmission after 1 s (RFC 6298, section 2),
so that one attempt is one packet, and what is counted is what leaves."""

ANSWER_SECONDS: Final = 4.0
"""How long one answer may take, to its last byte: slow hosts are many, and a tarpit must not hold a place."""

DATAGRAM_SECONDS: Final = 2.0
"""How long the answer to a datagram is waited for: nobody sends it again, and most ports stay silent."""

HELD_AT_ONCE: Final = 256
"""Conversations under way at one time: enough to keep two cores busy, few enough that no answer waits for
this process's attention until it looks late."""

_BEFORE_CLOSING: Final = timedelta(seconds=30)
"""No visit begins so shortly before its ward's window closes: it would be cut."""

_LOST_AFTER: Final = 8
"""Hosts in a row that this machine itself could not reach before its network counts as lost."""


class Audience(Judgement, Protocol):
    """Who hears of a sweep."""

    def visited(self, visit: Visit) -> None:
        """A host was visited; told in the order in which that is sure."""

    def dark(self, number: int) -> None:
        """An address was looked at, and nothing answered there: nobody visits it."""

    def cut(self, visit: Visit) -> None:
        """A visit ended before its end: what was learnt stands, and the host will be visited again."""

    async def more(self, visit: Visit, switchboard: Switchboard) -> Sequence[Observation]:
        """What others make of a host whose line is held, where the probes told too little."""

    def stopped(self, trip: Trip) -> None:
        """The circuit breaker stopped a subnet."""

    def told(self, message: Message) -> None:
        """Something that the operator should read now."""


async def sweep(  # noqa: PLR0913 - who goes where, how, and who hears of it
    numbers: Iterator[int],
    gate: Gate,
    probes: Sequence[Probe],
    audience: Audience,
    patience: float,
    *,
    method: Method | None = None,
) -> int:
    """Visit every address once, as many at a time as the gate allows.

    Args:
        numbers: the addresses, in the order in which they are to be visited.
        gate: what lets attempts pass.
        probes: the conversations to hold with each host.
        audience: who hears of what happens.
        patience: seconds for which a network that is away is waited for.
        method: how hosts are looked at before any probe is held with them; None: they are not.

    Returns:
        How many addresses were left for later, because the hours of their wards are over.

    Raises:
        NetworkLostError: this machine, not the hosts, is unreachable.
        ClockError: the clock jumped, and some ward has hours.
    """
    pending = Pending(audience.visited)
    try:
        async with (
            Switchboard(HELD_AT_ONCE, CONNECT_SECONDS, ANSWER_SECONDS, DATAGRAM_SECONDS) as switchboard,
            nullcontext() if method is None else method.open(gate, switchboard) as look,
        ):
            watch = Watch(gate, switchboard, audience.stopped, audience.told, patience)
            work = _Sweep(gate, probes, audience, switchboard, watch, pending, look)
            work.conclusive = method is not None and method.conclusive
            await work.visit_all(numbers)
    except BaseExceptionGroup as ends:
        # Every visitor meets the same end; the first says why.
        raise ends.exceptions[0] from ends
    except asyncio.CancelledError:
        pending.finish()
        raise
    pending.finish()
    return work.later


@dataclass(slots=True)
class _Sweep:
    gate: Gate
    probes: Sequence[Probe]
    audience: Audience
    switchboard: Switchboard
    watch: Watch
    pending: Pending
    look: Look | None
    conclusive: bool = False
    """Whether nobody is there where the look meets silence."""
    neighbours: Neighbours = field(default_factory=Neighbours)
    later: int = 0
    feed: Feed = field(init=False)
    _failures: int = 0

    async def visit_all(self, numbers: Iterator[int]) -> None:
        """Visit whom the look leaves, with as many visitors as the gate allows."""
        parts = _whole(numbers) if self.look is None else self.look.ahead(numbers, _Beforehand(self))
        async for part in parts:
            self.feed = Feed(iter(part))
            async with asyncio.TaskGroup() as group:
                for _ in range(self.gate.in_flight):
                    group.create_task(self.visitor())

    async def visitor(self) -> None:
        """Visit one address after the other."""
        while (number := await self.feed.next()) is not None:
            try:
                door = self.gate.host(number)
                await self.watch.present()
                if await self._may_begin(door):
                    try:
                        await self._visit(door)
                    finally:
                        door.subnet.turns.end(number)
            except HoursError:
                self.later += 1
            except ForbiddenError:
                pass  # excluded, or stopped: it counts as untouched
            finally:
                self.feed.done()

    async def _may_begin(self, door: HostDoor) -> bool:
        """Whether this host's subnet lets one more be begun; where it must be looked at first, do that."""
        subnet = door.subnet
        while subnet.due and subnet.stopped is None:
            if subnet.full:
                subnet.turns.freed = partial(self.feed.release, subnet.name)
                self.feed.park(subnet.name, door.number)
                return False
            await self._look_back(subnet)
        door.demand_leave(ahead=_BEFORE_CLOSING)
        subnet.turns.begin(door.number)
        return True

    async def _look_back(self, subnet: Subnet) -> None:
        try:
            well = await self.watch.look_back(subnet)
        finally:
            self.feed.release(subnet.name)
        if subnet.stopped is not None:
            self.pending.drop(subnet)
        elif not well:
            self._visit_again()
        elif subnet.alive is not None:
            self.pending.heard(subnet, subnet.alive)

    def _visit_again(self) -> None:
        """The network was away: whoever was silent then is visited again."""
        doors = self.pending.forget()
        for door in doors:
            self.gate.keep(door)
        self.feed.again(door.number for door in doors)

    async def _visit(self, door: HostDoor) -> None:
        """Visit one host, and tell of it."""
        visit = Visit(door)
        door.missed = whole = False
        try:
            async with door.line:
                for seen in () if self.look is None else await self.look.look(door):
                    visit.take(seen)
                if not self.conclusive or visit.may_answer:
                    await Asking(visit, self.switchboard, self.audience).hold_all(self.probes)
                await _meet(visit, self.neighbours)
                for seen in await self.audience.more(visit, self.switchboard):
                    visit.take(seen)
            whole = True
        finally:
            if not whole:  # the scan is stopped, or the window closed: what the host has said stands
                self.gate.keep(door)
                self.audience.cut(visit)
        door.subnet.heard(door, visit.observations)
        self.pending.take(visit)
        await self._mind_failures(visit)

    async def _mind_failures(self, visit: Visit) -> None:
        """Tell a host that cannot be reached from a machine that can reach nobody."""
        if not visit.failed:
            self._failures = 0
            return
        self._failures += 1
        if self._failures >= _LOST_AFTER:
            await self.watch.lost(visit.door.address)
            self._failures = 0
            self._visit_again()


async def _whole(numbers: Iterator[int]) -> AsyncIterator[Iterable[int]]:
    """All in one part, where nobody looks ahead."""
    yield numbers


async def _meet(visit: Visit, neighbours: Neighbours) -> None:
    """Learn the MAC address of a host that answered, where it is a neighbour."""
    if visit.alive and KEY not in visit.evidence:
        known = await neighbours.seen(visit.door)
        if known is not None:
            visit.take(known)


@dataclass(frozen=True, slots=True)
class _Beforehand:
    """What a look makes known of addresses that nobody visits."""

    work: _Sweep

    def dark(self, number: int) -> None:
        self.work.audience.dark(number)

    def left_for_later(self, number: int) -> None:
        self.work.later += number

    def told(self, message: Message) -> None:
        self.work.audience.told(message)

    async def lost(self, address: str) -> None:
        await self.work.watch.lost(address)
