"""The ear: every frame comes here, and goes to whoever may learn something of it. Most go nowhere.

A capture is mostly conversations that tell nothing: their packets cost a look into a table each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner.capture.connections import DONE, SYN, Connections
from scanner.capture.frames import ETHERNET, unwrapped
from scanner.capture.notes import Notes
from scanner.capture.packets import Packets, text_of
from scanner.capture.sources import sources
from scanner.capture.telling import Datagram, DatagramSource, FrameSource, Packet, Payload, Side, StreamSource
from scanner.errors import ProbeError, ProtocolError
from scanner.model import Transport
from scanner.probes.segments import form_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from scanner.capture.telling import Direction, Frame, Told
    from scanner.model import Observation

_TCP, _UDP = 6, 17
_SHORTEST: Final = 54
"""Bytes of Ethernet, IPv4 and TCP headers without options."""
_FORMS: Final = 20_000
"""Hosts of which the forms of SYNs are remembered, so that each is read once."""


class Ear:
    """Hears frames, and keeps what was learnt until it is taken."""

    def __init__(self) -> None:
        self.notes = Notes()
        self.frames = self.bytes = 0
        """How many were heard, and how long they were."""
        known = sources()
        self.connections = Connections((each for each in known if isinstance(each, StreamSource)), self._told)
        self._datagrams = {p: each for each in known if isinstance(each, DatagramSource) for p in each.ports}
        self._payloads = {k: each for each in known if isinstance(each, FrameSource) for k in each.kinds}
        self._packets = Packets()
        self._forms: set[bytes] = set()

    def hear(self, frames: Iterable[Frame]) -> Iterator[Observation]:
        """Hear frames to their end; observations come as they are due, the last ones at the end."""
        recall, segment = self.connections.recall, self.connections.segment
        for frame in frames:
            link, at, data = frame
            self.frames += 1
            self.bytes += len(data)
            # the commonest by far: TCP in IPv4 without options and fragments, in Ethernet
            if (
                link == ETHERNET
                and len(data) >= _SHORTEST
                and data[12:15] == b"\x08\x00\x45"
                and data[23] == _TCP
                and not (data[20] & 0x3F or data[21])
            ):
                key, flags = data[26:38], data[47]
                if flags & SYN:
                    self._opening(at, data[14:])
                elif recall(key) == DONE:
                    continue
                end = 14 + int.from_bytes(data[16:18])
                payload = data[34 + (data[46] >> 4) * 4 : end if end > _SHORTEST - 14 else len(data)]
                segment(at, key, flags, int.from_bytes(data[38:42]), payload)
            else:
                self._other(frame)
            if self.notes.full:
                yield from self.notes.take()
        yield from self.notes.take()

    def _other(self, frame: Frame) -> None:
        for inner in unwrapped(frame):
            if isinstance(inner, Packet):
                self._packet(frame.at, inner)
            else:
                self._payload(frame.at, inner)

    def _packet(self, at: float, packet: Packet) -> None:
        carried = self._packets.whole(packet.data)
        if carried is None:
            return
        data = carried.data
        if carried.protocol == _TCP and len(data) >= 20:  # noqa: PLR2004 - the shortest header
            key, flags = carried.source + carried.target + data[:4], data[13]
            if flags & SYN:
                self._opening(at, packet.data)
            payload = data[(data[12] >> 4) * 4 :]
            self.connections.segment(at, key, flags, int.from_bytes(data[4:8]), payload)
        elif carried.protocol == _UDP and len(data) >= 8:  # noqa: PLR2004 - the header
            ports = int.from_bytes(data[:2]), int.from_bytes(data[2:4])
            source = self._datagrams.get(ports[1]) or self._datagrams.get(ports[0])
            if source is None:
                return
            ends = text_of(carried.source), text_of(carried.target)
            datagram = Datagram(ends[0], ports[0], ends[1], ports[1], data[8:], packet.card)
            try:
                for told in source.hear(datagram):
                    self._note(at, source.name, told, (datagram.source, datagram.source_port), Transport.UDP)
            except ProbeError:
                pass

    def _payload(self, at: float, payload: Payload) -> None:
        kind = payload.kind if payload.kind >= 1536 else 0  # noqa: PLR2004 - IEEE 802.3: below, a length
        source = self._payloads.get(kind)
        if source is None:
            return
        try:
            for told in source.hear(payload):
                self._note(at, source.name, told, (payload.card.hex(":"), 0), Transport.LINK)
        except ProbeError:
            pass

    def _opening(self, at: float, packet: bytes) -> None:
        """The form of a segment that opens or accepts a connection: a hint at the system's generation."""
        if packet[0] >> 4 != 4:  # noqa: PLR2004 - the keys are of IPv4
            return
        seen = packet[8:9] + packet[12:16] + packet[32:36]
        if seen in self._forms:
            return
        if len(self._forms) > _FORMS:
            self._forms.clear()
        self._forms.add(seen)
        try:
            form = form_of(packet)
        except ProtocolError:
            return
        accepts = packet[(packet[0] & 15) * 4 + 13] & 16
        port = int.from_bytes(packet[(packet[0] & 15) * 4 :][:2]) if accepts else 0
        where = text_of(packet[12:16]), port, Transport.TCP
        self.notes.add(at, where, "syn", {"tcp.synack" if accepts else "tcp.syn": form})

    def _told(self, at: float, source: str, direction: Direction, told: Told) -> None:
        self._note(at, source, told, (direction.address, direction.port), Transport.TCP)

    def _note(self, at: float, source: str, told: Told, where: tuple[str, int], transport: Transport) -> None:
        address, port = where
        if told.address:
            address = told.address
        self.notes.add(
            at, (address, port if told.side is Side.SERVER else 0, transport), source, told.evidence
        )
