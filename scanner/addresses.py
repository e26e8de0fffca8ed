"""Addresses as arithmetic: sets and maps of them, as small for a /8 as for a /30.

IPv4 and IPv6 share one number line, IPv6 above 2**32, so that one set holds both.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from itertools import accumulate
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Value = TypeVar("Value")

Span = tuple[int, int]
"""First and last number of a run of addresses, both included."""

IPV6: Final = 1 << 32
"""Where IPv6 begins on the number line."""

IPV6_END: Final = IPV6 + (1 << 128) - 1


def number_of(address: str) -> int:
    """The place of an address on the number line.

    Raises:
        ValueError: it is no address.
    """
    parsed = ip_address(address)
    return int(parsed) if parsed.version == 4 else int(parsed) + IPV6  # noqa: PLR2004 - the IP version


def address_of(number: int) -> str:
    """The address at a place of the number line, as text."""
    return str(IPv4Address(number)) if number < IPV6 else str(IPv6Address(number - IPV6))


def network_span(network: str) -> Span:
    """First and last address of a network.

    Raises:
        ValueError: it is no network, or has host bits set.
    """
    parsed = ip_network(network)
    return number_of(str(parsed[0])), number_of(str(parsed[-1]))


class AddressSet:
    """A set of addresses: sorted runs that neither touch nor overlap."""

    __slots__ = ("_ends", "_starts", "spans")

    def __init__(self, spans: Iterable[Span] = ()) -> None:
        merged: list[Span] = []
        for first, last in sorted(spans):
            if merged and first <= merged[-1][1] + 1 and (first < IPV6) == (merged[-1][1] < IPV6):
                merged[-1] = (merged[-1][0], max(merged[-1][1], last))
            else:
                merged.append((first, last))
        self.spans: tuple[Span, ...] = tuple(merged)
        self._starts = [first for first, _ in merged]
        self._ends = list(accumulate(last - first + 1 for first, last in merged))

    @classmethod
    def of(cls, networks: Iterable[str]) -> AddressSet:
        """The addresses of networks in their usual notation.

        Raises:
            ValueError: one of them is no network.
        """
        return cls(network_span(network) for network in networks)

    @property
    def size(self) -> int:
        """How many addresses it has: of IPv6, more than ``len`` can tell."""
        return self._ends[-1] if self._ends else 0

    def __len__(self) -> int:
        return self.size

    def __bool__(self) -> bool:
        return bool(self.spans)

    def __contains__(self, number: int) -> bool:
        place = bisect_right(self._starts, number) - 1
        return place >= 0 and number <= self.spans[place][1]

    def at(self, index: int) -> int:
        """The address that has ``index`` others of the set below it."""
        place = bisect_right(self._ends, index)
        below = self._ends[place - 1] if place else 0
        return self.spans[place][0] + index - below

    def without(self, other: AddressSet) -> AddressSet:
        """This set less the addresses of another."""
        kept: list[Span] = []
        for first, last in self.spans:
            start = first
            for cut_first, cut_last in other.overlapping(first, last):
                if cut_first > start:
                    kept.append((start, cut_first - 1))
                start = cut_last + 1
            if start <= last:
                kept.append((start, last))
        return AddressSet(kept)

    def within(self, other: AddressSet) -> AddressSet:
        """Those addresses of this set that are in another."""
        return AddressSet(
            (max(first, low), min(last, high))
            for first, last in self.spans
            for low, high in other.overlapping(first, last)
        )

    def overlapping(self, first: int, last: int) -> Iterator[Span]:
        """The runs of the set that have an address between ``first`` and ``last``."""
        for place in range(max(0, bisect_right(self._starts, first) - 1), len(self.spans)):
            run_first, run_last = self.spans[place]
            if run_first > last:
                return
            if run_last >= first:
                yield run_first, run_last

    def spread(self) -> Iterator[int]:
        """Every address once, far from the one before, so that no subnet gets a burst.

        A walk with a stride near the golden section of the size, and coprime to it: it visits every index
        once and needs no memory of where it was.
        """
        size = self.size
        stride = max(1, round(size * 0.6180339887))
        while math.gcd(stride, size) != 1:
            stride += 1
        index = 0
        for _ in range(size):
            yield self.at(index)
            index = (index + stride) % size


class AddressBits:
    """A set that addresses are added to, one by one: a bit for each, 256 of them a word."""

    __slots__ = ("_words",)

    def __init__(self, words: Mapping[int, int] = MappingProxyType({})) -> None:
        self._words = dict(words)

    def add(self, number: int) -> None:
        """Put one in; twice does no harm."""
        word = number >> 8
        self._words[word] = self._words.get(word, 0) | 1 << (number & 0xFF)

    def __contains__(self, number: int) -> bool:
        return bool(self._words.get(number >> 8, 0) >> (number & 0xFF) & 1)

    def __len__(self) -> int:
        return sum(word.bit_count() for word in self._words.values())


class AddressMap(Generic[Value]):
    """What holds for an address: runs of addresses with a value each; where two overlap, the smaller wins."""

    __slots__ = ("_entries", "_starts")

    def __init__(self, entries: Iterable[tuple[AddressSet, Value]]) -> None:
        smallest_first = sorted(
            ((span, value) for addresses, value in entries for span in addresses.spans),
            key=lambda run: (
                run[0][1] - run[0][0],
                run[0][0],
            ),  # in order: the end of a list is cheap to reach
        )
        self._starts: list[int] = []
        self._entries: list[tuple[Span, Value]] = []
        for span, value in smallest_first:
            for part in self._free(span):
                place = bisect_right(self._starts, part[0])
                self._starts.insert(place, part[0])
                self._entries.insert(place, (part, value))

    def _free(self, span: Span) -> list[Span]:
        """The parts of a run that nothing smaller has taken."""
        first, last = span
        free = []
        for (taken_first, taken_last), _ in self.overlapping(first, last):
            if taken_first > first:
                free.append((first, taken_first - 1))
            first = taken_last + 1
        if first <= last:
            free.append((first, last))
        return free

    def overlapping(self, first: int, last: int) -> list[tuple[Span, Value]]:
        """The runs that have an address between ``first`` and ``last``, whole and in order, with values."""
        start = bisect_right(self._starts, first) - 1
        if start < 0 or self._entries[start][0][1] < first:
            start += 1
        return self._entries[start : bisect_right(self._starts, last)]

    def get(self, number: int) -> Value | None:
        """The value at an address, None where there is none."""
        place = bisect_right(self._starts, number) - 1
        if place < 0 or number > self._entries[place][0][1]:
            return None
        return self._entries[place][1]

    def divide(self, addresses: AddressSet) -> tuple[tuple[AddressSet, Value], ...]:
        """The parts of a set, by the value that holds for them; what has none is left out."""
        parts: dict[int, tuple[Value, list[Span]]] = {}
        for (first, last), value in self._entries:
            spans = parts.setdefault(id(value), (value, []))[1]
            spans += ((max(first, low), min(last, high)) for low, high in addresses.overlapping(first, last))
        return tuple((AddressSet(spans), value) for value, spans in parts.values() if spans)
