"""Blocks: sections of either byte order, interfaces with times of their own, packets of every kind."""

from __future__ import annotations

import struct
from fractions import Fraction
from itertools import pairwise
from typing import Any, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.capture.files.written import SENT, block, enhanced, interface, option, pcapng, read, section

_Interface: TypeAlias = tuple[int, int | None, int | None]
"""Its link, the resolution of its times and what is to be added to them."""
_Section: TypeAlias = tuple[str, list[_Interface], list[Any]]
"""Its order, its interfaces, and its blocks: packets (interface, ticks, bytes) and others (kind, bytes)."""

orders = st.sampled_from("<>")
resolutions = st.one_of(st.none(), st.integers(0, 18), st.integers(0, 62).map(lambda power: power | 0x80))
interfaces = st.tuples(
    st.integers(0, 0xFFFF), resolutions, st.one_of(st.none(), st.integers(-(2**33), 2**33))
)
contents = st.binary(max_size=40)
packets = st.tuples(st.integers(0, 7), st.integers(0, 2**64 - 1), contents)
others = st.tuples(st.integers(7, 2**32 - 1).filter(lambda kind: kind != 0x0A0D0D0A), contents)
sections = st.tuples(
    orders, st.lists(interfaces, min_size=1, max_size=4), st.lists(st.one_of(packets, others), max_size=6)
)


def _written_interface(order: str, link: int, resolution: int | None, offset: int | None) -> bytes:
    options = option(order, 2, b"eth0")
    if resolution is not None:
        options += option(order, 9, bytes((resolution,)))
    if offset is not None:
        options += option(order, 14, struct.pack(f"{order}q", offset))
    return interface(order, link, 0, options + option(order, 0, b""))


def _moment(ticks: int, resolution: int | None, offset: int | None) -> Fraction:
    power = 6 if resolution is None else resolution
    units = 2 ** (power & 0x7F) if power & 0x80 else 10**power
    at = Fraction(ticks, units) + (offset or 0)
    return at if 0 <= at < 2**32 else Fraction(0)


@given(st.lists(sections, min_size=1, max_size=3), st.sampled_from([5, 64, 1 << 20]))
def test_what_was_written_is_read(written: list[_Section], size: int) -> None:
    content = b""
    expected: list[tuple[int, Fraction, bytes]] = []
    for order, described, blocks in written:
        content += section(order)
        content += b"".join(_written_interface(order, *each) for each in described)
        for *numbers, data in blocks:
            if len(numbers) == 1:
                content += block(order, numbers[0], data)
                continue
            which, ticks = numbers[0] % len(described), numbers[1]
            link, resolution, offset = described[which]
            content += enhanced(order, which, ticks, data, option(order, 1, b"words"))
            expected.append((link, _moment(ticks, resolution, offset), data))
    found = read(content, size)
    assert found.complaint == ""
    assert [(frame.link, frame.data) for frame in found.frames] == [
        (link, data) for link, _, data in expected
    ]
    for frame, (_, moment, _) in zip(found.frames, expected, strict=True):
        # where rounding reaches the end of what a time can be, it is none
        assert frame.at == pytest.approx(float(moment), rel=1e-15, abs=1e-6) or moment > 2**32 - 1


@pytest.mark.parametrize("order", ["<", ">"])
def test_the_packet_block_of_long_ago(order: str) -> None:
    ticks = 1_700_000_000_000_000
    head = struct.pack(f"{order}2H4I", 1, 0xFFFF, ticks >> 32, ticks & 0xFFFFFFFF, 5, 1500)
    content = section(order) + interface(order) + interface(order, 101) + block(order, 2, head + b"bytes")
    (frame,) = read(content).frames
    assert frame == (101, 1_700_000_000, b"bytes")


def test_simple_packets_are_cut_at_the_snapshot_length_and_have_the_time_before_them() -> None:
    simple = block("<", 3, struct.pack("<I", 1500) + b"eight by")
    content = section() + interface("<", 1, 7) + simple + enhanced("<", 0, 5_000_000, b"x") + simple
    found = read(content)
    assert found == ([(1, 0, b"eight b"), (1, 5, b"x"), (1, 5, b"eight b")], "")


def test_a_simple_packet_without_a_snapshot_length_ends_where_it_says() -> None:
    content = section() + interface() + block("<", 3, struct.pack("<I", 6) + b"six by\0\0")
    assert [frame.data for frame in read(content).frames] == [b"six by"]


@pytest.mark.parametrize(
    "broken",
    [
        enhanced("<", 1, 0, b"of an interface that is not there"),
        struct.pack("<2I", 6, 8),
        struct.pack("<2I", 9, 13) + bytes(40),
        struct.pack("<2I", 9, (1 << 24) + 4) + bytes(40),
        struct.pack("<2I", 6, 16) + bytes(4) + struct.pack("<I", 16),
        struct.pack("<2I", 9, 16) + bytes(4) + struct.pack("<I", 20),
        block("<", 6, struct.pack("<5I", 0, 0, 0, 9, 9) + b"eight by"),
        block("<", 6, struct.pack("<5I", 0, 0, 0, 262_145, 9) + b"eight by"),
        block("<", 0x0A0D0D0A, struct.pack("<I2Hq", 0x1A2B3C4E, 1, 0, -1)),
        block("<", 0x0A0D0D0A, struct.pack("<I2Hq", 0x1A2B3C4D, 2, 0, -1)),
        interface("<", 1, 0, struct.pack("<2H", 9, 5) + b"\6"),
        section() + block("<", 3, struct.pack("<I", 4) + b"four"),
        section() + enhanced("<", 0, 0, b"of a section before"),
    ],
)
def test_a_block_that_is_none_ends_it_and_what_was_before_is_kept(broken: bytes) -> None:
    found = read(pcapng(SENT) + broken + pcapng(SENT))
    assert [frame.data for frame in found.frames] == [each.data for each in SENT]
    assert "packets read: 6" in found.complaint
    assert f"byte {len(pcapng(SENT)) + (28 if broken.startswith(section()) else 0)}" in found.complaint


def test_interfaces_without_end_end_it() -> None:
    found = read(section() + interface() * 65_536 + enhanced("<", 65_535, 0, b"last") + interface())
    assert [frame.data for frame in found.frames] == [b"last"]
    assert "a block that is none" in found.complaint


def test_a_time_that_cannot_be_is_none() -> None:
    late = section() + interface() + enhanced("<", 0, 2**64 - 1, b"in 586,524 years")
    assert [frame.at for frame in read(late).frames] == [0]


def test_times_come_in_the_order_in_which_they_were_written() -> None:
    moments = [frame.at for frame in read(pcapng(SENT)).frames]
    assert all(before < after for before, after in pairwise(moments))
