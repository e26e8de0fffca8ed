"""Asking routers which machines they know, before the first of these is visited.

A machine behind a firewall of its own answers nobody, but it has spoken with its router. What that says of it
is recorded at once: it is there, and this is its network card.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from scanner.addresses import AddressSet, address_of
from scanner.language import Message
from scanner.model import Endpoint, HostRecord, Observation, Outcome, Transport
from scanner.probes import snmp
from scanner.probes.snmp_tables import TABLES, neighbours
from scanner.sweep.connect import ANSWER_SECONDS, CONNECT_SECONDS, DATAGRAM_SECONDS, HELD_AT_ONCE
from scanner.transport.conversation import hold
from scanner.transport.gate import ForbiddenError, HoursError
from scanner.transport.switchboard import Switchboard
from scanner.transport.watch import Watch

if TYPE_CHECKING:
    from datetime import datetime

    from scanner.classify import Classifier
    from scanner.inventory import Recorder
    from scanner.model import Evidence
    from scanner.scan.routers import Machine
    from scanner.scan.work import Tally, Work
    from scanner.transport.gate import HostDoor

MAC: Final = "mac.address"
"""The evidence that a neighbour, not the machine itself, gives of it."""
_AT_ONCE: Final = 500
"""Machines that are recorded at a stretch."""
_BEFORE_CLOSING: Final = timedelta(seconds=30)
"""No router is begun with so shortly before its ward's window closes."""


@dataclass(slots=True)
class Neighbours:
    """The machines that routers have told of in one scan."""

    recorder: Recorder
    classifier: Classifier
    tally: Tally
    macs: dict[int, tuple[str, ...]] = field(default_factory=dict)
    """By address, on the number line."""

    def take(self, machine: Machine, at: datetime) -> None:
        """Record a machine; what another router has said already is not recorded again."""
        before = self.macs.get(machine.number, ())
        macs = tuple(dict.fromkeys((*before, *machine.macs)))
        if macs == before:
            return
        self.macs[machine.number] = macs
        address, evidence = address_of(machine.number), {MAC: macs}
        seen = Observation(
            Endpoint(address, 0, Transport.ICMP), TABLES.name, at, Outcome.ANSWERED, evidence
        )  # it was no conversation with the machine itself: no port, as of one that an import saw
        identity = self.classifier.classify(evidence)
        self.tally.see(machine.number, identity)
        self.recorder.record(HostRecord(address, machine.ward, (seen,), identity))

    def beside(self, number: int, evidence: Evidence) -> Evidence:
        """What a host has said, with what routers say of it."""
        return {**evidence, MAC: self.macs[number]} if number in self.macs else evidence

    def addresses(self) -> AddressSet:
        """Where they are."""
        return AddressSet((number, number) for number in self.macs)


def announce(work: Work) -> None:
    """Say which routers are not asked in this scan, and why."""
    for routers, why in work.ground.routers.reasons():
        values = {"routers": routers, "why": why.render()}
        work.told(Message("routers not asked which machines they know: {routers}: {why}", values))


def announce_left(work: Work) -> None:
    """Say which routers were not asked after all."""
    for number in work.ground.routers.asked:
        if number not in work.routers:
            values = {"router": address_of(number)}
            work.told(
                Message(
                    "the router {router} was not asked which machines it knows: its ward's hours are over, "
                    "or its subnet is stopped",
                    values,
                )
            )


async def ask_routers(work: Work) -> None:
    """Ask every router that may be asked now and was not yet in this scan, all at one time.

    Raises:
        NetworkLostError, ClockError: the scan ends.
        InventoryError: the inventory cannot be written.
    """
    waiting = [number for number in work.ground.routers.asked if number not in work.routers]
    if not waiting:
        return
    try:
        async with Switchboard(HELD_AT_ONCE, CONNECT_SECONDS, ANSWER_SECONDS, DATAGRAM_SECONDS) as board:
            watch = Watch(work.ground.gate, board, work.stopped, work.told, work.ground.patience)
            doors = [door for number in waiting if (door := await _opened(work, watch, number)) is not None]
            async with asyncio.TaskGroup() as group:
                for door in doors:
                    group.create_task(_ask(work, door, board))
    except BaseExceptionGroup as ends:
        raise ends.exceptions[0] from ends


async def _opened(work: Work, watch: Watch, number: int) -> HostDoor | None:
    """A router's door; None where nothing may be sent to it now. Its canaries are asked first."""
    gate = work.ground.gate
    try:
        door = gate.host(number)
        gate.keep(door)  # who visits it as a host later keeps the same distance
        door.demand_leave(ahead=_BEFORE_CLOSING)
        if door.subnet.due:
            await watch.look_back(door.subnet)
        door.demand_leave(ahead=_BEFORE_CLOSING)
    except ForbiddenError:
        return None  # asked when its hours are open; a subnet that is stopped was told of
    return door


async def _ask(work: Work, door: HostDoor, switchboard: Switchboard) -> None:
    """Ask one router, and record whom it knows."""
    endpoint = door.endpoints(snmp.PROBE)[0]
    door.subnet.turns.begin(door.number)
    try:
        async with door.line:
            seen = await hold(TABLES, endpoint, door, switchboard, counted=False)
    except HoursError:
        return
    finally:
        door.subnet.turns.end(door.number)
        work.settle()
    work.routers.add(door.number)
    machines = list(work.ground.routers.machines(neighbours(seen.evidence)))
    for place, machine in enumerate(machines, start=1):
        work.neighbours.take(machine, seen.at)
        if not place % _AT_ONCE:
            work.recorder.write_due()
            await asyncio.sleep(0)  # others have answers waiting
    work.told(_summary(door.address, len(machines), seen))


def _summary(router: str, machines: int, seen: Observation) -> Message:
    values = {"router": router, "machines": str(machines), "outcome": str(seen.outcome)}
    if seen.outcome is Outcome.ANSWERED:
        return Message("the router {router} knows {machines} machines of this scan", values)
    if seen.evidence:
        return Message(
            "the router {router} knows {machines} machines of this scan, and was not heard to the end: "
            "{outcome}",
            values,
        )
    return Message("the router {router} did not say which machines it knows: {outcome}", values)
