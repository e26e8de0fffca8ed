"""Campaigns in the inventory: which there are, what belongs to them, and the rows that they seal."""

from __future__ import annotations

from scanner.inventory.campaigns.closing import Closing, begin_closing, mark_exported, seal
from scanner.inventory.campaigns.opening import open_campaign
from scanner.inventory.campaigns.reading import (
    Campaign,
    Scanned,
    campaign_named,
    campaigns_rows,
    head_of,
    scans_of,
    sealed_scans,
)
from scanner.inventory.campaigns.sealed import SEALED, Bounds, sealed_rows

__all__ = [
    "SEALED",
    "Bounds",
    "Campaign",
    "Closing",
    "Scanned",
    "begin_closing",
    "campaign_named",
    "campaigns_rows",
    "head_of",
    "mark_exported",
    "open_campaign",
    "scans_of",
    "seal",
    "sealed_rows",
    "sealed_scans",
]
