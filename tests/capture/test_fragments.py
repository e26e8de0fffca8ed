"""Packets in pieces: any pieces in any order give them back, and no pieces do harm."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP, UDP, fragment
from scapy.layers.inet6 import IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, fragment6
from scapy.packet import Raw

from scanner.capture.fragments import LARGEST, PIECES, Fragments
from scanner.capture.packets import Packets

if TYPE_CHECKING:
    from collections.abc import Sequence

KEY: Final = b"of this packet"


def put_together(pieces: Sequence[tuple[int, bytes, bool]]) -> list[bytes]:
    """What comes out."""
    fragments = Fragments()
    found = [fragments.add(KEY, start, data, last=last) for start, data, last in pieces]
    return [each for each in found if each is not None]


@st.composite
def split(draw: st.DrawFn) -> tuple[bytes, list[tuple[int, bytes, bool]]]:
    """A datagram and its pieces in some order, some of them twice."""
    data = draw(st.binary(min_size=9, max_size=2_000))
    cuts = draw(st.sets(st.integers(1, (len(data) - 1) // 8), max_size=40))
    edges = [0, *sorted(cut * 8 for cut in cuts), len(data)]
    pieces = [(start, data[start:end], end == len(data)) for start, end in pairwise(edges)]
    return data, draw(st.permutations(pieces))


@given(split(), st.data())
def test_any_split_in_any_order_gives_it_back(
    made: tuple[bytes, list[tuple[int, bytes, bool]]], chosen: st.DataObject
) -> None:
    data, pieces = made
    again = chosen.draw(st.lists(st.sampled_from(pieces), max_size=4))
    for piece in again:  # before the one that completes it
        pieces.insert(chosen.draw(st.integers(0, len(pieces) - 1)), piece)
    assert put_together(pieces)[:1] == [data]


@given(split())
def test_nothing_comes_while_one_is_missing(made: tuple[bytes, list[tuple[int, bytes, bool]]]) -> None:
    _, pieces = made
    assert put_together(pieces[1:]) == []


@given(st.lists(st.tuples(st.integers(0, 70_000), st.binary(max_size=100), st.booleans()), max_size=60))
def test_any_pieces_do_no_harm(pieces: list[tuple[int, bytes, bool]]) -> None:
    assert all(len(each) <= LARGEST for each in put_together(pieces))


def test_of_bytes_that_come_twice_the_first_count() -> None:
    first, false = b"A" * 16, b"B" * 24
    assert put_together([(0, first, False), (8, false, False), (32, b"end", True)]) == [
        first + b"B" * 16 + b"end"
    ]
    assert put_together([(8, false, False), (0, first, False), (32, b"end", True)]) == [
        b"A" * 8 + false + b"end"
    ]
    assert put_together([(16, b"end", True), (0, b"A" * 40, False)]) == [b"A" * 16 + b"end"]


def test_teardrop_tiny_fragments_and_the_ping_of_death_are_harmless() -> None:
    assert put_together([(0, b"A" * 36, False), (24, b"B" * 4, True)]) == [b"A" * 28]
    assert put_together([(0, b"A" * 8, False), (65_528, b"B" * 100, True)]) == []
    assert put_together([(0, b"", False), (0, b"", False)]) == []
    fragments = Fragments()
    for place in range(2 * PIECES):
        assert fragments.add(KEY, place * 8, b"A" * 8, last=False) is None
    assert fragments.held < 1 << 20


def test_what_is_never_completed_is_forgotten() -> None:
    fragments = Fragments()
    for number in range(5_000):
        fragments.add(number.to_bytes(4), 0, b"A" * 8, last=False)
    assert fragments.held < 1 << 20
    for number in range(5_000):
        fragments.add(number.to_bytes(4), 0, b"A" * 60_000, last=False)
    assert fragments.held <= 8 << 20
    assert fragments.add((4_999).to_bytes(4), 60_000, b"end", last=True) == b"A" * 60_000 + b"end"


WORDS: Final = bytes(range(256)) * 12
FOUR: Final = IP(src="10.0.0.1", dst="10.0.0.2", id=7) / UDP(sport=1, dport=2) / Raw(WORDS)
SIX: Final = (
    IPv6(src="fd00::1", dst="fd00::2") / IPv6ExtHdrFragment(id=7) / UDP(sport=1, dport=2) / Raw(WORDS)
)


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("size", [8, 64, 1_000, 1_480])
def test_fragments_of_packets(size: int, order: int) -> None:
    packets = Packets()
    found = [packets.whole(bytes(each) + b"padding") for each in fragment(FOUR, size)[::order]]
    assert found[:-1] == [None] * (len(found) - 1)
    assert found[-1] is not None
    assert found[-1].data == bytes(FOUR)[20:]
    assert found[-1].source == bytes((10, 0, 0, 1))


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("size", [100, 600, 1_280])
def test_fragments_of_packets_of_ipv6(size: int, order: int) -> None:
    packets = Packets()
    found = [packets.whole(bytes(each)) for each in fragment6(SIX, size)[::order]]
    assert len(found) > 1
    assert found[:-1] == [None] * (len(found) - 1)
    assert found[-1] is not None
    assert (found[-1].protocol, found[-1].data) == (17, bytes(SIX)[48:])


def test_a_packet_of_ipv6_in_one_fragment_and_options_behind_it() -> None:
    inner = IPv6ExtHdrDestOpt() / UDP(sport=1, dport=2) / Raw(b"words")
    found = Packets().whole(bytes(IPv6() / IPv6ExtHdrFragment(id=7) / inner))
    assert found is not None
    assert (found.protocol, found.data[8:]) == (17, b"words")


def test_packets_are_told_apart_by_their_ends_protocol_and_number() -> None:
    packets = Packets()
    first, _ = fragment(IP(src="10.0.0.1", dst="10.0.0.2", id=7) / UDP() / Raw(b"A" * 1_600), 1_000)
    for other in (
        IP(src="10.0.0.9", dst="10.0.0.2", id=7) / UDP() / Raw(b"B" * 1_600),
        IP(src="10.0.0.1", dst="10.0.0.9", id=7) / UDP() / Raw(b"B" * 1_600),
        IP(src="10.0.0.1", dst="10.0.0.2", id=8) / UDP() / Raw(b"B" * 1_600),
        IP(src="10.0.0.1", dst="10.0.0.2", id=7, proto=132) / Raw(b"B" * 1_608),
    ):
        assert packets.whole(bytes(first)) is None
        assert packets.whole(bytes(fragment(other, 1_000)[1])) is None
