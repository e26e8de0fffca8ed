"""What is asked of the inventory for each host: which of the assets that it knows this one is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from scanner.inventory.identity.holders import Holders
    from scanner.inventory.identity.known import Known
    from scanner.inventory.identity.traits import Traits


@dataclass(frozen=True, slots=True)
class Question:
    """One host, and all that may be it."""

    address: str
    scan: int
    traits: Traits
    known: Mapping[int, Known]
    """The assets that have any of its traits, its address among them."""
    holders: Holders
    apart: Collection[frozenset[int]]
    """Pairs that somebody decided to be two machines."""
    agrees: Callable[[int], bool]
    """Whether an asset's system may be the host's."""
    met_both: Callable[[int, int], int]
    """How many earlier scans met two assets."""

    def is_elsewhere(self, asset: int) -> bool:
        """Whether this scan met an asset at another address."""
        return self.known[asset].is_elsewhere(self.address, self.scan)
