"""The filter of an interface, run by the kernel itself: what it lets through, and what it throws away."""

from __future__ import annotations

import ctypes
import socket
import struct
from typing import TYPE_CHECKING, Self

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, TCP, UDP, fragment
from scapy.layers.inet6 import ICMPv6ND_NS, IPv6, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop
from scapy.layers.ipsec import ESP
from scapy.layers.l2 import ARP, GRE, LLC, Dot1AD, Dot1Q, Dot3, Ether
from scapy.packet import Packet, Raw

from scanner.capture import tunnels
from scanner.capture.ear import Ear
from scanner.capture.sieve import RAW, steps_for
from scanner.capture.sources import sources
from scanner.capture.telling import DatagramSource, Frame
from tests.corpus import CORPUS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

ETHERNET = 1
PORTS = (137, 138, 161)
FOUR, SIX = IP(src="10.0.0.1", dst="10.0.0.2"), IPv6(src="fd00::1", dst="fd00::2")
SAID = Raw(b"x")
CARDS = {"src": "02:00:00:00:00:01", "dst": "02:00:00:00:00:02"}
"""Given everywhere: scapy would ask the network."""
ETHER = Ether(**CARDS)


class Sieve:
    """A filter on a pair of sockets of this process, which the kernel asks about what goes through."""

    def __init__(self, link: int, ports: Sequence[int] | None = PORTS) -> None:
        steps = steps_for(link, ports)
        code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in steps))
        self.ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        program = struct.pack("HxxxxxxP", len(steps), ctypes.addressof(code))
        self.ends[1].setsockopt(socket.SOL_SOCKET, 26, program)  # SO_ATTACH_FILTER
        self.ends[1].settimeout(0)

    def passes(self, frame: bytes) -> bool:
        self.ends[0].send(frame)
        try:
            return self.ends[1].recv(1 << 17) == frame
        except BlockingIOError:
            return False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for end in self.ends:
            end.close()


def tcp(flags: str, options: int = 0, said: bytes = b"") -> Packet:
    return TCP(sport=40000, dport=104, flags=flags, options=[("NOP", None)] * options) / said


LET_THROUGH = {
    "opens": FOUR / TCP(flags="S"),
    "accepts": FOUR / TCP(flags="SA"),
    "closes": FOUR / TCP(flags="FA"),
    "resets": FOUR / TCP(flags="R"),
    "carries one byte": FOUR / tcp("A", 0, b"x"),
    "carries a byte behind options": FOUR / tcp("A", 12, b"x"),
    "carries a byte behind options of both": IP(options=b"\1" * 8) / tcp("A", 12, b"x"),
    "to a port": FOUR / UDP(sport=40000, dport=137) / SAID,
    "from a port": FOUR / UDP(sport=161, dport=40000) / SAID,
    "behind options": IP(options=b"\1" * 4) / UDP(sport=9, dport=138) / SAID,
    **{f"tunnel {port}": FOUR / UDP(sport=9, dport=port) / SAID for port in tunnels.PORTS},
    "first fragment": IP(flags="MF") / UDP(sport=5004, dport=5004) / SAID,
    "last fragment": IP(frag=100) / SAID,
    "ICMP": FOUR / ICMP(),
    "GRE": FOUR / GRE() / IP() / UDP(),
    "IP in IP": FOUR / IP() / TCP(flags="A"),
    "IPv6 opens": SIX / TCP(flags="S"),
    "IPv6 carries": SIX / tcp("A", 4, b"x"),
    "IPv6 to a port": SIX / UDP(sport=9, dport=137) / SAID,
    "IPv6 with more headers": SIX / IPv6ExtHdrHopByHop() / UDP(sport=5004, dport=5004),
    "IPv6 fragment": SIX / IPv6ExtHdrFragment(m=1) / SAID,
    "neighbours": SIX / ICMPv6ND_NS(),
}
THROWN_AWAY = {
    "acknowledges": FOUR / tcp("A"),
    "acknowledges with options": FOUR / tcp("A", 12),
    "pushes nothing": FOUR / tcp("PA"),
    "acknowledges behind options": IP(options=b"\1" * 8) / tcp("A", 8),
    "other ports": FOUR / UDP(sport=5004, dport=5005) / SAID,
    "other ports, ours in what they carry": FOUR / UDP(sport=5004, dport=5005) / UDP(sport=137, dport=137),
    "ESP": FOUR / ESP(data=b"x" * 40),
    "IPv6 acknowledges": SIX / tcp("A", 8),
    "IPv6 other ports": SIX / UDP(sport=5004, dport=5005) / SAID,
}
TAGGED: dict[str, Callable[[], Packet]] = {
    "plain": lambda: ETHER,
    "VLAN": lambda: ETHER / Dot1Q(vlan=3),
    "QinQ": lambda: ETHER / Dot1AD(vlan=4) / Dot1Q(vlan=3),
}


@pytest.mark.parametrize("around", TAGGED)
def test_what_can_tell_nothing_is_thrown_away(around: str) -> None:
    with Sieve(ETHERNET) as sieve:
        passed = {
            name: sieve.passes(bytes(TAGGED[around]() / packet))
            for name, packet in (LET_THROUGH | THROWN_AWAY).items()
        }
    assert passed == dict.fromkeys(LET_THROUGH, True) | dict.fromkeys(THROWN_AWAY, False)


def test_padding_is_no_payload() -> None:
    with Sieve(ETHERNET) as sieve:
        assert not sieve.passes(bytes(ETHER / FOUR / tcp("A")) + bytes(6))


def test_ip_alone_is_the_same() -> None:
    with Sieve(RAW) as sieve:
        assert all(sieve.passes(bytes(packet)) for packet in LET_THROUGH.values())
        assert not any(sieve.passes(bytes(packet)) for packet in THROWN_AWAY.values())
        assert not sieve.passes(bytes(ETHER / ARP()))


def test_what_is_no_ip_is_let_through() -> None:
    with Sieve(ETHERNET) as sieve:
        assert sieve.passes(bytes(ETHER / ARP()))
        assert sieve.passes(bytes(Dot3(**CARDS) / LLC() / SAID))
        for kind in (0x88CC, 0x8137, 0x8847, 0x8864):
            assert sieve.passes(bytes(Ether(type=kind, **CARDS) / SAID)), kind
        assert sieve.passes(bytes(ETHER / Dot1Q() / Dot1Q() / Dot1Q() / FOUR / tcp("A"))), "too many tags"


def test_a_packet_longer_than_it_can_say_is_let_through() -> None:
    """The kernel puts segments together, beyond what the length of an IP header can say."""
    with Sieve(ETHERNET) as sieve:
        assert sieve.passes(bytes(ETHER / IP(len=0) / TCP(flags="A") / SAID))
        assert sieve.passes(bytes(ETHER / IPv6(plen=0) / TCP(flags="A") / SAID))


def test_every_fragment_of_a_long_datagram_is_let_through() -> None:
    with Sieve(ETHERNET) as sieve:
        parts = fragment(FOUR / UDP(sport=9, dport=161) / Raw(bytes(5000)), fragsize=1000)
        assert len(parts) > 4
        assert all(sieve.passes(bytes(ETHER / part)) for part in parts)


@given(st.binary(min_size=1, max_size=120), st.sampled_from([ETHERNET, RAW]))
def test_anything_may_come(data: bytes, link: int) -> None:
    with Sieve(link) as sieve:
        sieve.passes(data)


@given(st.integers(0, 10), st.integers(0, 9), st.integers(0, 30), st.integers(0, 63), st.booleans())
def test_a_segment_passes_where_it_carries_or_opens_or_closes(
    options: int,
    around: int,
    length: int,
    flags: int,
    six: bool,  # noqa: FBT001 - hypothesis gives it
) -> None:
    outer = SIX if six else IP(options=b"\1" * 4 * around)
    packet = ETHER / outer / TCP(flags=flags, options=[("NOP", None)] * 4 * options) / bytes(length)
    with Sieve(ETHERNET) as sieve:
        assert sieve.passes(bytes(packet)) == (length > 0 or flags & 7 > 0)


def test_the_filter_knows_the_ports_of_all_sources() -> None:
    ports = {port for each in sources() if isinstance(each, DatagramSource) for port in each.ports}
    with Sieve(ETHERNET, None) as sieve:
        for port in ports:
            assert sieve.passes(bytes(ETHER / FOUR / UDP(sport=9, dport=port)))
            assert sieve.passes(bytes(ETHER / SIX / UDP(sport=port, dport=9)))


def test_a_filter_that_is_too_long_is_refused_here() -> None:
    with pytest.raises(ValueError, match="jumps"):
        steps_for(ETHERNET, range(1000, 1200))


def capture_frames(file: Path) -> Iterator[Frame]:
    """The frames of a capture of Ethernet, as far as it is one in the order of this machine."""
    data, at = file.read_bytes(), 24
    if data[:4] != b"\xd4\xc3\xb2\xa1" or data[20] != ETHERNET:
        return
    while at + 16 <= len(data):
        seconds, parts, length = struct.unpack_from("<III", data, at)
        yield Frame(ETHERNET, seconds + parts / 1e6, data[at + 16 : at + 16 + length])
        at += 16 + length


CAPTURES = sorted(CORPUS.glob("pcap/*.pcap")) if CORPUS else []


@pytest.mark.parametrize("file", CAPTURES, ids=lambda file: file.stem)
def test_the_ear_learns_the_same_through_the_filter(file: Path) -> None:
    whole = list(capture_frames(file))
    with Sieve(ETHERNET, None) as sieve:
        left = [frame for frame in whole if sieve.passes(frame.data)]
    assert list(Ear().hear(left)) == list(Ear().hear(whole))
