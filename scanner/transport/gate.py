"""The only door to the network: it knows scope, ports, hours and limits, and counts what passes."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from scanner.addresses import address_of
from scanner.errors import LimitError, VetusteError
from scanner.model import Endpoint
from scanner.transport.clock import Clock
from scanner.transport.pacing import Pacer
from scanner.transport.services import Services, services
from scanner.transport.subnets import Subnet, Subnets

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scanner.model import Attempt
    from scanner.probes import Probe
    from scanner.targets import Scope
    from scanner.transport.limits import Terms


_AT_ONCE: Final = 256
"""Packets that may leave as one, at most."""
_MOMENT: Final = 0.002
"""Seconds that they are spread over otherwise."""


class ForbiddenError(VetusteError):
    """Scope or limits forbid this: nothing was sent."""


class HoursError(ForbiddenError):
    """The window {window} is closed."""


class HeldBackError(HoursError):
    """Nothing may be sent for the time being: whoever is being visited is visited again."""


@dataclass(slots=True)
class Gate:
    """What may leave this machine, how often, and how much did.

    One gate serves a whole scan. ``terms_of`` gives the terms that hold for an address (wards differ); hosts
    under the same rate share one pacer, and all pacers stand within that of the whole scan.
    """

    scope: Scope
    terms_of: Callable[[int], Terms]
    only_ports: frozenset[int] | None = None
    """Where the operator asked for some ports only."""
    rate: float | None = None
    """Attempts a second, in all; None: no limit but those of the terms."""
    subnets: Subnets = field(default_factory=Subnets)
    clock: Clock = field(default_factory=Clock)
    unsigned: frozenset[str] = frozenset()
    """Roles whose signature is demanded and was not verified yet: nothing leaves meanwhile."""
    held_back: Callable[[], bool] | None = None
    """Asked before every packet, whatever its terms: whether nothing may be sent for the time being."""
    in_flight: int = 1
    """Most hosts that are waited for at one time."""
    attempts: int = 0
    """Connection attempts and datagrams so far."""
    ledger: list[Attempt] = field(default_factory=list)
    """What ended and was not fetched yet."""
    _pacers: dict[float | None, Pacer] = field(default_factory=dict)
    _services: dict[tuple[str, int], Services] = field(default_factory=dict)
    """By probe and by the identity of the terms, which live as long as the gate."""
    _kept: dict[int, HostDoor] = field(default_factory=dict)
    """Doors of hosts that will be visited again: their limits are those of the scan, not of a visit."""

    def host(self, number: int) -> HostDoor:
        """The door to one host, for one scan.

        Raises:
            ForbiddenError: the address is out of scope.
        """
        kept = self._kept.get(number)
        if kept is not None:
            return kept
        if not self.scope.permits(number):
            raise ForbiddenError("{address} is out of scope", address=address_of(number))
        terms = self.terms_of(number)
        return HostDoor(
            self, number, address_of(number), terms, self.subnets.of(number, terms, self._pacer(terms))
        )

    def keep(self, door: HostDoor) -> None:
        """Give this door again when its host is asked for."""
        self._kept[door.number] = door

    def _pacer(self, terms: Terms) -> Pacer:
        rate = terms.limits.rate
        if not self._pacers:
            self._pacers[self.rate] = Pacer(self.rate)
        return self._pacers.get(rate) or self._pacers.setdefault(rate, Pacer(rate, self._pacers[self.rate]))

    def at_once(self, terms: Terms) -> int:
        """How many packets may leave as one where nothing is watched: some milliseconds' worth of them."""
        rate = self._pacer(terms).slowest
        return _AT_ONCE if rate is None else max(1, min(_AT_ONCE, int(rate * _MOMENT)))

    async def admit_many(self, terms: Terms, numbers: Sequence[int]) -> None:
        """Wait for the turns of a packet to each of these hosts, and count them.

        Only for terms under which nothing is watched: no host has limits of its own there.

        Raises:
            ForbiddenError: one of them is out of scope or watched, nothing may leave, or the hours are over.
            ClockError: the clock jumped: the ward's hours cannot be told.
        """
        if terms.limits.watched or terms.canaries:
            raise ForbiddenError
        if not all(self.scope.permits(number) and self.terms_of(number) is terms for number in numbers):
            raise ForbiddenError
        self.demand_open(terms)
        await self._pacer(terms).turn(len(numbers))
        self.demand_open(terms)
        self.attempts += len(numbers)

    def demand_open(self, terms: Terms, ahead: timedelta = timedelta()) -> None:
        """Check that anything may be sent under these terms now, and for so long after.

        Raises:
            ForbiddenError: it may not.
            ClockError: the clock jumped.
        """
        demand_free(self)
        if self.unsigned:
            raise ForbiddenError("not signed by {roles}", roles=", ".join(sorted(self.unsigned)))
        window = terms.window
        if window is not None:
            self.clock.demand_steady()
            now = datetime.now(UTC)
            if now not in window or (ahead and now + ahead not in window):
                raise HoursError(window=str(window))

    def services(self, probe: Probe, terms: Terms) -> Services:
        """Where a probe may be held under a ward's terms."""
        key = (probe.name, id(terms))
        if key not in self._services:
            self._services[key] = services(probe, terms, self.only_ports)
        return self._services[key]


def demand_free(gate: Gate) -> None:
    """Check that nothing holds everything back; what goes on in a connection asks this alone.

    Raises:
        HeldBackError: something does.
    """
    if gate.held_back is not None and gate.held_back():
        raise HeldBackError


@dataclass(slots=True)
class HostDoor:
    """One host's limits in one scan: one conversation at a time, so many connections, so far apart."""

    gate: Gate
    number: int
    address: str
    terms: Terms
    subnet: Subnet
    connections: int = 0
    line: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held by whoever speaks with the host."""
    silent: Endpoint | None = None
    """Where the last attempt stayed without an answer."""
    missed: bool = False
    """Whether the last that was sent in the visit under way was met by silence."""
    asked: float = float("-inf")
    """When anything was last sent to it, on the monotonic clock."""

    def endpoints(self, probe: Probe) -> tuple[Endpoint, ...]:
        """Where the probe may be held on this host."""
        return tuple(
            Endpoint(self.address, port, probe.transport, service)
            for port, service in self.gate.services(probe, self.terms).ports
        )

    @property
    def left(self) -> int:
        """Connections that the host may still get in this scan."""
        return self.terms.limits.connections - self.connections

    async def admit(self, *, counted: bool = True) -> None:
        """Wait for the turn of one more attempt, and count it.

        Args:
            counted: whether it is one of the connections that a host gets in a scan; those of hosts that the
                site file names to be asked more, canaries and routers, are not.

        Raises:
            ForbiddenError: the address is out of scope, its subnet is stopped, or its ward's hours are over;
                asked at every attempt, before and after it waited for its turn.
            LimitError: this host has had all the connections that its limits allow.
            ClockError: the clock jumped: the ward's hours cannot be told.
        """
        self.demand_leave()
        if counted:
            if self.left <= 0:
                raise LimitError(f"{self.connections} connections were made")
            self.connections += 1
        if self.terms.limits.host_interval:
            wait = self.asked + self.terms.limits.host_interval - time.monotonic()
            if wait > 0:
                await asyncio.sleep(wait)
        await self.subnet.pacer.turn()
        self.demand_leave()
        self.gate.attempts += 1
        self.asked = time.monotonic()
        self.subnet.congestion.left(self.asked)
        self.subnet.turns.left(self.number)

    def demand_leave(self, ahead: timedelta = timedelta()) -> None:
        """Check that something may be sent now, and for so long after.

        Raises:
            ForbiddenError: it may not.
            ClockError: the clock jumped.
        """
        if not self.gate.scope.permits(self.number):
            raise ForbiddenError
        if self.subnet.stopped is not None:
            raise ForbiddenError("the circuit breaker stopped {subnet}", subnet=self.subnet.name)
        self.gate.demand_open(self.terms, ahead)

    def answered(self) -> None:
        """The host gave a sign of life: it is there, and so is the way to it."""
        self.missed = False
        self.subnet.alive = datetime.now(UTC)

    def lost(self, endpoint: Endpoint) -> bool:
        """Whether an attempt to an endpoint that answers now stayed without an answer before."""
        lost = self.silent == endpoint
        if lost:
            self.silent = None
        return lost

    def recount(self, attempts: int, *, counted: bool = True) -> None:
        """Count attempts of the kernel itself, or take one back that this machine could not send.

        Args:
            attempts: how many, or less than none.
            counted: whether they are among the connections that a host gets in a scan.
        """
        self.connections += attempts * counted
        self.gate.attempts += attempts
