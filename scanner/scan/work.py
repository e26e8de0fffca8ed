"""What becomes of each visit: evidence is united, classified and recorded, and everything is counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Protocol

from scanner.addresses import AddressBits
from scanner.inventory.beside import united
from scanner.language import Message
from scanner.model import HostRecord, Outcome
from scanner.scan.neighbours import Neighbours

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scanner.inventory import Recorder
    from scanner.model import Evidence, Identity, Observation, Trip
    from scanner.scan.request import Ground
    from scanner.scan.settling import Settling
    from scanner.sweep.visit import Visit
    from scanner.transport.gate import HostDoor
    from scanner.transport.switchboard import Switchboard

_NOT_SENT: Final = frozenset({Outcome.WITHHELD, Outcome.FAILED})


@dataclass(slots=True)
class Tally:
    """What a scan has done so far."""

    total: int
    started: datetime
    visited: int = 0
    seen: int = 0
    identified: int = 0
    attempts: int = 0
    phantoms: int = 0
    """Addresses that something else answers for: no machines, and not among those seen."""
    interrupted: bool = False
    halted: bool = False
    """Whether whoever carries it out interrupted it, and no signal did."""
    trips: list[Trip] = field(default_factory=list)
    """The subnets that were stopped."""
    outcomes: Counter[str] = field(default_factory=Counter)
    _seen: AddressBits = field(default_factory=AddressBits)
    _identified: AddressBits = field(default_factory=AddressBits)

    def see(self, number: int, identity: Identity) -> None:
        """Count a machine, and what was made of it; each once, however often something is heard of it."""
        if number not in self._seen:
            self._seen.add(number)
            self.seen += 1
        if identity.candidates and number not in self._identified:
            self._identified.add(number)
            self.identified += 1

    def resume(self, past: Past) -> None:
        """Go on counting where a scan was interrupted."""
        self.visited, self.seen, self.identified = len(past.done), past.seen, past.identified
        for number in past.neighbours:
            self._seen.add(number)

    def counts(self) -> dict[str, int]:
        """The numbers that are kept with the scan."""
        numbers = {"addresses": self.total, "visited": self.visited, "seen": self.seen}
        numbers |= {"identified": self.identified, "attempts": self.attempts, "phantoms": self.phantoms}
        return numbers | dict(self.outcomes)


@dataclass(frozen=True, slots=True)
class Past:
    """What a scan has done before it was interrupted; nothing, where it is new."""

    done: AddressBits = field(default_factory=AddressBits)
    attempts: int = 0
    seen: int = 0
    identified: int = 0
    routers: frozenset[int] = frozenset()
    """Those that were asked which machines they know."""
    neighbours: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    """Whom they told of, by address: its network cards."""


class Screen(Protocol):
    """Who watches a scan."""

    def show(self, tally: Tally) -> None:
        """How far it is; a few times a second, and once at the end."""

    def told(self, message: Message) -> None:
        """Something that the operator should read now."""


class Work:
    """One scan under way: what the sweep tells goes to the inventory, the tally and the operator."""

    def __init__(
        self,
        ground: Ground,
        recorder: Recorder,
        settling: Settling,
        screen: Screen,
        past: Past,
    ) -> None:
        self.ground, self.recorder = ground, recorder
        self.screen, self.told = screen, screen.told
        self.tally = Tally(len(ground.asked), datetime.now(UTC))
        self.tally.resume(past)
        self.routers = set(past.routers)
        self.neighbours = Neighbours(recorder, settling.classifier, self.tally, dict(past.neighbours))
        self._settling = settling
        self._done = past.done
        self._attempts = past.attempts

    def __contains__(self, number: int) -> bool:
        """Whether an address is done: now, or before the scan was interrupted."""
        return number in self._done

    def visited(self, visit: Visit) -> None:
        """Classify and record one visited host."""
        self.cut(visit)
        if visit.failed or not visit.observations:
            return  # nothing left this machine: someone has to come again
        if visit.door.number not in self._done:  # else it answered late, and was taken for dark
            self.tally.visited += 1
            self._done.add(visit.door.number)
        self.recorder.visited(visit.door.number)

    def dark(self, number: int) -> None:
        """Count an address that was looked at, and where nothing answered."""
        self.tally.visited += 1
        self.tally.outcomes[Outcome.SILENT] += 1
        self._done.add(number)
        self.settle()
        self.recorder.visited(number)

    def cut(self, visit: Visit) -> None:
        """Record what a host has said, whole or not."""
        self.settle()
        observations, door = visit.observations, visit.door
        if not observations or all(seen.outcome in _NOT_SENT for seen in observations):
            return
        self.tally.outcomes[visit.outcome] += 1
        if not visit.alive and door.number not in self.neighbours.macs:
            return
        seen = self._settling.beside(door.address, tuple(observations))
        evidence = visit.evidence if len(seen) == len(observations) else united(seen)
        identity = self._settling.classifier.classify(self.neighbours.beside(door.number, evidence))
        self.tally.see(door.number, identity)
        self.recorder.record(HostRecord(door.address, door.terms.ward, seen, identity, visit.unasked))

    def settled(self, door: HostDoor, evidence: Evidence) -> Message | None:
        """Why nothing more need be asked of a host, or None where something may still be learnt."""
        return self._settling.settled(evidence, door.terms.ward)

    async def more(self, visit: Visit, switchboard: Switchboard) -> Sequence[Observation]:
        """Second opinions, where they are asked for and the verdict is still open."""
        opinions = self.ground.opinions
        if opinions is None or not self._settling.is_open(visit.evidence, visit.door.terms.ward):
            return ()
        return await opinions.of(visit.door, visit.observations, switchboard)

    def settle(self) -> None:
        """Hand the ledger over."""
        gate = self.ground.gate
        self.tally.attempts = self._attempts + gate.attempts
        if gate.ledger:
            self.recorder.sent(gate.ledger)
            gate.ledger = []

    def stopped(self, trip: Trip) -> None:
        """Record that a subnet is stopped, and say so."""
        self.settle()
        self.tally.trips.append(trip)
        self.recorder.trip(trip)
        values = {"subnet": trip.subnet, "ward": trip.ward or "-", "cause": trip.cause.render()}
        self.told(Message("{subnet} ({ward}) is stopped, nothing more is sent there: {cause}", values))
