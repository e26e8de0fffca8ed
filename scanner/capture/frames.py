"""What is wrapped around an IP packet, taken off: Ethernet and other links, VLANs, tunnels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner.capture.telling import Packet, Payload

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scanner.capture.telling import Frame

ETHERNET: Final = 1
_RAW: Final = 101
_IP: Final = (0x0800, 0x86DD)
_VLANS: Final = (0x8100, 0x88A8, 0x9100)


def unwrapped(frame: Frame) -> Iterator[Packet | Payload]:
    """What a frame carries; nothing where it carries nothing that is known."""
    if frame.link == _RAW:
        yield Packet(frame.data, b"")
        return
    if frame.link != ETHERNET:
        return
    data, card, at = frame.data, frame.data[6:12], 12
    kind = int.from_bytes(data[at : at + 2])
    while kind in _VLANS:
        at += 4
        kind = int.from_bytes(data[at : at + 2])
    if kind in _IP:
        yield Packet(data[at + 2 :], card)
    else:
        yield Payload(kind, data[at + 2 :], card)
