"""DHCPv6: what a client says of itself, and relays of it ([RFC 8415]).

The link-layer address in a client's identifier is left alone: it is kept when the card is changed, and copied
with an image ([RFC 8415] 11.2).
"""

from __future__ import annotations

from ipaddress import IPv6Address
from typing import TYPE_CHECKING, Final

from scanner.capture.telling import DatagramSource, Side, Told
from scanner.errors import ProtocolError
from scanner.probes import lines
from scanner.probes.mdns import parse_name
from scanner.wire import Reader

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from scanner.capture.telling import Datagram

KEYS: Final = ("dhcp.mac", "dhcp.hostname", "dhcp.domain", "dhcp.vendor_class")
_CLIENT: Final = frozenset({1, 3, 4, 5, 6, 8, 9, 11})
"""[RFC 8415] 7.3: what clients send."""
_HOLDING: Final = frozenset({5, 6, 8})
"""Renew, rebind and release name addresses that the client has."""
_RELAYED: Final = 12
_HOPS: Final = 8
"""[RFC 8415] 7.6: most relays on the way."""
_TO_THE_PEER: Final = 18
"""Bytes of a relay's message before the address of who sent to it ([RFC 8415] section 9)."""
_ADDRESSES, _ADDRESS, _MESSAGE, _VENDOR, _NAME, _CARD = 3, 5, 9, 16, 39, 79
"""Options: [RFC 8415] section 21, [RFC 4704], [RFC 6939]."""
_BEFORE_OPTIONS: Final = 12
"""Of an identity association: its number and its times ([RFC 8415] 21.4)."""
_ETHERNET: Final = b"\0\1"
_LOCAL: Final = "fe80:"


def parse_options(reader: Reader) -> dict[int, Reader]:
    """The options, the first of each kind ([RFC 8415] 21.1).

    Raises:
        ProtocolError: one of them is not whole.
    """
    found: dict[int, Reader] = {}
    while reader.remaining:
        code, length = reader.u16be(), reader.u16be()
        found.setdefault(code, reader.slice(reader.position, length))
        reader.skip(length)
    return found


def words(options: Mapping[int, Reader]) -> dict[str, str]:
    """What a client says of itself.

    Raises:
        ProtocolError: an option is not whole.
    """
    found: dict[str, str] = {}
    if _VENDOR in options:
        vendor = options[_VENDOR]
        vendor.skip(4)  # whose number the class is of
        found["dhcp.vendor_class"] = lines.text(vendor.bytes(vendor.u16be()))
    if _NAME in options:
        name = options[_NAME]
        name.skip(1)
        labels = parse_name(Reader(name.rest() + b"\0"))
        found["dhcp.hostname"] = lines.text(b"".join(labels[:1]))
        found["dhcp.domain"] = lines.text(b".".join(labels[1:]))
    return {key: value for key, value in found.items() if value}


def _held(options: Mapping[int, Reader]) -> str:
    """The first address that a client has; empty: none."""
    association = options.get(_ADDRESSES)
    if association is None:
        return ""
    association.skip(_BEFORE_OPTIONS)
    address = parse_options(association).get(_ADDRESS)
    return str(IPv6Address(address.bytes(16))) if address else ""


def hear(datagram: Datagram) -> Iterator[Told]:
    """What a client says of itself, told of the address that it speaks from, and of the one that it has."""
    source, card = datagram.source, datagram.card.hex(":")
    message = Reader(datagram.data)
    kind = message.u8()
    for _ in range(_HOPS):
        if kind != _RELAYED:
            break
        message.seek(message.position - 1 + _TO_THE_PEER)
        source = str(IPv6Address(message.bytes(16)))
        options = parse_options(message)
        card = _card(options.get(_CARD))
        message = options.get(_MESSAGE, Reader(b""))
        kind = message.u8()
    if kind not in _CLIENT:
        raise ProtocolError(f"a message {kind} of DHCPv6 that tells nothing")
    message.skip(3)
    options = parse_options(message)
    said = words(options)
    if card and source.startswith(_LOCAL):  # no router passes that on: the card is the client's own
        said = {"dhcp.mac": card, **said}
    if said:
        yield Told(said, Side.CLIENT, source)
        if kind in _HOLDING and (address := _held(options)):
            yield Told(said, Side.CLIENT, address)


def _card(option: Reader | None) -> str:
    """The card that a relay saw ([RFC 6939] section 4)."""
    return option.rest().hex(":") if option and option.bytes(2) == _ETHERNET else ""


SOURCES: Final = (DatagramSource("dhcpv6", KEYS, (547, 546), hear),)
