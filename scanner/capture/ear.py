"""The ear: every frame comes here, and goes to whoever may learn something of it. Most go nowhere.

A capture is mostly conversations that tell nothing: their packets cost a look into a table each.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from scanner.capture import owners, tunnels
from scanner.capture.connections import DONE, SYN, Connections
from scanner.capture.frames import ETHERNET, IPV6, LINKS, SHORTEST, opened, unwrapped
from scanner.capture.notes import Notes
from scanner.capture.openings import Openings
from scanner.capture.packets import Carried, Packets, text_of
from scanner.capture.sources import sources
from scanner.capture.telling import Datagram, DatagramSource, FrameSource, Packet, Payload, Side, StreamSource
from scanner.errors import ProbeError
from scanner.model import Transport

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from scanner.capture.telling import Direction, Frame, Told
    from scanner.model import Observation

_TCP, _UDP, _ICMP_OF_6 = 6, 17, 58
_SHORTEST: Final = 54
"""Bytes of Ethernet, IPv4 and TCP headers without options."""
_NESTED: Final = 4
"""Tunnels within tunnels that are followed."""


_NOW_AND_THEN: Final = 255
"""Bits of the number of a frame after which it is seen whether notes are to be taken: they are all clear."""
_TUNNELS: Final = frozenset(port.to_bytes(2) for port in tunnels.PORTS)
_SAID: Final = 4096
"""Datagrams of which it is remembered what they told."""


class Ear:
    """Hears frames, and keeps what was learnt until it is taken."""

    def __init__(self) -> None:
        self.notes = Notes()
        self.frames = 0
        """How many were heard."""
        self.unknown: Counter[int] = Counter()
        """How many of them were of link types that are not understood, by their numbers."""
        known = sources()
        self.connections = Connections((each for each in known if isinstance(each, StreamSource)), self._told)
        begun = (each for each in known if isinstance(each, DatagramSource))
        own = (each if each.begin is None else replace(each, hear=each.begin()) for each in begun)
        self._datagrams = {port.to_bytes(2): each for each in own for port in each.ports}
        self._said: dict[tuple[bytes, bytes, bytes, bytes], tuple[Told, ...]] = {}
        self._payloads: dict[int, list[FrameSource]] = {}
        for each in known:
            if isinstance(each, FrameSource):
                for kind in each.kinds:
                    self._payloads.setdefault(kind, []).append(each)
        self._packets = Packets()
        self._openings = Openings(self.notes)

    def hear(self, frames: Iterable[Frame]) -> Iterator[Observation]:
        """Hear frames to their end; observations come as they are due, the last ones at the end."""
        recall, segment = self.connections.recall, self.connections.segment
        opening, datagrams = self._openings.hear, self._datagrams
        for frame in frames:
            link, at, data = frame
            self.frames = count = self.frames + 1
            # the commonest by far: IPv4 without options and fragments, in Ethernet
            plain = (
                link == ETHERNET
                and len(data) >= _SHORTEST
                and data[12:15] == b"\x08\x00\x45"
                and not (data[20] & 0x3F or data[21])
            )
            if plain and data[23] == _TCP:
                key, flags = data[26:38], data[47]
                if flags & SYN:
                    opening(at, data[14:])
                if flags & SYN or recall(key) != DONE:
                    end = 14 + int.from_bytes(data[16:18])
                    payload = data[34 + (data[46] >> 4) * 4 : end if end > _SHORTEST - 14 else len(data)]
                    segment(at, key, flags, int.from_bytes(data[38:42]), payload, data[22])
            elif plain and data[23] == _UDP and data[36:38] not in _TUNNELS:
                if data[36:38] in datagrams or data[34:36] in datagrams:
                    end = 14 + int.from_bytes(data[16:18])
                    payload = data[34 : end if end > _SHORTEST - 20 else len(data)]
                    self._datagram(at, Carried(_UDP, data[26:30], data[30:34], payload), data[6:12])
            elif link in LINKS:
                self._unwrapped(at, unwrapped(frame))
            else:
                self.unknown[link] += 1
            if not count & _NOW_AND_THEN and self.notes.full:
                yield from self.notes.take()
        yield from self.notes.take()

    def _unwrapped(self, at: float, found: Iterable[Packet | Payload], depth: int = 0) -> None:
        """What was in a frame, or in a tunnel within so many tunnels."""
        for each in found:
            if isinstance(each, Packet):
                self._packet(at, each, depth)
            else:
                self._payload(at, each)

    def _packet(self, at: float, packet: Packet, depth: int) -> None:
        carried = self._packets.whole(packet.data)
        if carried is None:
            return
        data = carried.data
        if carried.protocol == _TCP and len(data) >= 20:  # noqa: PLR2004 - the shortest header
            key, flags = carried.source + carried.target + data[:4], data[13]
            if flags & SYN:
                self._openings.hear(at, packet.data)
            payload = data[(data[12] >> 4) * 4 :]
            ttl = packet.data[8 if len(carried.source) == 4 else 7]  # noqa: PLR2004 - bytes of an IPv4 address
            self.connections.segment(at, key, flags, int.from_bytes(data[4:8]), payload, ttl)
        elif (layer := tunnels.inside(carried)) is not None:
            if depth < _NESTED:
                self._unwrapped(at, opened(layer), depth + 1)
        elif carried.protocol == _UDP and len(data) >= 8:  # noqa: PLR2004 - the header
            self._datagram(at, carried, packet.card)
        elif carried.protocol == _ICMP_OF_6:
            self._payload(at, Payload(IPV6, packet.data, packet.card))

    def _datagram(self, at: float, carried: Carried, card: bytes) -> None:
        """One datagram; what a machine says again and again is understood once."""
        data = carried.data
        source = self._datagrams.get(data[2:4]) or self._datagrams.get(data[:2])
        if source is None:
            return
        said = carried.source, carried.target, card, data
        learnt = None if source.begin else self._said.get(said)  # who remembers hears all of it
        if learnt is None:
            try:
                learnt = tuple(source.hear(datagram_of(carried, card)))
            except ProbeError:
                learnt = ()
            if len(self._said) >= _SAID:
                self._said.clear()
            self._said[said] = learnt
        if learnt:
            speaker = owners.known_by(carried.source, card), int.from_bytes(data[:2])
            for told in learnt:
                self._note(at, source.name, told, speaker, Transport.UDP)

    def _payload(self, at: float, payload: Payload) -> None:
        for source in self._payloads.get(payload.kind if payload.kind >= SHORTEST else 0, ()):
            try:
                for told in source.hear(payload):
                    self._note(at, source.name, told, (owners.card(payload.card), 0), Transport.LINK)
            except ProbeError:
                pass

    def _told(self, at: float, source: str, direction: Direction, told: Told) -> bool:
        self._openings.go_on(at, direction)
        return self._note(at, source, told, (direction.address, direction.port), Transport.TCP)

    def _note(self, at: float, source: str, told: Told, where: tuple[str, int], transport: Transport) -> bool:
        """Keep what was told; whether it is new."""
        address, port = where
        address = told.address or address
        if not address:  # the card of a frame that tells none
            return False
        place = address, port if told.side is Side.SERVER else 0, transport
        return self.notes.add(at, place, source, told.evidence)


def datagram_of(carried: Carried, card: bytes) -> Datagram:
    """The datagram that a packet carries ([RFC 768])."""
    data, length = carried.data, int.from_bytes(carried.data[4:6])
    ports = int.from_bytes(data[:2]), int.from_bytes(data[2:4])
    ends = text_of(carried.source), text_of(carried.target)
    return Datagram(ends[0], ports[0], ends[1], ports[1], data[8 : length or len(data)], card)
