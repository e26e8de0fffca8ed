"""ARP and neighbour discovery: whose card is whose, and what tells nothing."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet6 import (
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6ND_RA,
    ICMPv6ND_Redirect,
    ICMPv6ND_RS,
    ICMPv6NDOptDstLLAddr,
    ICMPv6NDOptMTU,
    ICMPv6NDOptPrefixInfo,
    ICMPv6NDOptSrcLLAddr,
    IPv6,
)
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.packet import Packet as Built
from scapy.packet import Raw

from scanner.capture.sources import arp, ndp
from scanner.capture.telling import FrameSource, Payload
from scanner.errors import ProbeError
from tests.capture.framed import CARD, OTHER, frame, heard

WIRE: Final = Ether(src=OTHER, dst="ff:ff:ff:ff:ff:ff")
MINE: Final = ICMPv6NDOptSrcLLAddr(lladdr=CARD)
YOURS: Final = ICMPv6NDOptDstLLAddr(lladdr=CARD)
NEAR: Final = IPv6(src="fd00::8", dst="ff02::1", hlim=255)
_MADE: Final = {
    "a request": ARP(op=1, psrc="10.0.0.1", hwsrc=CARD, pdst="10.0.0.2"),
    "a reply": ARP(op=2, psrc="10.0.0.1", hwsrc=CARD, pdst="10.0.0.2", hwdst=OTHER),
    "one that nobody asked for": ARP(op=1, psrc="10.0.0.1", hwsrc=CARD, pdst="10.0.0.1"),
    "a reply that nobody asked for": ARP(op=2, psrc="10.0.0.1", hwsrc=CARD, pdst="10.0.0.1", hwdst=CARD),
    "of IEEE 802": Raw(b"\0\6" + bytes(ARP(op=2, psrc="10.0.0.1", hwsrc=CARD))[2:]),
    "with padding": ARP(op=2, psrc="10.0.0.1", hwsrc=CARD) / Raw(bytes(18)),
    "in a VLAN": Dot1Q(vlan=7) / ARP(op=2, psrc="10.0.0.1", hwsrc=CARD),
}
_DISCOVERED: Final = {
    "a solicitation": (NEAR / ICMPv6ND_NS(tgt="fe80::2") / MINE, "fd00::8"),
    "a solicitation to one": (IPv6(src="fd00::1", dst="fd00::2", hlim=255) / ICMPv6ND_NS() / MINE, "fd00::1"),
    "an advertisement": (NEAR / ICMPv6ND_NA(tgt="fd00::7") / YOURS, "fd00::7"),
    "a router": (
        NEAR / ICMPv6ND_RA() / ICMPv6NDOptPrefixInfo(prefix="fd00::") / ICMPv6NDOptMTU() / MINE,
        "fd00::8",
    ),
    "who seeks a router": (NEAR / ICMPv6ND_RS() / MINE, "fd00::8"),
}


@pytest.mark.parametrize("name", _MADE)
def test_the_sender_of_arp_is_told(name: str) -> None:
    wire = Ether(src=OTHER, dst=CARD, type=0x8100 if name == "in a VLAN" else 0x0806)
    assert heard([frame(wire / _MADE[name])]) == {("10.0.0.1", 0, "arp"): {"mac.address": (CARD,)}}


@pytest.mark.parametrize("name", _DISCOVERED)
def test_the_cards_of_neighbours_are_told(name: str) -> None:
    built, owner = _DISCOVERED[name]
    assert heard([frame(WIRE / built)]) == {(owner, 0, "ndp"): {"mac.address": (CARD,)}}


@pytest.mark.parametrize(
    "built",
    [
        ARP(op=1, psrc=str(IPv4Address(0)), hwsrc=CARD, pdst="10.0.0.1"),  # only tries the address
        ARP(op=2, psrc="255.255.255.255", hwsrc=CARD),
        ARP(op=2, psrc="224.0.0.1", hwsrc=CARD),
        ARP(op=2, psrc="127.0.0.1", hwsrc=CARD),
        ARP(op=2, psrc="10.0.0.1", hwsrc="00:00:00:00:00:00"),
        ARP(op=2, psrc="10.0.0.1", hwsrc="ff:ff:ff:ff:ff:ff"),
        ARP(op=2, psrc="10.0.0.1", hwsrc="03:bf:0a:00:00:01"),  # a cluster's
        ARP(op=3, psrc="10.0.0.1", hwsrc=CARD),
        ARP(op=8, psrc="10.0.0.1", hwsrc=CARD),
        ARP(hwtype=15, op=2, psrc="10.0.0.1", hwsrc=CARD),
        ARP(ptype=0x809B, op=2, psrc="10.0.0.1", hwsrc=CARD),
        IPv6(src="::", dst="ff02::1:ff00:1", hlim=255) / ICMPv6ND_NS(tgt="fe80::1") / MINE,
        IPv6(src="fe80::1", dst="ff02::1", hlim=254) / ICMPv6ND_NS(tgt="fe80::2") / MINE,
        IPv6(src="fe80::1", dst="ff02::1", hlim=255) / ICMPv6ND_NS(tgt="fe80::2") / MINE,
        NEAR / ICMPv6ND_NS(tgt="fe80::2", code=1) / MINE,
        NEAR / ICMPv6ND_NS(tgt="fe80::2") / YOURS,
        NEAR / ICMPv6ND_NA(tgt="fe80::2") / MINE,
        NEAR / ICMPv6ND_NA(tgt="ff02::2") / YOURS,
        NEAR / ICMPv6ND_NA(tgt="fe80::2"),
        NEAR / ICMPv6ND_NA(tgt="fe80::2") / ICMPv6NDOptDstLLAddr(lladdr="33:33:00:00:00:01"),
        NEAR / ICMPv6ND_NS(tgt="fe80::2") / Raw(b"\1\0" + bytes(6)),
        NEAR / ICMPv6ND_Redirect(tgt="fe80::2") / YOURS,
    ],
)
def test_what_tells_nothing(built: Built) -> None:
    assert heard([frame(WIRE / built)]) == {}


def test_a_card_may_answer_for_many() -> None:
    found = heard([frame(WIRE / ARP(op=2, psrc=f"10.0.0.{each}", hwsrc=CARD)) for each in range(1, 255)])
    assert len(found) == 254


def test_cut_and_damaged_messages_raise_nothing_else() -> None:
    messages = [(arp.SOURCES[0], bytes(built)) for name, built in _MADE.items() if name != "in a VLAN"]
    messages += [(ndp.SOURCES[0], bytes(built)) for built, _ in _DISCOVERED.values()]
    for source, data in messages:
        for place in range(len(data)):
            for damaged in (
                data[:place],
                data[:place] + b"\xff" + data[place + 1 :],
                data[:place] + b"\0" + data[place + 1 :],
            ):
                _told(source, damaged)


@given(st.sampled_from([arp.SOURCES[0], ndp.SOURCES[0]]), st.binary(max_size=100))
def test_any_bytes(source: FrameSource, data: bytes) -> None:
    _told(source, data)
    _told(source, bytes(NEAR)[:6] + b"\x3a\xff" + data)


def _told(source: FrameSource, data: bytes) -> None:
    try:
        for told in source.hear(Payload(source.kinds[0], data, bytes(6))):
            assert told.address
            assert set(told.evidence) <= set(source.keys)
    except ProbeError:
        pass
