"""What is wrapped around packets comes off: of frames that scapy built, of damaged ones, of any bytes."""

from __future__ import annotations

import struct
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.contrib.mpls import MPLS
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import LLC, SNAP, CookedLinux, CookedLinuxV2, Dot1AD, Dot1Q, Dot3, Ether, Loopback
from scapy.layers.ppp import HDLC, PPP, PPPoE
from scapy.packet import Packet as Built
from scapy.packet import Raw

from scanner.capture.ear import Ear
from scanner.capture.frames import LINKS, unwrapped
from scanner.capture.telling import Frame, Packet, Payload
from tests.capture.framed import CARD, OTHER, frame

FOUR: Final = IP(src="10.0.0.1", dst="10.0.0.2") / UDP(sport=1, dport=2) / Raw(b"words")
SIX: Final = IPv6(src="fd00::1", dst="fd00::2") / UDP(sport=1, dport=2) / Raw(b"words")
_OF_CARD: Final = bytes.fromhex(CARD.replace(":", ""))
_SENT: Final = {"src": CARD, "dst": OTHER}


def _cooked(inner: Built, kind: int) -> Built:
    return CookedLinux(src=_OF_CARD + b"\0\0", lladdrlen=6, proto=kind) / inner


def _cooked_again(inner: Built, kind: int) -> Built:
    return CookedLinuxV2(src=_OF_CARD + b"\0\0", lladdrlen=6, proto=kind, ifindex=2) / inner


def _hdlc(inner: Built, kind: int) -> bytes:
    return b"\x0f\0" + struct.pack(">H", kind) + bytes(inner)


WITH_CARD: Final = {
    "Ethernet, IPv4": (1, Ether(**_SENT) / FOUR),
    "Ethernet, IPv6": (1, Ether(**_SENT) / SIX),
    "VLAN": (1, Ether(**_SENT) / Dot1Q(vlan=7) / FOUR),
    "QinQ, 802.1ad": (1, Ether(**_SENT) / Dot1AD(vlan=7) / Dot1Q(vlan=8) / SIX),
    "QinQ, before 802.1ad": (1, Ether(type=0x9100, **_SENT) / Dot1Q(vlan=7) / Dot1Q(vlan=8) / FOUR),
    "eight tags": (1, Ether(type=0x8100, **_SENT) / Raw(b"\0\7\x81\0" * 7) / Dot1Q(vlan=7) / FOUR),
    "SNAP": (1, Dot3(**_SENT) / LLC(dsap=0xAA, ssap=0xAA, ctrl=3) / SNAP(OUI=0, code=0x0800) / FOUR),
    "SNAP of 802.1H": (
        1,
        Dot3(**_SENT) / LLC(dsap=0xAA, ssap=0xAA, ctrl=3) / SNAP(OUI=0xF8, code=0x86DD) / SIX,
    ),
    "SNAP in a VLAN": (
        1,
        Ether(**_SENT)
        / Dot1Q(vlan=7, type=8 + len(FOUR))
        / LLC(dsap=0xAA, ssap=0xAA, ctrl=3)
        / SNAP(OUI=0, code=0x0800)
        / FOUR,
    ),
    "PPPoE": (1, Ether(**_SENT) / PPPoE(sessionid=9) / PPP() / FOUR),
    "PPPoE, IPv6": (1, Ether(**_SENT) / PPPoE(sessionid=9) / PPP() / SIX),
    "MPLS": (1, Ether(**_SENT) / MPLS(label=3, s=0, ttl=9) / MPLS(label=4, s=1, ttl=9) / FOUR),
    "MPLS, IPv6": (1, Ether(**_SENT) / MPLS(label=3, s=1, ttl=9) / SIX),
    "cooked": (113, _cooked(FOUR, 0x0800)),
    "cooked, IPv6": (113, _cooked(SIX, 0x86DD)),
    "cooked, VLAN": (113, _cooked(Dot1Q(vlan=7) / FOUR, 0x8100)),
    "cooked again": (276, _cooked_again(FOUR, 0x0800)),
    "cooked again, IPv6": (276, _cooked_again(SIX, 0x86DD)),
}
WITHOUT: Final = {
    "raw": (101, FOUR),
    "raw, IPv6": (101, SIX),
    "raw, by another number": (12, FOUR),
    "raw, by a third number": (14, SIX),
    "IPv4": (228, FOUR),
    "IPv6": (229, SIX),
    "loopback": (0, Loopback(type=2) / FOUR),
    "loopback, in order of networks": (0, b"\0\0\0\x02" + bytes(FOUR)),
    "loopback of OpenBSD": (108, b"\0\0\0\x18" + bytes(SIX)),
    "loopback of FreeBSD": (0, b"\x1c\0\0\0" + bytes(SIX)),
    "loopback of macOS": (0, b"\x1e\0\0\0" + bytes(SIX)),
    "PPP": (9, PPP() / FOUR),
    "PPP in HDLC": (9, HDLC() / PPP() / SIX),
    "PPP, its protocol in one byte": (9, b"\x21" + bytes(FOUR)),
    "PPP, with MPLS": (9, PPP(proto=0x0281) / MPLS(label=4, s=1, ttl=9) / FOUR),
    "PPP over a line": (50, HDLC() / PPP() / FOUR),
    "Cisco's HDLC over a line": (50, _hdlc(SIX, 0x86DD)),
    "PPPoE alone": (51, PPPoE(sessionid=9) / PPP() / FOUR),
    "Cisco's HDLC": (104, _hdlc(FOUR, 0x0800)),
    "Cisco's HDLC, with MPLS": (104, _hdlc(MPLS(label=4, s=1, ttl=9) / SIX, 0x8847)),
}


@pytest.mark.parametrize("name", [*WITH_CARD, *WITHOUT])
def test_a_packet_comes_out_of_each_link(name: str) -> None:
    link, built = (WITH_CARD | WITHOUT)[name]
    (found,) = unwrapped(frame(built, link))
    assert isinstance(found, Packet)
    assert found.data in {bytes(FOUR), bytes(SIX)}
    assert found.card == (_OF_CARD if name in WITH_CARD else b"")


def test_every_link_is_tried_here() -> None:
    assert {link for link, _ in (WITH_CARD | WITHOUT).values()} == set(LINKS)


@pytest.mark.parametrize("between", [b"", bytes(4)])
def test_a_pseudowire_has_the_card_within(between: bytes) -> None:
    built = (
        Ether(src=OTHER) / MPLS(label=4, s=1, ttl=9) / Raw(between + bytes(Ether(src=CARD, dst=OTHER) / FOUR))
    )
    assert list(unwrapped(frame(built))) == [Packet(bytes(FOUR), _OF_CARD)]


@pytest.mark.parametrize(
    ("built", "kind", "data"),
    [
        (Ether(type=0x88CC, **_SENT) / Raw(b"told"), 0x88CC, b"told"),
        (Ether(type=0x8100, **_SENT) / Dot1Q(type=0x0806) / Raw(b"told"), 0x0806, b"told"),
        (Dot3(len=7, **_SENT) / Raw(b"\xe0\xe0\x03told"), 7, b"\xe0\xe0\x03told"),
        (
            Dot3(len=12, **_SENT) / Raw(b"\xaa\xaa\x03\0\0\x0c\x20\0told"),
            12,
            b"\xaa\xaa\x03\0\0\x0c\x20\0told",
        ),
        (Dot3(len=12, **_SENT) / Raw(b"\xaa\xaa\x03\0\0\0\x08\x06told"), 0x0806, b"told"),
        (Dot3(len=12, **_SENT) / Raw(b"\xaa\xaa\x03\0\0\0\x81\x37told" + bytes(34)), 0x8137, b"told"),
    ],
)
def test_what_is_no_packet_is_told_with_its_kind(built: Built, kind: int, data: bytes) -> None:
    assert list(unwrapped(frame(built))) == [Payload(kind, data, _OF_CARD)]


def test_a_card_of_zeros_is_none() -> None:
    assert list(unwrapped(frame(Ether(src="00:00:00:00:00:00", dst=OTHER) / FOUR))) == [
        Packet(bytes(FOUR), b"")
    ]


def test_tags_and_labels_end() -> None:
    tags = bytes(Ether(type=0x8100, **_SENT)) + b"\0\7\x81\0" * 400
    labels = bytes(Ether(type=0x8847, **_SENT)) + bytes(4) * 400
    assert list(unwrapped(frame(tags + bytes(FOUR)))) == []
    assert list(unwrapped(frame(labels + bytes(FOUR)))) == []


def test_link_types_that_are_not_understood_are_counted() -> None:
    ear = Ear()
    assert list(ear.hear([frame(b"x" * 60, 127), frame(b"", 127), frame(FOUR, 105), frame(FOUR, 101)])) == []
    assert ear.unknown == {127: 2, 105: 1}
    assert ear.frames == 4


@pytest.mark.parametrize("name", [*WITH_CARD, *WITHOUT])
def test_damaged_and_cut_frames_raise_nothing(name: str) -> None:
    link, built = (WITH_CARD | WITHOUT)[name]
    data = bytes(built)
    wrapping = len(data) - 20
    for end in range(len(data)):
        list(unwrapped(Frame(link, 1.0, data[:end])))
    ear = Ear()
    for place in range(wrapping):
        for value in (0, 1, 0x7F, 0x81, 0xFF, data[place] ^ 1):
            list(ear.hear([Frame(link, 1.0, data[:place] + bytes((value,)) + data[place + 1 :])]))


@given(st.sampled_from(sorted(LINKS)), st.binary(max_size=120))
def test_any_bytes_raise_nothing(link: int, data: bytes) -> None:
    list(Ear().hear([Frame(link, 1.0, data)]))


@given(
    st.sampled_from([0x8100, 0x8847, 0x8864, 0x6558, 0x0806, 0x88CC, 0x8137, 0x86DD, 0x0800, 40]),
    st.binary(max_size=90),
)
def test_any_bytes_after_a_kind_raise_nothing(kind: int, data: bytes) -> None:
    list(Ear().hear([Frame(1, 1.0, bytes(12) + struct.pack(">H", kind) + data)]))
