"""Sets of addresses as the tables have them: 256 a block, a bit each.

What was asked of a /8 is 65,536 blocks: arithmetic goes block by block, never address by address.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

from scanner.addresses import IPV6

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from scanner.addresses import AddressMap, AddressSet, Span

Value = TypeVar("Value")

Blocks: TypeAlias = "Mapping[int, int]"
"""Places on the number line without their last byte, to 256 bits; bit *n*: the address that ends in *n*."""

SIZE: Final = 256
BLOCK_BYTES: Final = {4: 3, 6: 15}
"""By IP version: of a block, as the tables have it."""
_LAST: Final = SIZE - 1
_WHOLE: Final = (1 << SIZE) - 1


def number_of_block(version: int, block: bytes) -> int:
    """The first address of a block, on the number line."""
    number = int.from_bytes(block) * SIZE
    return number if version == 4 else number + IPV6  # noqa: PLR2004 - the IP version


def block_of(number: int) -> tuple[int, bytes]:
    """IP version and block of an address on the number line."""
    version, place = (4, number) if number < IPV6 else (6, number - IPV6)
    return version, (place // SIZE).to_bytes(BLOCK_BYTES[version])


def blocks_of_rows(rows: Iterable[tuple[int, bytes, bytes]]) -> Blocks:
    """The blocks of rows: IP version, block, map."""
    return {
        number_of_block(version, block) // SIZE: int.from_bytes(bits, "little")
        for version, block, bits in rows
    }


def blocks_of(numbers: Iterable[int]) -> Blocks:
    """The blocks of single addresses."""
    found: dict[int, int] = {}
    for number in numbers:
        found[number // SIZE] = found.get(number // SIZE, 0) | 1 << number % SIZE
    return found


def size(blocks: Blocks) -> int:
    """How many addresses they hold."""
    return sum(bits.bit_count() for bits in blocks.values())


def both(one: Blocks, other: Blocks) -> Blocks:
    """The addresses of the one that the other has too."""
    small, large = sorted((one, other), key=len)
    return {block: kept for block, bits in small.items() if (kept := bits & large.get(block, 0))}


def less(one: Blocks, other: Blocks) -> Blocks:
    """The addresses of the one that the other has not."""
    return {block: kept for block, bits in one.items() if (kept := bits & ~other.get(block, 0))}


def within(blocks: Blocks, addresses: AddressSet) -> Blocks:
    """Those that are in a set."""
    found: dict[int, int] = {}
    for block, bits in blocks.items():
        for span in addresses.overlapping(block * SIZE, block * SIZE + _LAST):
            if part := bits & _mask(block, span):
                found[block] = found.get(block, 0) | part
    return found


def divide(blocks: Blocks, places: AddressMap[Value]) -> dict[Value | None, Blocks]:
    """The parts of a set, by the value that holds for them; under None what has none."""
    parts: dict[Value | None, dict[int, int]] = {}
    for block, bits in blocks.items():
        left = bits
        for span, value in places.overlapping(block * SIZE, block * SIZE + _LAST):
            if part := bits & _mask(block, span):
                mine = parts.setdefault(value, {})
                mine[block] = mine.get(block, 0) | part
                left ^= part
        if left:
            parts.setdefault(None, {})[block] = left
    return {value: part for value, part in parts.items()}  # noqa: C416 - a dict of dicts is no dict of mappings


def _mask(block: int, span: Span) -> int:
    """The bits of a block that lie in a run that meets it."""
    low, high = max(span[0] - block * SIZE, 0), min(span[1] - block * SIZE, _LAST)
    return _WHOLE if high - low == _LAST else (1 << high - low + 1) - 1 << low
