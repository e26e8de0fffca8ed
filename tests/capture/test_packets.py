"""Headers of IP packets come off: options, padding, extension headers, and what a capture cut."""

from __future__ import annotations

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP, UDP, IPOption_NOP, IPOption_RR
from scapy.layers.inet6 import (
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
    RouterAlert,
)
from scapy.layers.ipsec import AH
from scapy.packet import Packet as Built
from scapy.packet import Raw

from scanner.capture.packets import Carried, Packets, text_of

INNER: Final = UDP(sport=1, dport=2, chksum=1) / Raw(b"words")
_SIX: Final = {"src": "fd00::1", "dst": "fd00::2"}
_AH: Final = AH(spi=1, seq=1, icv=b"0" * 12, payloadlen=4)
PACKETS: Final = {
    "IPv4": IP() / INNER,
    "options": IP(options=[IPOption_RR(length=11, routers=["10.0.0.1", "10.0.0.2"]), IPOption_NOP()]) / INNER,
    "authenticated, IPv4": IP(proto=51) / AH(nh=17, **_AH.fields) / INNER,
    "IPv6": IPv6(**_SIX) / INNER,
    "hop by hop": IPv6(**_SIX) / IPv6ExtHdrHopByHop(options=[RouterAlert()]) / INNER,
    "routing": IPv6(**_SIX) / IPv6ExtHdrRouting(addresses=["fd00::3", "fd00::4"]) / INNER,
    "destination": IPv6(**_SIX) / IPv6ExtHdrDestOpt() / INNER,
    "one fragment": IPv6(**_SIX) / IPv6ExtHdrFragment(id=1) / INNER,
    "authenticated": IPv6(**_SIX) / AH(nh=17, **_AH.fields) / INNER,
    "all": IPv6(**_SIX)
    / IPv6ExtHdrHopByHop()
    / IPv6ExtHdrDestOpt()
    / IPv6ExtHdrRouting(addresses=["fd00::3"])
    / IPv6ExtHdrFragment(id=1)
    / AH(nh=60, **_AH.fields)
    / IPv6ExtHdrDestOpt()
    / INNER,
}


@pytest.mark.parametrize("name", PACKETS)
def test_headers_and_padding_come_off(name: str) -> None:
    found = Packets().whole(bytes(PACKETS[name]) + b"padding")
    assert found is not None
    assert (found.protocol, found.data) == (17, bytes(INNER))


@pytest.mark.parametrize("name", PACKETS)
def test_what_was_kept_of_a_packet_is_used(name: str) -> None:
    found = Packets().whole(bytes(PACKETS[name])[:-3])
    assert found is not None
    assert (found.protocol, found.data) == (17, bytes(INNER)[:-3])


@pytest.mark.parametrize("name", PACKETS)
def test_damaged_and_cut_packets_raise_nothing(name: str) -> None:
    data = bytes(PACKETS[name])
    packets = Packets()
    for end in range(len(data)):
        packets.whole(data[:end])
    for place in range(len(data)):
        for value in (0, 1, 0x45, 0x4F, 0x60, 44, 51, 0xFF, data[place] ^ 1):
            packets.whole(data[:place] + bytes((value,)) + data[place + 1 :])


def test_ends() -> None:
    found = Packets().whole(bytes(IP(src="10.0.0.1", dst="10.0.0.2") / INNER))
    assert found == Carried(17, bytes((10, 0, 0, 1)), bytes((10, 0, 0, 2)), bytes(INNER))
    found = Packets().whole(bytes(PACKETS["IPv6"]))
    assert found is not None
    assert (text_of(found.source), text_of(found.target)) == ("fd00::1", "fd00::2")


@pytest.mark.parametrize("packet", [IP(len=0) / INNER, IPv6(plen=0) / INNER])
def test_a_packet_that_the_card_cuts_later_goes_to_its_end(packet: Built) -> None:
    found = Packets().whole(bytes(packet))
    assert found is not None
    assert found.data == bytes(INNER)


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"E",
        bytes(IP(version=5) / INNER),
        bytes(IP(ihl=4) / INNER),
        bytes(IP(ihl=15, len=33) / INNER),
        bytes(IP(len=19) / INNER),
        bytes(IPv6())[:39],
        bytes(IPv6(nh=60)) + (b"\x3c\0" + bytes(6)) * 100,
        bytes(IPv6(nh=0)) + b"\x11\xff" + bytes(6),
    ],
)
def test_what_is_no_packet(packet: bytes) -> None:
    assert Packets().whole(packet) is None


@given(st.sampled_from([0, 6, 17, 43, 44, 51, 60]), st.binary(max_size=100))
def test_any_bytes_behind_a_header_of_ipv6_raise_nothing(protocol: int, data: bytes) -> None:
    Packets().whole(bytes(IPv6(nh=protocol, plen=len(data))) + data)
