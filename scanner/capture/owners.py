"""Whose something is: addresses and cards as text; empty where they cannot be one machine's."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Final

from scanner.capture.packets import text_of

MANAGED: Final = "management.address"
"""The evidence key of the address at which a device says that it is managed."""
_CARD: Final = 6
_LONG: Final = 16
_LINK: Final = b"\xfe\x80"
"""How addresses begin that hold on one link ([RFC 4291] 2.5.6), of which 10 bits count."""
_OF_A_GROUP: Final = 1
"""The bit of a card's first byte that makes it many machines' (IEEE 802 8.2.2)."""


def host(address: bytes) -> str:
    """An IP address of 4 or 16 bytes."""
    try:
        found = ip_address(address)
    except ValueError:
        return ""
    if found.is_unspecified or found.is_multicast or found.is_loopback or address[:1] >= b"\xff":
        return ""
    return str(found)


def card(address: bytes) -> str:
    """A card's address of 6 bytes, as ``00:1e:…``."""
    if len(address) != _CARD or address[0] & _OF_A_GROUP or not any(address):
        return ""
    return address.hex(":")


def known_by(address: bytes, sender: bytes) -> str:
    """What a machine is known by that has an address: its card, where the address is of one link only.

    Args:
        address: of 4 or 16 bytes.
        sender: the card that the packet came from; empty: unknown.
    """
    of_the_link = len(address) == _LONG and address[0] == _LINK[0] and address[1] & 0xC0 == _LINK[1]
    return (of_the_link and card(sender)) or text_of(address)
