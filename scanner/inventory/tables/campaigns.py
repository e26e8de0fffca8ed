"""Campaigns: scans that are sealed for an audit."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, ForeignKey, Integer, Table, Text

from scanner.inventory.tables.metadata import METADATA, UtcTime

CAMPAIGNS: Final = Table(
    "campaigns",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("site_id", ForeignKey("sites.id"), nullable=False),
    Column("name", Text, nullable=False, unique=True),
    Column("wards", Text, nullable=False),  # JSON: names; empty: all of the site
    Column("spans", Text, nullable=False),  # JSON: [first, last] numbers of its addresses; null: all
    Column("since", UtcTime, nullable=False),
    Column("opened", UtcTime, nullable=False),
    Column("opened_by", Text, nullable=False),
    Column("closed", UtcTime),  # NULL while it is open, and then so is all that follows
    Column("closed_by", Text),
    Column("place", Integer, unique=True),  # among all campaigns that were closed, from 1
    Column("manifest", Text),  # canonical JSON: everything that the head stands for
    Column("head", Text),
    Column("exported", UtcTime),  # when a bundle was made last; NULL: never
)

# The scans that are sealed: nothing is added to them any more.
CAMPAIGN_SCANS: Final = Table(
    "campaign_scans",
    METADATA,
    Column("campaign_id", ForeignKey("campaigns.id"), primary_key=True),
    Column("scan_id", ForeignKey("scans.id"), primary_key=True),
    sqlite_with_rowid=False,
)
