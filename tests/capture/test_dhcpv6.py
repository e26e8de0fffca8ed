"""DHCPv6: a Windows client by itself and through relays."""

from __future__ import annotations

import struct
from ipaddress import IPv6Address

import pytest

from scanner.capture.telling import Datagram, Side, Told
from scanner.errors import ProtocolError
from tests.capture.spoken import CARD, named, spoilt, told

LOCAL, ROUTER, GLOBAL = "fe80::a", "2001:db8::1", "2001:db8::50"
SAID = {"dhcp.vendor_class": "MSFT 5.0", "dhcp.hostname": "RADIO-7", "dhcp.domain": "chu.example"}
MAC = {"dhcp.mac": "00:1e:c9:00:00:01"}


def option(code: int, *content: bytes) -> bytes:
    """[RFC 8415] 21.1."""
    data = b"".join(content)
    return struct.pack(">HH", code, len(data)) + data


def client(kind: int, *more: bytes) -> bytes:
    """A message as Windows sends it, with an identifier of another card."""
    identifier = option(1, b"\0\1\0\1", bytes(4), b"\x00\x50\x56\xff\xff\xff")
    vendor = option(16, struct.pack(">IH", 311, 8), b"MSFT 5.0")
    name = option(39, b"\0\7RADIO-7\3chu\7example\0")
    return bytes([kind, 1, 2, 3]) + identifier + name + vendor + b"".join(more)


def relayed(data: bytes, peer: str, *more: bytes) -> bytes:
    """[RFC 8415] section 9."""
    ends = IPv6Address(ROUTER).packed + IPv6Address(peer).packed
    return b"\x0c\0" + ends + b"".join(more) + option(9, data)


HELD = option(3, bytes(12), option(5, IPv6Address(GLOBAL).packed, bytes(8)))


def heard(data: bytes, source: str = LOCAL) -> list[Told]:
    return list(named("dhcpv6").hear(Datagram(source, 546, "ff02::1:2", 547, data, CARD)))


def test_a_client_on_the_wire_has_its_own_card() -> None:
    assert heard(client(1)) == [Told({**MAC, **SAID}, Side.CLIENT, LOCAL)]


def test_a_client_that_has_an_address_is_told_of_it_too() -> None:
    assert [each.address for each in heard(client(5, HELD))] == [LOCAL, GLOBAL]
    assert [each.address for each in heard(client(1, HELD))] == [LOCAL]


@pytest.mark.parametrize("hops", [1, 2, 8])
def test_relays_say_from_whom_they_have_it(hops: int) -> None:
    data = relayed(client(1), LOCAL, option(79, b"\0\1", b"\x00\x1e\xc9\0\0\2"))
    for _ in range(hops - 1):
        data = relayed(data, ROUTER)
    assert heard(data, ROUTER) == [Told({"dhcp.mac": "00:1e:c9:00:00:02", **SAID}, Side.CLIENT, LOCAL)]
    plain = relayed(client(1), LOCAL)
    assert heard(plain, ROUTER) == [Told(SAID, Side.CLIENT, LOCAL)]


def test_what_servers_say_and_what_comes_too_far_says_nothing() -> None:
    for data in (client(7), client(2)):
        with pytest.raises(ProtocolError):
            heard(data)
    far = client(1)
    for _ in range(9):
        far = relayed(far, LOCAL)
    with pytest.raises(ProtocolError):
        heard(far, ROUTER)


def test_nothing_but_its_own_errors() -> None:
    for each in spoilt(relayed(client(5, HELD), LOCAL, option(79, b"\0\1", bytes(6))), 2000):
        told("dhcpv6", each)
