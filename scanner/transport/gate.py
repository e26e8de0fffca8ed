"""The only door to the network: it knows scope, ports and limits, and counts what passes."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from scanner.addresses import address_of
from scanner.errors import LimitError, VetusteError
from scanner.model import Endpoint
from scanner.transport.limits import REFUSED_PORTS
from scanner.transport.pacing import Pacer

if TYPE_CHECKING:
    from collections.abc import Callable

    from scanner.model import Transport
    from scanner.probes import Probe
    from scanner.targets import Scope
    from scanner.transport.limits import Limits, Terms


class ForbiddenError(VetusteError):
    """Scope or limits forbid this: nothing was sent."""


@dataclass(slots=True)
class Gate:
    """What may leave this machine, how often, and how much did.

    One gate serves a whole scan. ``terms_of`` gives the terms that hold for an address (wards differ); hosts
    under the same rate share one pacer.
    """

    scope: Scope
    terms_of: Callable[[int], Terms]
    only_ports: frozenset[int] | None = None
    """Where the operator asked for some ports only."""
    attempts: int = 0
    """Connection attempts and datagrams so far."""
    _pacers: dict[float | None, Pacer] = field(default_factory=dict)
    _services: dict[tuple[str, int], tuple[tuple[int, int], ...]] = field(default_factory=dict)
    """By probe and by the identity of the terms, which live as long as the gate."""

    def host(self, number: int) -> HostDoor:
        """The door to one host, for one scan.

        Raises:
            ForbiddenError: the address is out of scope.
        """
        if not self.scope.permits(number):
            raise ForbiddenError("{address} is out of scope", address=address_of(number))
        terms = self.terms_of(number)
        rate = terms.limits.rate
        pacer = self._pacers.get(rate) or self._pacers.setdefault(rate, Pacer(rate))
        return HostDoor(self, number, address_of(number), terms, pacer)

    def services(self, probe: Probe, terms: Terms) -> tuple[tuple[int, int], ...]:
        """The ports where a probe may be held, as (port, the registered port that it stands for)."""
        key = (probe.name, id(terms))
        if key not in self._services:
            self._services[key] = self._services_of(probe, terms)
        return self._services[key]

    def _services_of(self, probe: Probe, terms: Terms) -> tuple[tuple[int, int], ...]:
        named = terms.ports.get(probe.name)
        pairs = zip(named, probe.ports, strict=False) if named else ((port, port) for port in probe.ports)
        return tuple(
            (port, service)
            for port, service in pairs
            if self._permits(probe.transport, port, service, terms.limits, named=named is not None)
        )

    def _permits(self, transport: Transport, port: int, service: int, limits: Limits, *, named: bool) -> bool:
        if port in REFUSED_PORTS and not named:
            return False
        if self.only_ports is not None and port not in self.only_ports:
            return False
        return limits.services is None or (transport, service) in limits.services


@dataclass(slots=True)
class HostDoor:
    """One host's limits in one scan: one conversation at a time, so many connections, so far apart."""

    gate: Gate
    number: int
    address: str
    terms: Terms
    pacer: Pacer
    connections: int = 0
    _last: float = float("-inf")

    def endpoints(self, probe: Probe) -> tuple[Endpoint, ...]:
        """Where the probe may be held on this host."""
        return tuple(
            Endpoint(self.address, port, probe.transport, service)
            for port, service in self.gate.services(probe, self.terms)
        )

    async def admit(self) -> None:
        """Wait for the turn of one more attempt, and count it.

        Raises:
            ForbiddenError: the address is out of scope, or its ward's hours are over; asked at every attempt.
            LimitError: this host has had all the connections that its limits allow.
        """
        if not self.gate.scope.permits(self.number):
            raise ForbiddenError
        limits, window = self.terms.limits, self.terms.window
        if self.connections >= limits.connections:
            raise LimitError(f"{self.connections} connections were made")
        self.connections += 1
        if limits.host_interval:
            wait = self._last + limits.host_interval - time.monotonic()
            if wait > 0:
                await asyncio.sleep(wait)
        await self.pacer.turn()
        if window is not None and datetime.now(UTC) not in window:
            raise ForbiddenError("the window {window} is closed", window=str(window))
        self.gate.attempts += 1
        self._last = time.monotonic()
