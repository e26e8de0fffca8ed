"""What came from other inventories, as bundles."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, ForeignKey, Index, Table, Text

from scanner.inventory.tables.metadata import METADATA, UtcTime

# Each once, whoever brings it again.
TAKEN: Final = Table(
    "taken",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("scan_id", ForeignKey("scans.id"), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("digest", Text, nullable=False),  # of the bundle
    Index(None, "scan_id"),
    sqlite_with_rowid=False,
)
