"""How systems open connections, or go on with them: hints at their generation, below all words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner.capture.packets import text_of
from scanner.errors import ProtocolError
from scanner.model import Transport
from scanner.probes.segments import form_of, sent_with

if TYPE_CHECKING:
    from scanner.capture.notes import Notes
    from scanner.capture.telling import Direction

_FORMS: Final = 20_000
"""Hosts of which the forms of SYNs are remembered, so that each is read once."""


class Openings:
    """Those of a capture."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self._forms: set[bytes] = set()

    def hear(self, at: float, packet: bytes) -> None:
        """Take an IP packet with a segment that opens or accepts a connection."""
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
        self._notes.add(at, where, "syn", {"tcp.synack" if accepts else "tcp.syn": form})

    def go_on(self, at: float, direction: Direction) -> None:
        """Take a direction that told something, of which no opening segment may have been seen."""
        if direction.ttl and not direction.begun and ":" not in direction.address:
            self._notes.add(
                at, (direction.address, 0, Transport.TCP), "ttl", {"ip.ttl": str(sent_with(direction.ttl))}
            )
