"""What takes the general path: IPv6, tags, options, fragments, datagrams, messages of neighbours."""

from __future__ import annotations

from typing import Final

from scapy.layers.inet import IP, TCP, IPOption_NOP, fragment
from scapy.layers.inet6 import ICMPv6EchoRequest, ICMPv6ND_NS, ICMPv6NDOptSrcLLAddr, IPv6, IPv6ExtHdrDestOpt
from scapy.layers.l2 import Dot1Q, Ether
from scapy.packet import Raw

from tests.capture.framed import CARD, OTHER, frame, heard

WIRE: Final = Ether(src=CARD, dst=OTHER)
SSH: Final = TCP(sport=22, dport=4000, flags="A", seq=9) / Raw(b"SSH-2.0-words\r\n")
SYN: Final = TCP(sport=4000, dport=22, flags="S", options=[("MSS", 1460)])


def test_a_conversation_over_ipv6() -> None:
    ends = IPv6(src="fd00::1", dst="fd00::2")
    for headers in (ends, ends / IPv6ExtHdrDestOpt()):
        assert heard([frame(WIRE / headers / SSH)])["fd00::1", 22, "ssh"]["ssh.banner"] == ("words",)


def test_a_conversation_in_a_tag_with_options_and_in_fragments() -> None:
    ends = IP(src="10.0.0.1", dst="10.0.0.2")
    assert ("10.0.0.1", 22, "ssh") in heard([frame(WIRE / Dot1Q(vlan=7) / ends / SSH)])
    options = IP(src="10.0.0.1", dst="10.0.0.2", options=[IPOption_NOP()])
    assert ("10.0.0.1", 22, "ssh") in heard([frame(WIRE / options / SSH)])
    assert ("10.0.0.1", 22, "ssh") in heard([frame(WIRE / each) for each in fragment(ends / SSH, 16)])


def test_how_a_connection_begins_is_told_of_ipv4_alone_and_of_whole_packets() -> None:
    four = IP(src="10.0.0.2", dst="10.0.0.1", flags=0)
    assert heard([frame(WIRE / Dot1Q(vlan=7) / four / SYN)])["10.0.0.2", 0, "syn"].keys() == {"tcp.syn"}
    assert heard([frame(WIRE / IPv6(src="fd00::1", dst="fd00::2") / SYN)]) == {}
    assert heard([frame(WIRE / each) for each in fragment(four / SYN, 8)]) == {}


def test_messages_of_neighbours_come_to_their_source_and_others_do_not() -> None:
    asked = ICMPv6ND_NS(tgt="fd00::2") / ICMPv6NDOptSrcLLAddr(lladdr=CARD)
    ends = IPv6(src="fd00::1", dst="ff02::1:ff00:2", hlim=255)
    assert heard([frame(WIRE / ends / asked)]) == {("fd00::1", 0, "ndp"): {"mac.address": (CARD,)}}
    assert heard([frame(WIRE / ends / ICMPv6EchoRequest())]) == {}
