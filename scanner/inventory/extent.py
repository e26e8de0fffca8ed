"""How many addresses a ward has, and how many of them were ever asked."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, TypeAlias

from scanner.addresses import IPV6, IPV6_END, AddressMap, AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Extents: TypeAlias = "dict[int | None, tuple[int, int]]"
"""Ward id, None for addresses outside every ward, to how many addresses and how many of them asked."""

_BLOCK = 256


def extents_of(subnets: Mapping[int, Iterable[str]], blocks: Iterable[tuple[int, bytes, bytes]]) -> Extents:
    """The extents of one site's wards.

    An address in subnets of two wards belongs to the narrower one. Outside every ward only what was asked
    counts: nobody said what else there is.

    Args:
        subnets: by ward id.
        blocks: rows of the table coverage: IP version, block, map of addresses ever asked.
    """
    maps = sorted(
        (number_of_block(version, block), int.from_bytes(ever, "little")) for version, block, ever in blocks
    )
    starts = [start for start, _ in maps]
    wards = AddressMap(
        (AddressSet.of([network]), ward) for ward, networks in subnets.items() for network in networks
    )
    found: Extents = {}
    for addresses, ward in wards.divide(AddressSet([(0, IPV6_END)])):
        size = sum(last - first + 1 for first, last in addresses.spans)
        found[ward] = (size, sum(_asked(maps, starts, first, last) for first, last in addresses.spans))
    outside = sum(bits.bit_count() for _, bits in maps) - sum(asked for _, asked in found.values())
    return {**found, None: (outside, outside)}


def number_of_block(version: int, block: bytes) -> int:
    """The first address of a block, on the number line."""
    number = int.from_bytes(block) * _BLOCK
    return number if version == 4 else number + IPV6  # noqa: PLR2004 - the IP version


def _asked(maps: list[tuple[int, int]], starts: list[int], first: int, last: int) -> int:
    asked = 0
    for place in range(bisect_left(starts, first - first % _BLOCK), len(maps)):
        start, bits = maps[place]
        if start > last:
            break
        low, high = max(first, start) - start, min(last, start + _BLOCK - 1) - start
        asked += (bits >> low & (1 << high - low + 1) - 1).bit_count()
    return asked
