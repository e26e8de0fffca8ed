"""Neighbour discovery of IPv6 ([RFC 4861] section 4): what neighbours and routers send tells cards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner.capture import owners
from scanner.capture.frames import IPV6
from scanner.capture.telling import FrameSource, Told
from scanner.errors import ProtocolError
from scanner.wire import Reader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scanner.capture.telling import Payload

_ICMP: Final = 58
_NEVER_ROUTED: Final = 255
"""The hop limit that no packet from beyond a router has ([RFC 4861] 3.1)."""
_OF_SENDER, _OF_TARGET = 1, 2
"""Options with a card ([RFC 4861] 4.6.1)."""
_ROUTER_ASKED, _ROUTER, _ASKED, _ANSWER = 133, 134, 135, 136
_FIXED: Final = {_ROUTER_ASKED: 4, _ROUTER: 12, _ASKED: 20, _ANSWER: 20}
"""Bytes between an ICMP header and the options of a message ([RFC 4861] 4.1 to 4.4)."""


def hear(payload: Payload) -> Iterator[Told]:
    """The card of who sent an IPv6 packet with such a message, or of the address that it answers for.

    Whoever only tries an address sends from none ([RFC 4862] 5.4.2), and tells nothing.
    """
    reader = Reader(payload.data)
    reader.skip(6)
    if reader.u8() != _ICMP or reader.u8() != _NEVER_ROUTED:
        return
    owner = reader.bytes(16)
    reader.skip(16)
    kind, code = reader.u8(), reader.u8()
    if kind not in _FIXED or code:
        return
    reader.skip(2)
    fixed = reader.bytes(_FIXED[kind])
    wanted = _OF_SENDER
    if kind == _ANSWER:
        owner, wanted = fixed[4:], _OF_TARGET
    option = _option(reader, wanted)
    card, place = owners.card(option), owners.known_by(owner, option)
    if card and owners.host(owner) and place != card:
        yield Told({"mac.address": card}, address=place)


def _option(reader: Reader, wanted: int) -> bytes:
    """The first six bytes of an option; empty where it is not there."""
    while reader.remaining:
        kind, length = reader.u8(), reader.u8() * 8
        if not length:
            raise ProtocolError("an option without length")
        value = reader.bytes(length - 2)
        if kind == wanted:
            return value[:6]
    return b""


SOURCES: Final = (FrameSource("ndp", ("mac.address",), (IPV6,), hear),)
