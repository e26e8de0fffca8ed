"""What a scan would send, before anything is sent: the least and the most."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from scanner.model import Transport
from scanner.sweep.connect import ANSWER_SECONDS, CONNECT_SECONDS, DATAGRAM_SECONDS
from scanner.sweep.visit import RETRIES
from scanner.transport.canaries import TRIES
from scanner.transport.conversation import REDIALS
from scanner.transport.turns import EVERY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from scanner.addresses import AddressSet
    from scanner.language import Message
    from scanner.probes import Probe
    from scanner.transport.gate import Gate
    from scanner.transport.limits import Limits, Terms

_HANDSHAKE = 2
"""Packets that we send to open a connection: SYN, ACK."""
_FAREWELL = 3
"""Packets that we send to close one: FIN, ACK, and before them the end of TLS where there is any."""
_SAID = 2
"""Packets of one message; a TLS handshake has two flights of ours ([RFC 5246] 7.3)."""
_SEGMENT = 1460
"""Bytes of an answer that one ACK of ours is for, at least: a segment over Ethernet."""
_LOOKS = 4
"""How often a host that answered may be looked back at, for each host that is begun: one in five, and when it
is silent eight, twice each."""


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


class More(NamedTuple):
    """What may come on top for each host: second opinions, a look before the visit."""

    connections: int = 0
    packets: int = 0
    seconds: float = 0.0
    """By which each host may make the whole scan longer."""
    waiting: float = 0.0
    """Seconds for which each host may be waited for."""


def packets_of(number: int) -> Callable[[int], More]:
    """What a look of so many packets adds, each of them waited for, whatever ports there are."""
    return lambda _: More(number, number, 0.0, number * CONNECT_SECONDS)


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
    probes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What may be held, in its order, and where: ``445/tcp``."""
    unasked: Mapping[str, Message] = field(default_factory=dict)
    """What is not held, and why."""


def plan(
    shares: Iterable[tuple[AddressSet, Terms]],
    gate: Gate,
    probes: Sequence[Probe],
    more: Mapping[str, More] | None = None,
    look: Callable[[int], More] | None = None,
) -> tuple[Share, ...]:
    """The least and the most that a sweep sends, by profile and ports, and how long it takes.

    Least: one attempt an address, which tells everything, or that there is no way. Most: every attempt is
    silent but the last, every conversation goes on for as long as a tarpit may make it, and whoever can be
    asked again is. Packets are those of a link that loses none; hours in which nothing may be sent come on
    top.

    Args:
        shares: the addresses, by the terms that hold for them.
        gate: what lets attempts pass.
        probes: what may be held.
        more: what comes on top of the probes, by profile.
        look: what a look before the visit adds, for so many ports.
    """
    further = more or {}
    parts: dict[tuple[Limits, tuple[tuple[int, Probe], ...]], list[_Part]] = {}
    unasked: dict[tuple[Limits, tuple[tuple[int, Probe], ...]], dict[str, Message]] = {}
    for addresses, terms in shares:
        asked = tuple((port, probe) for probe in probes for port, _ in gate.services(probe, terms).ports)
        part = _Part(addresses.size, gate.subnets.number(addresses), len(terms.canaries))
        parts.setdefault((terms.limits, asked), []).append(part)
        whys = {probe.name: why for probe in probes if (why := gate.services(probe, terms).why_none)}
        unasked.setdefault((terms.limits, asked), whys)
    return tuple(
        replace(
            _share(
                _Part(*map(sum, zip(*several, strict=True))),
                limits,
                asked,
                gate.in_flight,
                further.get(limits.profile, More()),
                look or _no_look,
            ),
            unasked=unasked[limits, asked],
        )
        for (limits, asked), several in parts.items()
    )


def _no_look(_: int) -> More:
    return More()


class _Part(NamedTuple):
    addresses: int
    subnets: int
    canaries: int


def _share(  # noqa: PLR0913, PLR0917 - what a share is made of
    part: _Part,
    limits: Limits,
    asked: tuple[tuple[int, Probe], ...],
    in_flight: int,
    more: More,
    look: Callable[[int], More],
) -> Share:
    looks = _LOOKS if limits.watched else 0
    first = look(len({port for port, probe in asked if probe.transport is not Transport.UDP}))
    connections = looks + more.connections + first.connections
    packets = looks * (_HANDSHAKE + _FAREWELL) + more.packets + first.packets
    waiting = first.waiting
    for probe, ports in Counter(probe for _, probe in asked).items():
        connections += _attempts(probe, ports)
        packets += _packets(probe, ports)
        waiting += _waiting(probe, ports)
    most = min(connections, limits.connections)
    if not limits.watched:  # what is looked at in lots passes no host's door
        most += first.connections
    canaries = Range(part.canaries, part.canaries * TRIES * (part.addresses // EVERY + part.subnets))
    total = Range(1, most).times(part.addresses) + canaries
    pace = 1 / limits.rate if limits.rate else 0.0
    begun = min(in_flight, limits.in_flight, part.subnets * EVERY if limits.watched else in_flight)
    waiting += most * limits.host_interval + looks * CONNECT_SECONDS
    return Share(
        limits.profile,
        part.addresses,
        tuple(dict.fromkeys(port for port, _ in asked)),
        total,
        Range(1, packets).times(part.addresses) + canaries.times(_HANDSHAKE + _FAREWELL),
        Range(
            total.least * pace,
            total.most * pace + -(-part.addresses // begun) * waiting + part.addresses * more.seconds,
        ),
        {
            probe.name: tuple(f"{port}/{probe.transport}" for port, each in asked if each is probe)
            for _, probe in asked
        },
    )


def _attempts(probe: Probe, ports: int) -> int:
    """The most of one probe on one host: every port, and all that is tried again."""
    if probe.transport is Transport.UDP:
        return (ports + RETRIES) * probe.exchanges
    return ports * (1 + (probe.connections - 1) * (1 + REDIALS)) + RETRIES


def _packets(probe: Probe, ports: int) -> int:
    """The same in packets: an open port takes a handshake, each message, an ACK a segment, a farewell."""
    if probe.transport is Transport.UDP:
        return _attempts(probe, ports)
    heard = -(-probe.hears // _SEGMENT)
    conversation = probe.connections * (_HANDSHAKE + _FAREWELL) + probe.exchanges * (_SAID + heard)
    return ports * (conversation + (probe.connections - 1) * REDIALS) + RETRIES


def _waiting(probe: Probe, ports: int) -> float:
    """Seconds for which silence and slowness may be waited for."""
    if probe.transport is Transport.UDP:
        return _attempts(probe, ports) * DATAGRAM_SECONDS
    return (ports + RETRIES) * CONNECT_SECONDS + probe.exchanges * ANSWER_SECONDS
