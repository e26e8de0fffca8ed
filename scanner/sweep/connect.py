"""The default sweep: plain connections; the one that finds a port open is the one that is spoken on."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from scanner.model import Outcome
from scanner.sweep.feed import Feed
from scanner.sweep.pending import Pending
from scanner.transport.conversation import hold
from scanner.transport.gate import ForbiddenError, HoursError
from scanner.transport.switchboard import Switchboard
from scanner.transport.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scanner.language import Message
    from scanner.model import Observation, Trip
    from scanner.probes import Probe
    from scanner.transport.gate import Gate, HostDoor
    from scanner.transport.subnets import Subnet

CONNECT_SECONDS: Final = 0.9
"""How long a SYN is waited for: less than the kernel's first retransmission after 1 s (RFC 6298, section 2),
so that one attempt is one packet, and what is counted is what leaves."""

ANSWER_SECONDS: Final = 4.0
"""How long one answer may take, to its last byte: slow hosts are many, and a tarpit must not hold a place."""

HELD_AT_ONCE: Final = 256
"""Conversations under way at one time: enough to keep two cores busy, few enough that no answer waits for
this process's attention until it looks late."""

RETRIES: Final = 3
"""How often a silent first port is tried again, at most: one packet in ten may get lost each time."""

_BEFORE_CLOSING: Final = timedelta(seconds=30)
"""No visit begins so shortly before its ward's window closes: it would be cut."""

_LOST_AFTER: Final = 8
"""Hosts in a row that this machine itself could not reach before its network counts as lost."""


class Audience(Protocol):
    """Who hears of a sweep."""

    def visited(self, door: HostDoor, observations: Sequence[Observation]) -> None:
        """A host was visited; told in the order in which that is sure."""

    def cut(self, door: HostDoor, observations: Sequence[Observation]) -> None:
        """A visit ended before its end: what was learnt stands, and the host will be visited again."""

    def stopped(self, trip: Trip) -> None:
        """The circuit breaker stopped a subnet."""

    def told(self, message: Message) -> None:
        """Something that the operator should read now."""


async def sweep(
    numbers: Iterator[int],
    gate: Gate,
    probes: Sequence[Probe],
    audience: Audience,
    patience: float,
) -> int:
    """Visit every address once, as many at a time as the gate allows.

    Args:
        numbers: the addresses, in the order in which they are to be visited.
        gate: what lets attempts pass.
        probes: the conversations to hold with each host.
        audience: who hears of what happens.
        patience: seconds for which a network that is away is waited for.

    Returns:
        How many addresses were left for later, because the hours of their wards are over.

    Raises:
        NetworkLostError: this machine, not the hosts, is unreachable.
        ClockError: the clock jumped, and some ward has hours.
    """
    try:
        async with (
            Switchboard(HELD_AT_ONCE, CONNECT_SECONDS, ANSWER_SECONDS) as switchboard,
            asyncio.TaskGroup() as group,
        ):
            watch = Watch(gate, switchboard, audience.stopped, audience.told, patience)
            work = _Sweep(gate, probes, audience, switchboard, watch, Feed(numbers))
            for _ in range(gate.in_flight):
                group.create_task(work.visitor())
    except BaseExceptionGroup as ends:
        # Every visitor meets the same end; the first says why.
        raise ends.exceptions[0] from ends
    except asyncio.CancelledError:
        work.pending.finish()
        raise
    work.pending.finish()
    return work.later


@dataclass(slots=True)
class _Sweep:
    gate: Gate
    probes: Sequence[Probe]
    audience: Audience
    switchboard: Switchboard
    watch: Watch
    feed: Feed
    later: int = 0
    pending: Pending = field(init=False)
    _failures: int = 0

    def __post_init__(self) -> None:
        self.pending = Pending(self.audience.visited)

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
        """Hold every probe's conversation with one host, one after the other."""
        observations: list[Observation] = []
        door.missed = whole = False
        try:
            async with door.line:
                for probe in self.probes:
                    await _ask(door, probe, self.switchboard, observations)
            whole = True
        finally:
            if not whole:  # the scan is stopped, or the window closed: what the host has said stands
                self.gate.keep(door)
                self.audience.cut(door, observations)
        door.subnet.heard(door, observations)
        self.pending.take(door, observations)
        await self._mind_failures(door, observations)

    async def _mind_failures(self, door: HostDoor, observations: Sequence[Observation]) -> None:
        """Tell a host that cannot be reached from a machine that can reach nobody."""
        if not observations or any(seen.outcome is not Outcome.FAILED for seen in observations):
            self._failures = 0
            return
        self._failures += 1
        if self._failures >= _LOST_AFTER:
            await self.watch.lost(door.address)
            self._failures = 0
            self._visit_again()


async def _ask(
    door: HostDoor, probe: Probe, switchboard: Switchboard, observations: list[Observation]
) -> None:
    """One probe on its ports in turn, until one yields evidence; a first port that was silent is tried again.

    A lost SYN looks like a dark address. The second port's attempt comes in between, so that one burst of
    loss does not take both. Where the host answers elsewhere, or the network is known to lose packets,
    silence is asked more often.
    """
    endpoints = door.endpoints(probe)
    first = len(observations)
    for endpoint in endpoints:
        seen = await hold(probe, endpoint, door, switchboard)
        observations.append(seen)
        if seen.evidence or seen.outcome in _FUTILE:
            return
    tried = 0
    while tried < _retries(door, observations[first:]):
        seen = await hold(probe, endpoints[0], door, switchboard)
        observations.append(seen)
        if seen.outcome is not Outcome.SILENT:
            return
        tried += 1


def _retries(door: HostDoor, observations: Sequence[Observation]) -> int:
    """How often a first port that was silent is tried again."""
    if not observations or observations[0].outcome is not Outcome.SILENT:
        return 0
    if door.subnet.congestion.lossy:
        return RETRIES
    return 2 if any(seen.outcome.alive for seen in observations) else 1


_FUTILE: Final = frozenset(
    {Outcome.UNREACHABLE, Outcome.FAILED, Outcome.WITHHELD, Outcome.STALLED, Outcome.EXCESSIVE}
)
"""After these, another port of the same host would fare no better, or the host had better be left alone."""
