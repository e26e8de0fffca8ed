"""Assets: what was heard of each, what was made of it, and where it was seen."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    text,
)

from scanner.inventory.tables.metadata import METADATA, UtcTime

IDENTITIES: Final = Table(
    "identities",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),  # of everything below
    Column("candidates", Text, nullable=False),  # JSON: release ids
    Column("certainty", Text, nullable=False),
    Column("reasons", Text, nullable=False),  # JSON: [text, {name: value}]
    Column("attributes", Text, nullable=False),  # JSON
    Column("data_version", Text, nullable=False),
)

# Why probes were not held: what many machines have in common, once.
UNASKED: Final = Table(
    "unasked",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("reasons", Text, nullable=False, unique=True),  # JSON: {probe: [text, {name: value}]}
)

_SOME: Final = text("displaced IS NOT NULL")

ASSETS: Final = Table(
    "assets",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("site_id", ForeignKey("sites.id"), nullable=False),
    Column("ward_id", ForeignKey("wards.id")),
    Column("address", Text, nullable=False),
    Column("packed", LargeBinary, nullable=False),  # the address as bytes, to sort by
    Column("name", Text, nullable=False),
    Column("fqdn", Text, nullable=False),
    Column("domain", Text, nullable=False),
    Column("mac", Text, nullable=False),
    Column("identity_id", ForeignKey("identities.id"), nullable=False),
    # The scan whose evidence made the identity; NULL while nothing but silence and refusals is known of it.
    Column("identity_scan_id", ForeignKey("scans.id")),
    Column("first_seen", UtcTime, nullable=False),
    Column("last_seen", UtcTime, nullable=False),
    Column("last_scan_id", ForeignKey("scans.id"), nullable=False),
    Column("unasked_id", ForeignKey("unasked.id")),  # of the last scan
    # When others were met at its address, where nothing but the address tells it from them; else NULL.
    Column("displaced", UtcTime),
    Index(None, "site_id", "address"),
    Index(None, "site_id", "ward_id", "identity_id", "displaced"),
    Index("ix_assets_displaced", "displaced", sqlite_where=_SOME, postgresql_where=_SOME),
)

OBSERVATIONS: Final = Table(
    "observations",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("scan_id", ForeignKey("scans.id"), nullable=False),
    Column("asset_id", ForeignKey("assets.id"), nullable=False),
    Column("address", Text, nullable=False),
    Column("port", Integer, nullable=False),
    Column("transport", Text, nullable=False),
    Column("service", Integer, nullable=False),
    Column("probe", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("connections", Integer, nullable=False),
    Column(
        "raw", LargeBinary
    ),  # answers, each after its length, together in one zlib stream; NULL without any
    Index(None, "asset_id", "scan_id"),
)

EVIDENCE_KEYS: Final = Table(
    "evidence_keys",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
)

EVIDENCE: Final = Table(
    "evidence",
    METADATA,
    Column("observation_id", ForeignKey("observations.id"), primary_key=True),
    Column("key_id", ForeignKey("evidence_keys.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("value", Text, nullable=False),
    sqlite_with_rowid=False,
)

# An asset as one scan saw it: one row an address. It outlives the observations that it was made of.
SIGHTS: Final = Table(
    "sights",
    METADATA,
    Column("scan_id", ForeignKey("scans.id"), primary_key=True),
    Column("asset_id", ForeignKey("assets.id"), primary_key=True),
    Column("packed", LargeBinary, primary_key=True),  # the address as bytes
    Column(
        "at", UtcTime, nullable=False
    ),  # the last sign of life; of what met silence alone, when it was asked
    Column("ward_id", ForeignKey("wards.id")),
    Column("identity_id", ForeignKey("identities.id"), nullable=False),
    # Kinds of traits that it was known again by, and after a minus those that differ; empty when it was new.
    Column("how", Text, nullable=False, server_default=""),
    Index(None, "asset_id", "scan_id"),
    sqlite_with_rowid=False,
)

# What an asset is known by (its cards, names, keys), each value with its source and its time.
TRAITS: Final = Table(
    "traits",
    METADATA,
    Column("site_id", ForeignKey("sites.id"), primary_key=True),
    Column("key_id", ForeignKey("evidence_keys.id"), primary_key=True),
    Column("value", Text, primary_key=True),
    Column("asset_id", ForeignKey("assets.id"), primary_key=True),
    Column("first", UtcTime, nullable=False),
    Column("last", UtcTime, nullable=False),
    Column("scan_id", ForeignKey("scans.id"), nullable=False),  # the last that heard it
    Index(None, "asset_id"),
    sqlite_with_rowid=False,
)

# Why observations at several addresses are of one asset, or of two: decisions of scans and of people.
TIES: Final = Table(
    "ties",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("asset_id", ForeignKey("assets.id"), nullable=False),
    Column("other_id", Integer),  # the asset that was merged into it, or split from it
    Column("at", UtcTime, nullable=False),
    Column("scan_id", ForeignKey("scans.id")),  # NULL: somebody decided
    Column("author", Text, nullable=False),
    Column("how", Text, nullable=False),  # of a scan, as in sights; else what somebody said of it
    Column("moved", Text, nullable=False),  # JSON: what makes it undone
    Column("undone", UtcTime),
    CheckConstraint("kind IN ('merged', 'split')", name="kind"),
    Index(None, "asset_id"),
    Index(None, "other_id"),
)
