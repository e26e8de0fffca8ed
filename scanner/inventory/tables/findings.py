"""Findings: what somebody must act on."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
)

from scanner.inventory.tables.metadata import METADATA, UtcTime

FINDINGS: Final = Table(
    "findings",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("asset_id", ForeignKey("assets.id"), nullable=False),
    Column("cause", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("due", Date),
    Column("until", Date),  # the last day of a waiver
    Column("measure", Text, nullable=False),  # what makes up for it while it is waived
    Column("isolated_in", Text, nullable=False),  # JSON: networks where it may still be seen
    # The newest scan when somebody decided: what it or an older one heard does not undo that.
    Column("known_scan", Integer, nullable=False),
    Column("opened", UtcTime, nullable=False),
    Column("changed", UtcTime, nullable=False),
    UniqueConstraint("asset_id", "cause"),
    CheckConstraint("state IN ('open', 'planned', 'isolated', 'replaced', 'waived', 'closed')", name="state"),
    Index(None, "state", "due"),
)

# Every change of a finding, its opening included: rows are added, never changed.
FINDING_CHANGES: Final = Table(
    "finding_changes",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("finding_id", ForeignKey("findings.id"), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("author", Text, nullable=False),  # empty: the rules, for the reason that is given
    Column("before", Text, nullable=False),  # JSON: {column: value} of what changed
    Column("after", Text, nullable=False),  # the same
    Column("reason", Text, nullable=False),  # JSON: [text, {name: value}]; empty where somebody decided
    Column("note", Text, nullable=False),
    Index(None, "finding_id"),
)

# Up to what findings are settled: one row. Who settles or decides holds it, so that one does at a time.
SETTLEMENTS: Final = Table(
    "settlements",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("day", Date),  # that verdicts and waivers were judged by
    Column("terms", Text, nullable=False),  # the dates and what sites decided, as one digest
    Column("observation", Integer, nullable=False),  # the newest observation that was looked at
)
