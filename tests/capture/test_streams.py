"""One direction of a connection, whatever the network does to its segments."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.capture.streams import MODULUS, Stream
from scanner.capture.telling import Direction, Hear, Side, Skip, StreamSource, Told
from scanner.probes.lines import line

if TYPE_CHECKING:
    from scanner.capture.telling import Hearing

WORDS = b"".join(f"line {number} {'x' * (number % 37)}\n".encode() for number in range(120))
LINES = tuple(each.decode() for each in WORDS.splitlines())


def lines(_direction: Direction) -> Hearing:
    """Every line that is said."""
    while True:
        said = yield Hear(line())
        yield Told({"line": said.decode().rstrip("\n")})


def every_other(_direction: Direction) -> Hearing:
    """A line, then as many bytes are passed over as the next one has."""
    for each in LINES[1::2]:
        said = yield Hear(line())
        yield Told({"line": said.decode().rstrip("\n")})
        yield Skip(len(each) + 1)


def four(_direction: Direction) -> Hearing:
    """Only the first four lines."""
    for _ in range(4):
        said = yield Hear(line())
        yield Told({"line": said.decode().rstrip("\n")})


SOURCE = StreamSource("lines", ("line",), re.compile(b"line "), lines)
DIRECTION = Direction("192.0.2.1", 50000, "192.0.2.2", 23, Side.CLIENT)


def heard(stream: Stream) -> tuple[str, ...]:
    return tuple(str(told.evidence["line"]) for told in stream.told)


def cut(places: list[int]) -> list[tuple[int, bytes]]:
    """The words, cut at these places: offsets and segments."""
    ends = sorted({0, len(WORDS), *places})
    return [(start, WORDS[start:end]) for start, end in pairwise(ends)]


places = st.lists(st.integers(1, len(WORDS) - 1), max_size=30)
beginnings = st.sampled_from([0, 1, 77_777, MODULUS - 1, MODULUS - 900, MODULUS // 2])


@given(st.data(), places, beginnings)
def test_any_order_gives_the_same(data: st.DataObject, at: list[int], first: int) -> None:
    segments = data.draw(st.permutations(cut(at)))
    stream = Stream(SOURCE, lines(DIRECTION), first)
    for offset, segment in segments:
        stream.segment((first + offset) % MODULUS, segment)
    assert heard(stream) == LINES
    assert not stream.over


@given(st.data(), places, beginnings)
def test_overlaps_and_repetitions_change_nothing(data: st.DataObject, at: list[int], first: int) -> None:
    stream = Stream(SOURCE, lines(DIRECTION), first)
    for offset, segment in cut(at):
        again = data.draw(st.lists(st.integers(0, offset), max_size=3))
        for start in again:
            stream.segment((first + start) % MODULUS, WORDS[start : offset + len(segment)])
        stream.segment((first + offset) % MODULUS, segment)
    assert heard(stream) == LINES


@given(places, beginnings)
def test_what_is_passed_over_may_be_missing(at: list[int], first: int) -> None:
    stream = Stream(SOURCE, every_other(DIRECTION), first)
    starts, position = [], 0
    for each in LINES:
        starts.append(position)
        position += len(each) + 1
    ends = [*starts[1:], len(WORDS)]
    passed = {byte for n in range(1, len(LINES), 2) for byte in range(starts[n], ends[n])}
    for offset, segment in cut([*at, *starts]):
        if offset not in passed:
            stream.segment((first + offset) % MODULUS, segment)
    assert heard(stream) == LINES[::2]


def test_a_source_that_knows_enough_is_not_given_more() -> None:
    stream = Stream(SOURCE, four(DIRECTION), 0)
    stream.segment(0, WORDS)
    assert heard(stream) == LINES[:4]
    assert stream.over
    assert not stream.lost
    assert stream.kept == 0


def test_a_gap_that_is_never_filled_counts_as_lost_and_the_rest_may_begin_anew() -> None:
    stream = Stream(SOURCE, lines(DIRECTION), 0)
    segments = cut(list(range(20, len(WORDS), 20)))
    for offset, segment in (segments[0], *segments[2:]):
        if stream.over:
            break
        stream.segment(offset, segment)
    assert stream.lost
    assert stream.resume() == segments[2]


@pytest.mark.parametrize("size", [1 << 10, 1 << 16, 1 << 20])
def test_memory_is_bounded_whatever_comes(size: int) -> None:
    stream = Stream(SOURCE, lines(DIRECTION), 0)
    position = 0
    for number in range(200):
        if stream.over:
            break
        position += size + 1
        stream.segment(position % MODULUS, bytes([number]) * size)
        assert stream.kept <= (1 << 17) + size
    endless = Stream(SOURCE, lines(DIRECTION), 0)
    for number in range(200):
        endless.segment(number * size % MODULUS, b"y" * size)
        assert endless.kept <= (1 << 16) + size
    assert endless.over
