"""What comes out of tunnels: of packets that scapy built, of damaged ones, and of the real captures."""

from __future__ import annotations

import struct
from typing import Final

import pytest
from scapy.contrib.erspan import ERSPAN_II, ERSPAN_III
from scapy.contrib.geneve import GENEVE, GeneveOptions
from scapy.contrib.mpls import MPLS
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrFragment, fragment6
from scapy.layers.l2 import ARP, GRE, Dot1Q, Ether
from scapy.layers.vxlan import VXLAN
from scapy.packet import Packet as Built
from scapy.packet import Raw

from scanner.capture.ear import Ear
from scanner.capture.frames import opened
from scanner.capture.packets import Packets
from scanner.capture.telling import Packet, Payload
from scanner.capture.tunnels import inside
from tests.capture.framed import CARD, OTHER, capture, frame, heard
from tests.corpus import CORPUS

_CARD: Final = bytes.fromhex(CARD.replace(":", ""))
FOUR: Final = (
    IP(src="10.1.0.1", dst="10.1.0.2")
    / TCP(sport=22, dport=4000, flags="A", seq=9)
    / Raw(b"SSH-2.0-within\r\n")
)
SIX: Final = (
    IPv6(src="fd00::1", dst="fd00::2")
    / TCP(sport=22, dport=4000, flags="A", seq=9)
    / Raw(b"SSH-2.0-within\r\n")
)
WIRE: Final = Ether(src=CARD, dst=OTHER)
_IP: Final = {"src": "192.0.2.1", "dst": "192.0.2.2"}
_THIRD: Final = bytes(10)
"""An ERSPAN header of type III, but for its flags."""
PACKETS: Final = {
    "IP in IP": IP(**_IP) / FOUR,
    "6in4": IP(**_IP) / SIX,
    "4in6": IPv6() / FOUR,
    "6in6": IPv6() / SIX,
    "GRE": IP(**_IP) / GRE() / FOUR,
    "GRE, IPv6": IP(**_IP) / GRE() / SIX,
    "GRE with all of its fields": IP(**_IP) / GRE(chksum_present=1, key_present=1, seqnum_present=1) / FOUR,
    "GRE over IPv6": IPv6(nh=47) / GRE() / FOUR,
    "GRE, MPLS": IP(**_IP) / GRE(proto=0x8847) / MPLS(label=3, s=1, ttl=9) / FOUR,
}
FRAMES: Final = {
    "GRE, Ethernet": IP(**_IP) / GRE(proto=0x6558) / WIRE / FOUR,
    "NVGRE": IP(**_IP) / GRE(proto=0x6558, key_present=1, key=0x123400) / WIRE / Dot1Q(vlan=7) / SIX,
    "ERSPAN I": IP(**_IP) / GRE(proto=0x88BE) / Raw(bytes(WIRE / FOUR)),
    "ERSPAN II": IP(**_IP) / GRE(proto=0x88BE, seqnum_present=1) / ERSPAN_II() / WIRE / FOUR,
    "ERSPAN III": IP(**_IP) / GRE(proto=0x22EB, seqnum_present=1) / ERSPAN_III() / WIRE / FOUR,
    "ERSPAN III with a subheader": IP(**_IP)
    / GRE(proto=0x22EB, seqnum_present=1)
    / Raw(_THIRD + b"\0\1" + bytes(8) + bytes(WIRE / SIX)),
    "VXLAN": IP(**_IP) / UDP(sport=5, dport=4789) / VXLAN(flags=8, vni=7) / WIRE / FOUR,
    "VXLAN as Linux had it": IP(**_IP) / UDP(sport=5, dport=8472) / VXLAN(flags=8, vni=7) / WIRE / SIX,
    "VXLAN over IPv6": IPv6() / UDP(sport=5, dport=4789) / VXLAN(flags=8, vni=7) / WIRE / FOUR,
    "Geneve": IP(**_IP) / UDP(sport=5, dport=6081) / GENEVE(proto=0x6558) / WIRE / FOUR,
    "Geneve with options": IP(**_IP)
    / UDP(sport=5, dport=6081)
    / GENEVE(proto=0x6558, options=[GeneveOptions(data=b"four" * 3), GeneveOptions(data=b"")])
    / WIRE
    / SIX,
}


def come_out(data: bytes) -> list[Packet | Payload]:
    carried = Packets().whole(data)
    return [] if carried is None else list(opened(inside(carried)))


@pytest.mark.parametrize("name", [*PACKETS, *FRAMES])
def test_what_is_within_comes_out(name: str) -> None:
    (found,) = come_out(bytes((PACKETS | FRAMES)[name]))
    assert isinstance(found, Packet)
    assert found.data in {bytes(FOUR), bytes(SIX)}
    assert found.card == (_CARD if name in FRAMES else b"")


@pytest.mark.parametrize("name", [*PACKETS, *FRAMES])
def test_its_conversations_are_heard(name: str) -> None:
    built = (PACKETS | FRAMES)[name]
    owner = "fd00::1" if bytes(SIX) in bytes(built) else "10.1.0.1"
    assert heard([frame(WIRE / built)])[owner, 22, "ssh"]["ssh.banner"] == ("within",)


@pytest.mark.parametrize("name", [*PACKETS, *FRAMES])
def test_damaged_and_cut_tunnels_raise_nothing(name: str) -> None:
    data = bytes((PACKETS | FRAMES)[name])
    for end in range(len(data)):
        come_out(data[:end])
    for place in range(len(data) - 16):
        for value in (0, 1, 0x7F, 0x81, 0xFF, data[place] ^ 1):
            come_out(data[:place] + bytes((value,)) + data[place + 1 :])


@pytest.mark.parametrize(
    "built",
    [
        IP() / GRE(version=1, proto=0x880B) / FOUR,
        IP() / GRE(routing_present=1) / FOUR,
        IP() / UDP(dport=4789) / Raw(bytes(8) + bytes(WIRE / FOUR)),
        IP() / UDP(dport=6081) / Raw(b"\xc0" + bytes(7) + bytes(WIRE / FOUR)),
        IP() / UDP(sport=4789, dport=5) / VXLAN(flags=8) / WIRE / FOUR,
        IP()
        / GRE(proto=0x22EB, seqnum_present=1)
        / Raw(_THIRD + struct.pack(">H", 5 << 10) + bytes(WIRE / FOUR)),
    ],
)
def test_what_is_no_tunnel_that_is_known(built: Built) -> None:
    assert come_out(bytes(built)) == []


def test_what_is_no_packet_comes_out_as_well() -> None:
    arp = ARP(psrc="10.1.0.1", hwsrc=CARD, op=2)
    found = heard([frame(WIRE / IP(**_IP) / UDP(sport=5, dport=4789) / VXLAN(flags=8) / WIRE / arp)])
    assert found == {("10.1.0.1", 0, "arp"): {"mac.address": (CARD,)}}


@pytest.mark.parametrize(("depth", "heard_of"), [(4, 1), (5, 0), (300, 0)])
def test_tunnels_within_tunnels_end(depth: int, heard_of: int) -> None:
    data = bytes(FOUR)
    for _ in range(depth):
        data = bytes(IP(**_IP, proto=4, len=20 + len(data), chksum=0)) + data
    assert len(heard([frame(data, 101)])) == heard_of


def test_a_tunnel_in_fragments() -> None:
    whole = IPv6(src="fd00::8", dst="fd00::9") / IPv6ExtHdrFragment(id=3) / UDP(sport=5, dport=4789)
    pieces = fragment6(whole / VXLAN(flags=8) / WIRE / FOUR / Raw(bytes(1_800)), 1_280)
    assert len(pieces) > 1
    found = heard([frame(WIRE / piece) for piece in pieces[::-1]])
    assert found["10.1.0.1", 22, "ssh"]["ssh.banner"] == ("within",)


if CORPUS:

    @pytest.mark.parametrize(
        ("name", "owner", "port", "banner"),
        [
            ("tcpdump-geneve", "30.0.0.1", 22, "OpenSSH_5.9p1 Debian-5ubuntu1"),
            ("vxlan", "172.31.0.238", 22, "OpenSSH_7.4"),
            ("mptcp-v0", "10.1.1.2", 22, "OpenSSH_5.5p1 Debian-6+squeeze1"),
        ],
    )
    def test_hosts_of_real_tunnels(name: str, owner: str, port: int, banner: str) -> None:
        assert heard(capture(name))[owner, port, "ssh"]["ssh.banner"] == (banner,)

    def test_frames_of_a_real_mirror_over_ip() -> None:
        found = heard(capture("erspan-type-i-4"))
        assert {key for key in found if key[2] == "lldp"} == {
            ("00:23:89:af:cd:22", 0, "lldp"),
            ("00:23:89:af:d2:78", 0, "lldp"),
        }


def test_an_ear_goes_on_after_any_of_them() -> None:
    ear = Ear()
    frames = [frame(WIRE / built) for built in (PACKETS | FRAMES).values()]
    assert list(ear.hear(frames))
    assert ear.frames == len(frames)
