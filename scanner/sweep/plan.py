"""What a scan would send, before anything is sent: the least and the most."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scanner.sweep.connect import ANSWER_SECONDS, CONNECT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from scanner.addresses import AddressSet
    from scanner.probes import Probe
    from scanner.transport.gate import Gate
    from scanner.transport.limits import Limits, Terms

_HANDSHAKE = 2
"""Packets that we send to open a connection: SYN, ACK."""
_FAREWELL = 2
"""Packets that we send to close one: FIN, ACK."""


@dataclass(frozen=True, slots=True)
class Range:
    """The least and the most of a quantity."""

    least: float
    most: float

    def __add__(self, other: Range) -> Range:
        return Range(self.least + other.least, self.most + other.most)

    def times(self, number: float) -> Range:
        """The same for so many."""
        return Range(self.least * number, self.most * number)


@dataclass(frozen=True, slots=True)
class Share:
    """One profile's part of a plan."""

    profile: str
    addresses: int
    ports: tuple[int, ...]
    connections: Range
    """Connection attempts."""
    packets: Range
    """Packets that leave this machine."""
    seconds: Range


def plan(
    shares: Iterable[tuple[AddressSet, Terms]], gate: Gate, probes: Sequence[Probe], in_flight: int
) -> tuple[Share, ...]:
    """The least and the most that a sweep sends, by profile and ports, and how long it takes.

    Least: one attempt an address, which tells everything, or that there is no way. Most: every attempt is
    silent but the last, and every conversation goes on for as long as a tarpit may make it.
    """
    numbers: Counter[tuple[Limits, tuple[tuple[int, Probe], ...]]] = Counter()
    for addresses, terms in shares:
        asked = tuple((port, probe) for probe in probes for port, _ in gate.services(probe, terms))
        numbers[terms.limits, asked] += addresses.size
    return tuple(_share(number, limits, asked, in_flight) for (limits, asked), number in numbers.items())


def _share(number: int, limits: Limits, asked: tuple[tuple[int, Probe], ...], in_flight: int) -> Share:
    connections, packets, waiting = Range(0, 0), Range(0, 0), 0.0
    for probe, ports in Counter(probe for _, probe in asked).items():
        connections += _attempts(probe, ports)
        packets += _packets(probe, ports)
        waiting += (ports + 1) * CONNECT_SECONDS + probe.exchanges * ANSWER_SECONDS
    most = min(connections.most, limits.connections)
    total = Range(min(connections.least, most), most).times(number)
    pace = 1 / limits.rate if limits.rate else 0.0
    waves = -(-number // min(in_flight, limits.in_flight))
    waiting += most * limits.host_interval
    return Share(
        limits.profile,
        number,
        tuple(port for port, _ in asked),
        total,
        packets.times(number),
        Range(total.least * pace, total.most * pace + waves * waiting),
    )


def _attempts(probe: Probe, ports: int) -> Range:
    """Of one probe on one host: one that tells everything; or every port, a retry, all reconnections."""
    return Range(1, ports * probe.connections + 1)


def _packets(probe: Probe, ports: int) -> Range:
    """A refused SYN is one; an open port takes a handshake, each message and its answer's ACK, a farewell."""
    conversation = probe.connections * (_HANDSHAKE + _FAREWELL) + 2 * probe.exchanges
    return Range(1, ports * conversation + 1)
