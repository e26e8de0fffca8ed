"""Which assets a format is written of, and in which order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scanner.inventory import Filters, ranked_assets
from scanner.inventory.portions import Reader, Terms, terms_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from scanner.exports import Format
    from scanner.inventory import Asset, Inventory


@dataclass(frozen=True, slots=True)
class Source:
    """Assets of an inventory, as often as they are iterated; another process can read them too."""

    inventory: Inventory
    terms: Terms

    def __iter__(self) -> Iterator[Asset]:
        return Reader(self.inventory, self.terms).assets()


def assets_for(form: Format, inventory: Inventory, filters: Filters | None, today: date) -> Iterable[Asset]:
    """The assets of a format, a batch at a time.

    Raises:
        ConfigError: the OS pattern means no release.
        InventoryError: the inventory cannot be read; also while this is iterated.
    """
    if form.ranked:
        return ranked_assets(inventory, filters, today=today)
    return Source(inventory, terms_of(inventory, filters or Filters(), today=today, evidence=form.evidence))
