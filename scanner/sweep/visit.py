"""One visit: every probe's conversation with one host, one after the other, until enough is known."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from scanner.model import Outcome, Transport
from scanner.sweep.worth import FUTILE, needless, reveals, worth_asking
from scanner.transport.conversation import hold

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from scanner.language import Message
    from scanner.model import Endpoint, Evidence, Observation
    from scanner.probes import Probe
    from scanner.transport.gate import HostDoor
    from scanner.transport.switchboard import Switchboard

LOOK: Final = "syn"
"""Whose observations are half-open looks: no conversation, but they tell which ports answer."""

_NOT_TCP: Final = frozenset({Transport.UDP, Transport.ICMP, Transport.LINK})
"""What says nothing of which TCP ports answer."""

RETRIES: Final = 3
"""How often a silent first port is tried again, at most: one packet in ten may get lost each time."""


class Judgement(Protocol):
    """Who knows when enough is known of a host."""

    def settled(self, door: HostDoor, evidence: Evidence) -> Message | None:
        """Why nothing more need be asked, or None where something may still be learnt."""


@dataclass(slots=True)
class Visit:
    """What became of a host that was visited."""

    door: HostDoor
    observations: list[Observation] = field(default_factory=list)
    unasked: dict[str, Message] = field(default_factory=dict)
    """Why a probe was not held, by its name."""
    evidence: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """All that the host has said; different values of one key stand side by side."""
    closed: set[int] = field(default_factory=set)
    """Ports that refused a connection, or did not answer a half-open look."""
    silent: set[int] = field(default_factory=set)
    """Ports that did not answer a connection: where anything else answers, it may have got lost."""

    @property
    def ended(self) -> datetime | None:
        """When its last conversation ended; None where none was held."""
        return self.observations[-1].at if self.observations else None

    @property
    def outcome(self) -> Outcome:
        """Of the first conversation that told something, else of the last sign of life, else of the last.

        What neighbours know counts where there is nothing else.
        """
        seen = sorted(self.observations, key=lambda each: each.endpoint.transport is not Transport.LINK)
        told = [
            each.outcome for each in seen if each.evidence and each.endpoint.transport is not Transport.LINK
        ]
        alive = [each.outcome for each in seen if each.outcome.alive]
        return (told or alive[-1:] or [seen[-1].outcome])[0]

    @property
    def alive(self) -> bool:
        """Whether anything of the host has answered, were it by a refusal."""
        return any(seen.outcome.alive for seen in self.observations)

    @property
    def may_answer(self) -> bool:
        """Whether it answered, or was not looked at yet."""
        return self.alive or not self.observations

    @property
    def failed(self) -> bool:
        """Whether nothing left this machine, for reasons of its own."""
        return bool(self.observations) and all(seen.outcome is Outcome.FAILED for seen in self.observations)

    def take(self, seen: Observation) -> None:
        """A conversation ended, or a look."""
        self.observations.append(seen)
        if seen.endpoint.transport in _NOT_TCP:
            pass
        elif seen.outcome is Outcome.REFUSED or (seen.outcome is Outcome.SILENT and seen.probe == LOOK):
            self.closed.add(seen.endpoint.port)
        elif seen.outcome is Outcome.SILENT:
            self.silent.add(seen.endpoint.port)
        for key, values in seen.evidence.items():
            self.evidence[key] = tuple(dict.fromkeys(self.evidence.get(key, ()) + values))


@dataclass(slots=True)
class Asking:
    """A visit under way."""

    visit: Visit
    switchboard: Switchboard
    judgement: Judgement
    _settled: Message | None = None

    async def hold_all(self, probes: Sequence[Probe]) -> None:
        """Hold what may tell something, in the order of the probes."""
        told_nothing: list[Probe] = []
        for probe in probes:
            why = needless(self.visit, probe, self._settled)
            if why is not None:
                self.visit.unasked[probe.name] = why
                continue
            if not await self._hold(probe):
                told_nothing.append(probe)
            for other in told_nothing:
                if self.visit.evidence.keys() & set(other.wants) and not needless(
                    self.visit, other, self._settled
                ):
                    told_nothing.remove(other)
                    await self._hold_again(other)
                    break

    async def _hold(self, probe: Probe) -> bool:
        """One probe on its ports in turn, until one yields evidence; whether one did.

        A lost SYN looks like a dark address: a first port that was silent is tried again. The second port's
        attempt comes in between, so that one burst of loss does not take both. Where the host answers
        elsewhere, or the network is known to lose packets, silence is asked more often. On such a network
        a stall is asked once more: a peer whose SYN-ACK was lost waits three seconds before it repeats an
        answer that was lost too (RFC 6298, section 5.7).
        """
        endpoints = worth_asking(self.visit, probe)
        first = len(self.visit.observations)
        for endpoint in endpoints if self.visit.alive else endpoints[: reveals(self.visit, probe)]:
            seen = await self._ask(probe, endpoint)
            if seen.outcome is Outcome.STALLED and not seen.evidence and _gets_lost(self.visit):
                seen = await self._ask(probe, endpoint)
            if seen.evidence:
                return True
            if seen.outcome in FUTILE:
                return False
        tried = 0
        while tried < self._retries(probe, self.visit.observations[first:]):
            seen = await self._ask(probe, endpoints[0])
            if seen.outcome is not Outcome.SILENT:
                return bool(seen.evidence)
            tried += 1
        return False

    async def _hold_again(self, probe: Probe) -> None:
        """The same where the host answered, now that more is known of it."""
        answered = [
            seen.endpoint
            for seen in self.visit.observations
            if seen.probe == probe.name and seen.outcome.alive and seen.outcome is not Outcome.REFUSED
        ]
        for endpoint in answered:
            await self._ask(probe, endpoint)

    async def _ask(self, probe: Probe, endpoint: Endpoint) -> Observation:
        visit = self.visit
        seen = await hold(probe, endpoint, visit.door, self.switchboard, visit.evidence)
        visit.take(seen)
        if seen.evidence:
            self._settled = self.judgement.settled(visit.door, visit.evidence)
        return seen

    def _retries(self, probe: Probe, observations: Sequence[Observation]) -> int:
        """How often a first port that was silent is tried again."""
        if not observations or observations[0].outcome is not Outcome.SILENT:
            return 0
        if _gets_lost(self.visit):
            return RETRIES
        if not reveals(self.visit, probe):
            return 0  # the host is known to answer: most likely its firewall is silent
        return 2 if any(seen.outcome.alive for seen in observations) else 1


def _gets_lost(visit: Visit) -> bool:
    """Whether the host's network is known to lose packets."""
    return visit.door.subnet.congestion.lossy
