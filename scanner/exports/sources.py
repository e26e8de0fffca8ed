"""Which assets a format is written of, and in which order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scanner.inventory import assets_rows, ranked_assets

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from scanner.exports import Format
    from scanner.inventory import Asset, Filters, Inventory


def assets_for(form: Format, inventory: Inventory, filters: Filters | None, today: date) -> Iterator[Asset]:
    """The assets of a format, a batch at a time.

    Raises:
        ConfigError: the OS pattern means no release.
        InventoryError: the inventory cannot be read; also while this is iterated.
    """
    if form.ranked:
        return ranked_assets(inventory, filters, today=today)
    return assets_rows(inventory, filters, today=today, evidence=form.evidence)
