"""The tables (SQLAlchemy Core). The migrations make them; a test compares the two.

Verdicts are no column here: they depend on the day, the dates and the site's paid extensions.
"""

from __future__ import annotations

from scanner.inventory.tables.alerts import ALARMS, ALERT_RULES, DELIVERIES
from scanner.inventory.tables.assets import (
    ASSETS,
    EVIDENCE,
    EVIDENCE_KEYS,
    IDENTITIES,
    OBSERVATIONS,
    SIGHTS,
    TIES,
    TRAITS,
    UNASKED,
)
from scanner.inventory.tables.campaigns import CAMPAIGN_SCANS, CAMPAIGNS
from scanner.inventory.tables.findings import FINDING_CHANGES, FINDINGS, SETTLEMENTS
from scanner.inventory.tables.metadata import METADATA, UtcTime
from scanner.inventory.tables.places import (
    BREAKERS,
    COVERAGE,
    LEDGER,
    LEDGER_KINDS,
    PHANTOMS,
    SCANS,
    SITES,
    SUBNETS,
    VISITS,
    WARDS,
)
from scanner.inventory.tables.records import RECORDS
from scanner.inventory.tables.taken import TAKEN

__all__ = [
    "ALARMS",
    "ALERT_RULES",
    "ASSETS",
    "BREAKERS",
    "CAMPAIGNS",
    "CAMPAIGN_SCANS",
    "COVERAGE",
    "DELIVERIES",
    "EVIDENCE",
    "EVIDENCE_KEYS",
    "FINDINGS",
    "FINDING_CHANGES",
    "IDENTITIES",
    "LEDGER",
    "LEDGER_KINDS",
    "METADATA",
    "OBSERVATIONS",
    "PHANTOMS",
    "RECORDS",
    "SCANS",
    "SETTLEMENTS",
    "SIGHTS",
    "SITES",
    "SUBNETS",
    "TAKEN",
    "TIES",
    "TRAITS",
    "UNASKED",
    "VISITS",
    "WARDS",
    "UtcTime",
]
