"""Browser announcements without IP: over NetBEUI and over IPX, which old Windows still has.

Their machines may have no IP address: what is told is their cards'.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner.capture import browser, owners
from scanner.capture.telling import FrameSource, Told
from scanner.errors import ProtocolError
from scanner.wire import Reader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scanner.capture.telling import Payload

_IPX: Final = 0x8137
_ALONE: Final = b"\xff\xff"
"""IPX right in a frame of IEEE 802.3: its checksum, which is never there."""
_OVER_LLC: Final = b"\xe0\xe0\x03"
_NETBEUI: Final = b"\xf0\xf0\x03\x2c\x00\xff\xef"
"""LLC, then length and delimiter of a NetBIOS frame (IBM LAN Technical Reference, SC30-3383, chapter 5)."""
_DATAGRAMS: Final = (0x08, 0x09)
"""To one name, and to all."""
_NAMES: Final = 32
"""Bytes of a receiver's and a sender's name."""
_TO_NAMES: Final = {0x0455: 2, 0x0553: 4}
"""Bytes before the names, by the socket: NetBIOS over IPX, and the name management protocol beside it."""
_ROUTERS: Final = 32
"""Bytes of the networks that a packet for all went through; in name management they are always there."""
_NAMED, _FOR_ALL = 0x0553, 0x14
_INTERNAL: Final = b"\0\0\0\0\0\1"
"""The node that a machine has in a network of its own."""


def hear(payload: Payload) -> Iterator[Told]:
    """What the sender of an announcement says of itself."""
    data, card = payload.data, owners.card(payload.card)
    if data.startswith(_NETBEUI):
        message = _of_netbeui(Reader(data, 7))
    elif payload.kind == _IPX or data.startswith(_ALONE):
        message, card = _of_ipx(Reader(data), card)
    elif data.startswith(_OVER_LLC):
        message, card = _of_ipx(Reader(data, 3), card)
    else:
        return
    evidence = browser.facts(message)
    if evidence and card:
        yield Told(evidence, address=card)


def _of_netbeui(reader: Reader) -> bytes:
    if reader.u8() not in _DATAGRAMS:
        raise ProtocolError("no datagram of NetBIOS")
    reader.skip(7 + _NAMES)
    return reader.rest()


def _of_ipx(reader: Reader, card: str) -> tuple[bytes, str]:
    """The message of a datagram of NetBIOS over IPX, and the card of its sender, not of a router's."""
    reader.skip(4)
    hops, kind = reader.u8(), reader.u8()
    reader.skip(16)
    node = reader.bytes(6)
    socket = reader.u16be()
    if socket not in _TO_NAMES:
        raise ProtocolError("not NetBIOS over IPX")
    if socket == _NAMED or kind == _FOR_ALL:
        reader.skip(_ROUTERS)
    reader.skip(_TO_NAMES[socket] + _NAMES)
    if hops:
        card = "" if node == _INTERNAL else owners.card(node)
    return reader.rest(), card


SOURCES: Final = (FrameSource("browser", browser.KEYS, (0, _IPX), hear),)
