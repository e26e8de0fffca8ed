"""Alarms: what somebody is to be told, and who was told."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text

from scanner.inventory.tables.metadata import METADATA, UtcTime

# A rule's alarm about one subject, until its cause is gone; what comes back is a new row.
ALARMS: Final = Table(
    "alarms",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("site", Text, nullable=False),  # its name: a site has rules before its first scan
    Column("rule", Text, nullable=False),  # its kind and its parameters
    Column("subject", Text, nullable=False),
    Column("told", Text, nullable=False),  # JSON: [text, {name: value}]
    Column("ward", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("raised", UtcTime, nullable=False),
    Column("cleared", UtcTime),
    Index(None, "site", "rule", "cleared"),
)

# One a channel; without any, an alarm was there when its rule was first judged, and is counted elsewhere.
DELIVERIES: Final = Table(
    "alarm_deliveries",
    METADATA,
    Column("alarm_id", ForeignKey("alarms.id"), primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("sent", UtcTime),
    Column("tries", Integer, nullable=False),
    Column("tried", UtcTime),
    Column("why", Text, nullable=False),  # JSON: why the last try failed, as told; empty where none did
    Index(None, "channel", "sent"),
    sqlite_with_rowid=False,
)

# The rules that were judged, each since when.
ALERT_RULES: Final = Table(
    "alert_rules",
    METADATA,
    Column("site", Text, primary_key=True),
    Column("rule", Text, primary_key=True),
    Column("since", UtcTime, nullable=False),
    sqlite_with_rowid=False,
)
