"""Whether a probe is worth holding with a host, by what has become of the visit so far."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner.language import Message
from scanner.model import Outcome, Transport

if TYPE_CHECKING:
    from scanner.model import Endpoint
    from scanner.probes import Probe
    from scanner.sweep.visit import Visit

FUTILE: Final = frozenset(
    {Outcome.UNREACHABLE, Outcome.FAILED, Outcome.WITHHELD, Outcome.STALLED, Outcome.EXCESSIVE}
)
"""After these, another port of the same probe would fare no better, or the host had better be left alone."""
_TRYING: Final = frozenset({Outcome.STALLED, Outcome.EXCESSIVE})
_ENOUGH: Final = 2
"""Conversations that a host stalls or floods before it is left alone."""


def needless(visit: Visit, probe: Probe, settled: Message | None) -> Message | None:
    """Why a probe is not held with this host now.

    Args:
        visit: what has become of it so far.
        probe: which.
        settled: why nothing more need be asked at all, where enough is known.
    """
    door = visit.door
    services = door.gate.services(probe, door.terms)
    if not services.ports:
        return services.why_none
    if not visit.alive and (not reveals(visit, probe) or _is_out_of_reach(visit)):
        return Message("nothing answers there")
    return settled or _exhausted(visit) or _closed(visit, probe)


def _is_out_of_reach(visit: Visit) -> bool:
    return any(seen.outcome in FUTILE for seen in visit.observations)


def _exhausted(visit: Visit) -> Message | None:
    """Why nothing more is asked of this host."""
    if sum(seen.outcome in _TRYING for seen in visit.observations) >= _ENOUGH:
        return Message("the host stalled or flooded other conversations")
    if visit.door.left <= 0:
        return Message("the host has had its {number} attempts", {"number": str(visit.door.connections)})
    return None


def _closed(visit: Visit, probe: Probe) -> Message | None:
    return None if worth_asking(visit, probe) else Message("its ports are closed, or nothing answers there")


def worth_asking(visit: Visit, probe: Probe) -> tuple[Endpoint, ...]:
    """Where a probe may be held, less the ports that are known not to answer."""
    idle = visit.closed if visit.alive else visit.closed | visit.silent
    return tuple(
        endpoint
        for endpoint in visit.door.endpoints(probe)
        if endpoint.transport is Transport.UDP or endpoint.port not in idle
    )


def reveals(visit: Visit, probe: Probe) -> int:
    """On how many of its ports a probe is held where nothing has answered yet: on all that were named."""
    return probe.reveals if visit.door.gate.only_ports is None else len(probe.ports)
