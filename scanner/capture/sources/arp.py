"""ARP ([RFC 826]): who asks or answers names its own address and card."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner.capture import owners
from scanner.capture.telling import FrameSource, Told
from scanner.wire import Reader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scanner.capture.telling import Payload

_LINKS: Final = (1, 6)
"""Ethernet, and IEEE 802 in Linux's and others' words (https://www.iana.org/assignments/arp-parameters)."""
_ASKS, _ANSWERS = 1, 2


def hear(payload: Payload) -> Iterator[Told]:
    """The sender of a request or a reply; who only tries an address ([RFC 5227] 2.1.1) has none yet."""
    reader = Reader(payload.data)
    link = reader.u16be()
    reader.expect(b"\x08\x00\x06\x04", "ARP for IPv4 and Ethernet")
    if link not in _LINKS or reader.u16be() not in (_ASKS, _ANSWERS):
        return
    card, address = owners.card(reader.bytes(6)), owners.host(reader.bytes(4))
    if card and address:
        yield Told({"mac.address": card}, address=address)


SOURCES: Final = (FrameSource("arp", ("mac.address",), (0x0806,), hear),)
