"""Sites, their wards, scans, and what scans did."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
)

from scanner.inventory.tables.metadata import METADATA, UtcTime

SITES: Final = Table(
    "sites",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("finess", Text, nullable=False),
    Column("group", Text, nullable=False),
    Column("establishment", Text, nullable=False),
    # JSON: horizon_months, late_after_hours, and esu: [{release, until, wards}]; what judging needs when the
    # site file is away.
    Column("settings", Text, nullable=False),
)

WARDS: Final = Table(
    "wards",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("site_id", ForeignKey("sites.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("building", Text, nullable=False),
    Column("floor", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("vlan", Text, nullable=False),
    Column("criticality", Text, nullable=False),
    UniqueConstraint("site_id", "name"),
)

SUBNETS: Final = Table(
    "subnets",
    METADATA,
    Column("ward_id", ForeignKey("wards.id"), primary_key=True),
    Column("network", Text, primary_key=True),
    sqlite_with_rowid=False,
)

SCANS: Final = Table(
    "scans",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("site_id", ForeignKey("sites.id"), nullable=False),
    Column("started", UtcTime, nullable=False),
    Column("ended", UtcTime),
    Column("state", Text, nullable=False),
    Column("profile", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("versions", Text, nullable=False),  # JSON: what made it: program, data
    Column("counts", Text, nullable=False),  # JSON: what it says of itself at its end
    Column("request", Text, nullable=False, server_default="{}"),  # JSON: what was asked for
    Column("digest", Text, nullable=False, server_default=""),  # SHA-256 of the site file's bytes, if any
    Column(
        "spans", Text, nullable=False, server_default="[]"
    ),  # JSON: [first, last] numbers of its addresses
    CheckConstraint("state IN ('running', 'done', 'interrupted', 'failed', 'killed')", name="state"),
)

BREAKERS: Final = Table(
    "breakers",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("site_id", ForeignKey("sites.id"), nullable=False),
    Column("ward", Text, nullable=False),
    Column("subnet", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("cause", Text, nullable=False),  # JSON: [text, {name: value}]
    Column("fallen", Text, nullable=False),  # JSON: addresses
    Column("scan_id", ForeignKey("scans.id"), nullable=False),
    Column("cleared", UtcTime),
)

LEDGER_KINDS: Final = Table(
    "ledger_kinds",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("probe", Text, nullable=False),
    Column("transport", Text, nullable=False),
    Column("port", Integer, nullable=False),
    Column("service", Integer, nullable=False),
    Column("outcome", Text, nullable=False),
    UniqueConstraint("probe", "transport", "port", "service", "outcome"),
)

# One row an attempt, millions a year: what repeats is in its kind, and there is no index but the key.
LEDGER: Final = Table(
    "ledger",
    METADATA,
    Column("scan_id", ForeignKey("scans.id"), primary_key=True),
    Column("address", LargeBinary, primary_key=True),  # 4 (16) bytes
    Column("n", Integer, primary_key=True),  # its place among all attempts of the scan
    Column("at", Integer, nullable=False),  # milliseconds since the scan began
    Column("kind_id", ForeignKey("ledger_kinds.id"), nullable=False),
    Column("sent", Integer, nullable=False),  # bytes
    Column("received", Integer, nullable=False),
    sqlite_with_rowid=False,
)

COVERAGE: Final = Table(
    "coverage",
    METADATA,
    Column("site_id", ForeignKey("sites.id"), primary_key=True),
    Column("version", Integer, primary_key=True),  # of IP: 4 or 6
    Column("block", LargeBinary, primary_key=True),  # the first 3 (15) bytes of its 256 addresses
    Column("ever", LargeBinary, nullable=False),  # 256 bits, little-endian: addresses ever asked
    sqlite_with_rowid=False,
)

VISITS: Final = Table(
    "visits",
    METADATA,
    Column("scan_id", ForeignKey("scans.id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("block", LargeBinary, primary_key=True),
    Column("addresses", LargeBinary, nullable=False),  # the same bits: those that the scan is done with
    sqlite_with_rowid=False,
)

# Addresses of IPv4 that something else answers for: no machines. Of the last scan that told.
PHANTOMS: Final = Table(
    "phantoms",
    METADATA,
    Column("site_id", ForeignKey("sites.id"), primary_key=True),
    Column("block", LargeBinary, primary_key=True),  # the first 3 bytes of its 256 addresses
    Column("scan_id", ForeignKey("scans.id"), nullable=False),
    Column("addresses", LargeBinary, nullable=False),  # 256 bits, little-endian
    sqlite_with_rowid=False,
)
