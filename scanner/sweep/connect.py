"""The default sweep: plain connections; the one that finds a port open is the one that is spoken on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from scanner.errors import VetusteError
from scanner.model import Outcome
from scanner.transport.conversation import hold
from scanner.transport.gate import ForbiddenError
from scanner.transport.switchboard import Switchboard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from scanner.model import Observation
    from scanner.probes import Probe
    from scanner.transport.gate import Gate, HostDoor

    Report = Callable[[HostDoor, tuple[Observation, ...]], None]

CONNECT_SECONDS: Final = 0.9
"""How long a SYN is waited for: less than the kernel's first retransmission after 1 s (RFC 6298, section 2),
so that one attempt is one packet, and what is counted is what leaves."""

ANSWER_SECONDS: Final = 4.0
"""How long one answer may take, to its last byte: slow hosts are many, and a tarpit must not hold a place."""

HELD_AT_ONCE: Final = 256
"""Conversations under way at one time: enough to keep two cores busy, few enough that no answer waits for
this process's attention until it looks late."""

_DEAD_AFTER: Final = 64
"""Hosts in a row that this machine itself could not reach before the scan gives up."""


class NetworkLostError(VetusteError):
    """This machine has lost its network: {why}. What was recorded is kept; check the link and scan again."""


async def sweep(
    numbers: Iterator[int], gate: Gate, probes: Sequence[Probe], in_flight: int, report: Report
) -> None:
    """Visit every address once, ``in_flight`` of them at a time.

    Args:
        numbers: the addresses, in the order in which they are to be visited.
        gate: what lets attempts pass.
        probes: the conversations to hold with each host.
        in_flight: how many hosts are waited for at one time.
        report: told of each visited host, in the order in which visits end.

    Raises:
        NetworkLostError: this machine, not the hosts, is unreachable.
    """
    failures = _LocalFailures()

    async def visitor(switchboard: Switchboard) -> None:
        for number in numbers:
            try:
                door = gate.host(number)
            except ForbiddenError:
                continue
            observations: list[Observation] = []
            try:
                await visit(door, probes, switchboard, observations)
            finally:  # what a host has said stands, should the scan be stopped in the middle of a visit
                report(door, tuple(observations))
            failures.see(observations)

    try:
        async with (
            Switchboard(HELD_AT_ONCE, CONNECT_SECONDS, ANSWER_SECONDS) as switchboard,
            asyncio.TaskGroup() as group,
        ):
            for _ in range(in_flight):
                group.create_task(visitor(switchboard))
    except BaseExceptionGroup as ends:
        # Every visitor meets the same end; the first says why.
        raise ends.exceptions[0] from ends


class _LocalFailures:
    """Tells a host that cannot be reached from a machine that can reach nobody."""

    def __init__(self) -> None:
        self._in_a_row = 0

    def see(self, observations: Sequence[Observation]) -> None:
        if not observations or any(seen.outcome is not Outcome.FAILED for seen in observations):
            self._in_a_row = 0
            return
        self._in_a_row += 1
        if self._in_a_row >= _DEAD_AFTER:
            raise NetworkLostError(why=observations[-1].detail)


async def visit(
    door: HostDoor,
    probes: Sequence[Probe],
    switchboard: Switchboard,
    observations: list[Observation],
) -> None:
    """Hold every probe's conversation with one host, one after the other, adding to ``observations``."""
    for probe in probes:
        await _ask(door, probe, switchboard, observations)


async def _ask(
    door: HostDoor, probe: Probe, switchboard: Switchboard, observations: list[Observation]
) -> None:
    """One probe on its ports in turn, until one yields evidence; a first port that was silent is tried again.

    A lost SYN looks like a dark address. The second port's attempt comes in between, so that one burst of
    loss does not take both.
    """
    endpoints = door.endpoints(probe)
    first = len(observations)
    for endpoint in endpoints:
        seen = await hold(probe, endpoint, door, switchboard)
        observations.append(seen)
        if seen.evidence or seen.outcome in _FUTILE:
            return
    if endpoints and observations[first].outcome is Outcome.SILENT:
        observations.append(await hold(probe, endpoints[0], door, switchboard))


_FUTILE: Final = frozenset(
    {Outcome.UNREACHABLE, Outcome.FAILED, Outcome.WITHHELD, Outcome.STALLED, Outcome.EXCESSIVE}
)
"""After these, another port of the same host would fare no better, or the host had better be left alone."""
