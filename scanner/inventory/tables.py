"""The tables (SQLAlchemy Core). The migrations make them; a test compares the two.

Verdicts are no column here: they depend on the day, the dates and the site's paid extensions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

from scanner.inventory.utc import moment, stamp

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Dialect


class UtcTime(TypeDecorator["datetime"]):
    """An aware moment, stored in UTC as text; a naive one is refused."""

    impl = String(27)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy's signature
        """To the database."""
        return None if value is None else stamp(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        """From the database."""
        return None if value is None else moment(value)


METADATA: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

SITES: Final = Table(
    "sites",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("finess", Text, nullable=False),
    Column("group", Text, nullable=False),
    Column("establishment", Text, nullable=False),
    # JSON: horizon_months, and esu: [{release, until, wards}]; what judging needs when the site file is away.
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
    UniqueConstraint("site_id", "address"),
    Index(None, "site_id", "ward_id", "identity_id"),
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
