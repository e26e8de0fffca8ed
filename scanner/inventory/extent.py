"""How many addresses a ward has, and how many of them were ever asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from scanner.addresses import IPV6_END, AddressMap, AddressSet
from scanner.inventory.blocks import blocks_of_rows, divide, size

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Extents: TypeAlias = "dict[int | None, tuple[int, int]]"
"""Ward id, None for addresses outside every ward, to how many addresses and how many of them asked."""


def extents_of(subnets: Mapping[int, Iterable[str]], blocks: Iterable[tuple[int, bytes, bytes]]) -> Extents:
    """The extents of one site's wards.

    An address in subnets of two wards belongs to the narrower one. Outside every ward only what was asked
    counts: nobody said what else there is.

    Args:
        subnets: by ward id.
        blocks: rows of the table coverage: IP version, block, map of addresses ever asked.
    """
    wards = AddressMap(
        (AddressSet.of([network]), ward) for ward, networks in subnets.items() for network in networks
    )
    asked = divide(blocks_of_rows(blocks), wards)
    found: Extents = {
        ward: (addresses.size, size(asked.get(ward, {})))
        for addresses, ward in wards.divide(AddressSet([(0, IPV6_END)]))
    }
    outside = size(asked.get(None, {}))
    return {**found, None: (outside, outside)}
