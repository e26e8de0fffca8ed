"""A machine with several addresses, and one that left its address behind: a few nights each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.inventory.test_joining import A, B, pc, without

if TYPE_CHECKING:
    from tests.inventory.test_joining import Nights


def test_a_server_with_two_addresses_is_met_at_both_though_it_says_nothing_at_one(nights: Nights) -> None:
    says = without(pc("SRV1", 1), "netbios")
    for _ in range(20):
        nights.scan((A, says), (B, says))
    last = nights.scan((A, says), (B, {}))
    assert nights.who(last, A) == nights.who(last, B)
    assert nights.assets() == 1


def test_a_server_that_moved_long_ago_is_not_met_where_it_was(nights: Nights) -> None:
    says = without(pc("SRV1", 1), "netbios")
    for address in (A, B):
        for _ in range(20):
            nights.scan((address, says))
    last = nights.scan((B, says), (A, {}))
    assert nights.who(last, A) != nights.who(last, B)
    assert nights.who(nights.scan((A, {})), A) == nights.who(last, A)
