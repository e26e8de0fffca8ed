"""The inventory: what every scan learnt, kept in SQLite.

Evidence is stored; verdicts are not: they are derived when someone reads (:func:`assets_rows`,
:func:`count_rows`), with the dates, the paid extensions and the day of the reader.

Names are loaded on first use: opening an inventory and counting need the standard library alone, because
importing SQLAlchemy takes longer than everything else that ``vetuste count`` does.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from scanner.inventory.assets import assets_rows
    from scanner.inventory.counting import BY, count_rows
    from scanner.inventory.detail import asset_detail
    from scanner.inventory.recorder import Recorder
    from scanner.inventory.rows import Asset, AssetDetail, CountRow, Filters, Heard, Place, ScanRow
    from scanner.inventory.scans import asked_in, scans_rows
    from scanner.inventory.store import Inventory, open_inventory
    from scanner.inventory.upkeep import Check, backup_inventory, check_inventory, upgrade_inventory

_HOMES: Final = {
    "asset_detail": "detail",
    "assets_rows": "assets",
    "BY": "counting",
    "count_rows": "counting",
    "Recorder": "recorder",
    "Asset": "rows",
    "AssetDetail": "rows",
    "CountRow": "rows",
    "Filters": "rows",
    "Heard": "rows",
    "Place": "rows",
    "ScanRow": "rows",
    "asked_in": "scans",
    "scans_rows": "scans",
    "Inventory": "store",
    "open_inventory": "store",
    "Check": "upkeep",
    "backup_inventory": "upkeep",
    "check_inventory": "upkeep",
    "upgrade_inventory": "upkeep",
}

__all__ = [
    "BY",
    "Asset",
    "AssetDetail",
    "Check",
    "CountRow",
    "Filters",
    "Heard",
    "Inventory",
    "Place",
    "Recorder",
    "ScanRow",
    "asked_in",
    "asset_detail",
    "assets_rows",
    "backup_inventory",
    "check_inventory",
    "count_rows",
    "open_inventory",
    "scans_rows",
    "upgrade_inventory",
]


def __getattr__(name: str) -> object:
    """A name of the interface, imported from its module on first use (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
