from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.addresses import IPV6, AddressMap, AddressSet, address_of, network_span, number_of

spans = st.lists(
    st.tuples(st.integers(0, 400), st.integers(0, 40)).map(lambda pair: (pair[0], pair[0] + pair[1])),
    max_size=12,
)


def members(addresses: AddressSet) -> set[int]:
    return {number for first, last in addresses.spans for number in range(first, last + 1)}


@given(spans)
def test_a_set_holds_what_its_spans_hold(given_spans: list[tuple[int, int]]) -> None:
    expected = {number for first, last in given_spans for number in range(first, last + 1)}
    addresses = AddressSet(given_spans)
    assert members(addresses) == expected
    assert len(addresses) == len(expected)
    assert all((number in addresses) == (number in expected) for number in range(450))
    assert [addresses.at(index) for index in range(len(addresses))] == sorted(expected)


@given(spans, spans)
def test_subtraction_is_that_of_sets(one: list[tuple[int, int]], other: list[tuple[int, int]]) -> None:
    assert members(AddressSet(one).without(AddressSet(other))) == members(AddressSet(one)) - members(
        AddressSet(other)
    )


@given(spans)
def test_the_spread_visits_every_address_once(given_spans: list[tuple[int, int]]) -> None:
    addresses = AddressSet(given_spans)
    visited = list(addresses.spread())
    assert len(visited) == len(addresses)
    assert set(visited) == members(addresses)


def test_the_spread_gives_no_subnet_a_burst() -> None:
    """Of any 100 addresses in a row, no /24 of a /16 gets more than two."""
    order = [number >> 8 for number in AddressSet.of(["10.0.0.0/16"]).spread()]
    worst = max(
        max(order[start : start + 100].count(subnet) for subnet in set(order[start : start + 100]))
        for start in range(0, len(order), 1000)
    )
    assert worst <= 2


def test_a_slash_eight_takes_no_memory_of_its_own() -> None:
    whole = AddressSet.of(["10.0.0.0/8"])
    assert len(whole) == 1 << 24
    first = [address_of(number) for number, _ in zip(whole.spread(), range(3), strict=False)]
    assert len(set(first)) == 3


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)))
def test_numbers_and_addresses_go_both_ways(address: object) -> None:
    assert ip_address(address_of(number_of(str(address)))) == address


def test_both_families_live_on_one_line() -> None:
    both = AddressSet([network_span("255.255.255.255/32"), network_span("::/128")])
    assert len(both.spans) == 2
    assert number_of("::") == IPV6


@given(st.lists(st.tuples(spans, st.integers(0, 3)), max_size=4), spans)
def test_a_map_divides_a_set_without_losing_or_doubling(
    entries: list[tuple[list[tuple[int, int]], int]], asked: list[tuple[int, int]]
) -> None:
    mapping = AddressMap((AddressSet(given_spans), (value,)) for given_spans, value in entries)
    parts = mapping.divide(AddressSet(asked))
    seen: set[int] = set()
    for part, value in parts:
        assert not members(part) & seen
        seen |= members(part)
        assert all(mapping.get(number) is value for number in members(part))
    covered = {number for given_spans, _ in entries for number in members(AddressSet(given_spans))}
    assert seen == covered & members(AddressSet(asked))


def test_the_smaller_of_two_overlapping_wins() -> None:
    mapping = AddressMap([(AddressSet.of(["10.0.0.0/16"]), "site"), (AddressSet.of(["10.0.7.0/24"]), "ward")])
    assert mapping.get(number_of("10.0.7.9")) == "ward"
    assert mapping.get(number_of("10.0.8.9")) == "site"
    assert mapping.get(number_of("10.1.0.0")) is None


def test_host_bits_are_no_network() -> None:
    with pytest.raises(ValueError, match="host bits"):
        network_span("10.0.0.1/24")
