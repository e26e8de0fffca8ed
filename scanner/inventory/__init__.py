"""The inventory: what every scan learnt, kept in SQLite or PostgreSQL.

Evidence is stored; verdicts are not: they are derived when someone reads (:func:`assets_rows`,
:func:`count_rows`), with the dates, the paid extensions and the day of the reader.

Names are loaded on first use: opening an inventory and counting need the standard library alone, because
importing SQLAlchemy takes longer than everything else that ``vetuste count`` does.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from scanner.inventory.alarms import (
        SUMMARY,
        Alarm,
        Delivery,
        Judged,
        Raised,
        alarms_rows,
        keep_alarms,
        keep_try,
        waiting_alarms,
    )
    from scanner.inventory.areas import ROLL_UP, Area
    from scanner.inventory.breakers import breakers_rows, clear_breakers, fragile_rows
    from scanner.inventory.counting import BY, count_rows, displaced_number
    from scanner.inventory.covering import COVERED_BY, coverage_rows, denominator
    from scanner.inventory.detail import asset_detail
    from scanner.inventory.ending import EndRow, ends_rows
    from scanner.inventory.findings.asked import Question
    from scanner.inventory.findings.causes import causes, told
    from scanner.inventory.findings.deciding import ChangedError, decide
    from scanner.inventory.findings.one import Shown, finding_shown
    from scanner.inventory.findings.paging import (
        COUNTED,
        Page,
        findings_in_order,
        findings_page,
        findings_version,
        place_of,
        settled_on,
    )
    from scanner.inventory.findings.reading import finding_history, findings_rows, ranked_assets, ranked_ids
    from scanner.inventory.findings.reopening import reopened_rows
    from scanner.inventory.findings.risk import risk_of
    from scanner.inventory.findings.rows import Finding, FindingChange, Wanted
    from scanner.inventory.findings.settling import Settled, is_settled, settle_findings
    from scanner.inventory.findings.states import Decision, Standing, State, next_states
    from scanner.inventory.going import Going, going_scans
    from scanner.inventory.history.changes import Change, Kind, Seen
    from scanner.inventory.history.differing import changes_between
    from scanner.inventory.history.sides import Side, beginning_of, sides_of
    from scanner.inventory.history.stays import History, Stay, Tie, Trait, history_of
    from scanner.inventory.history.trends import EVERY, TREND_BY, TrendRow, trend_rows
    from scanner.inventory.identity.deciding import merge_by_hand, part_by_hand, split_by_hand
    from scanner.inventory.lateness import last_whole_scan, late_since
    from scanner.inventory.ledger import ledger_rows
    from scanner.inventory.listened import LISTENING, listened_at, listened_of, listening_runs
    from scanner.inventory.portions import assets_rows
    from scanner.inventory.recorder import Recorder
    from scanner.inventory.records.settling import settle_registers
    from scanner.inventory.rows import (
        Asset,
        AssetDetail,
        BreakerRow,
        CountRow,
        CoverageRow,
        Denominator,
        Filters,
        FragileRow,
        Heard,
        LedgerRow,
        Place,
        ScanRow,
    )
    from scanner.inventory.scans import known_in, progress_in, scans_rows, unfinished_scan, visited_in
    from scanner.inventory.sighted import asked_by, evidence_by
    from scanner.inventory.stamping import stamp_of
    from scanner.inventory.store import Inventory, inventory_exists, open_inventory
    from scanner.inventory.upkeep import (
        Check,
        backup_before_upgrade,
        backup_inventory,
        check_inventory,
        restore_inventory,
        upgrade_inventory,
    )
    from scanner.inventory.wards import networks_named, places_rows, ward_networks

_HOMES: Final = {
    "areas": ("ROLL_UP", "Area"),
    "alarms": (
        *("SUMMARY", "Alarm", "Delivery", "Judged", "Raised", "alarms_rows", "keep_alarms", "keep_try"),
        "waiting_alarms",
    ),
    "breakers": ("breakers_rows", "clear_breakers", "fragile_rows"),
    "counting": ("BY", "count_rows", "displaced_number"),
    "covering": ("COVERED_BY", "coverage_rows", "denominator"),
    "detail": ("asset_detail",),
    "ending": ("EndRow", "ends_rows"),
    "history.changes": ("Change", "Kind", "Seen"),
    "history.differing": ("changes_between",),
    "history.sides": ("Side", "beginning_of", "sides_of"),
    "history.stays": ("History", "Stay", "Tie", "Trait", "history_of"),
    "history.trends": ("EVERY", "TREND_BY", "TrendRow", "trend_rows"),
    "findings.asked": ("Question",),
    "findings.causes": ("causes", "told"),
    "findings.deciding": ("ChangedError", "decide"),
    "findings.one": ("Shown", "finding_shown"),
    "findings.paging": (
        *("COUNTED", "Page", "findings_in_order", "findings_page"),
        *("findings_version", "place_of", "settled_on"),
    ),
    "findings.reading": ("finding_history", "findings_rows", "ranked_assets", "ranked_ids"),
    "findings.reopening": ("reopened_rows",),
    "wards": ("networks_named", "places_rows", "ward_networks"),
    "findings.risk": ("risk_of",),
    "findings.rows": ("Finding", "FindingChange", "Wanted"),
    "findings.settling": ("Settled", "is_settled", "settle_findings"),
    "findings.states": ("Decision", "Standing", "State", "next_states"),
    "identity.deciding": ("merge_by_hand", "part_by_hand", "split_by_hand"),
    "lateness": ("last_whole_scan", "late_since"),
    "going": ("Going", "going_scans"),
    "ledger": ("ledger_rows",),
    "listened": ("LISTENING", "listened_at", "listened_of", "listening_runs"),
    "portions": ("assets_rows",),
    "recorder": ("Recorder",),
    "records.settling": ("settle_registers",),
    "rows": (
        *("Asset", "AssetDetail", "BreakerRow", "CountRow", "CoverageRow", "Denominator", "Filters"),
        *("FragileRow", "Heard", "LedgerRow", "Place", "ScanRow"),
    ),
    "scans": ("known_in", "progress_in", "scans_rows", "unfinished_scan", "visited_in"),
    "sighted": ("asked_by", "evidence_by"),
    "stamping": ("stamp_of",),
    "store": ("Inventory", "inventory_exists", "open_inventory"),
    "upkeep": (
        *("Check", "backup_before_upgrade", "backup_inventory", "check_inventory"),
        *("restore_inventory", "upgrade_inventory"),
    ),
}

__all__ = [
    "BY",
    "COUNTED",
    "COVERED_BY",
    "EVERY",
    "LISTENING",
    "ROLL_UP",
    "SUMMARY",
    "TREND_BY",
    "Alarm",
    "Area",
    "Asset",
    "AssetDetail",
    "BreakerRow",
    "Change",
    "ChangedError",
    "Check",
    "CountRow",
    "CoverageRow",
    "Decision",
    "Delivery",
    "Denominator",
    "EndRow",
    "Filters",
    "Finding",
    "FindingChange",
    "FragileRow",
    "Going",
    "Heard",
    "History",
    "Inventory",
    "Judged",
    "Kind",
    "LedgerRow",
    "Page",
    "Place",
    "Question",
    "Raised",
    "Recorder",
    "ScanRow",
    "Seen",
    "Settled",
    "Shown",
    "Side",
    "Standing",
    "State",
    "Stay",
    "Tie",
    "Trait",
    "TrendRow",
    "Wanted",
    "alarms_rows",
    "asked_by",
    "asset_detail",
    "assets_rows",
    "backup_before_upgrade",
    "backup_inventory",
    "beginning_of",
    "breakers_rows",
    "causes",
    "changes_between",
    "check_inventory",
    "clear_breakers",
    "count_rows",
    "coverage_rows",
    "decide",
    "denominator",
    "displaced_number",
    "ends_rows",
    "evidence_by",
    "finding_history",
    "finding_shown",
    "findings_in_order",
    "findings_page",
    "findings_rows",
    "findings_version",
    "fragile_rows",
    "going_scans",
    "history_of",
    "inventory_exists",
    "is_settled",
    "keep_alarms",
    "keep_try",
    "known_in",
    "last_whole_scan",
    "late_since",
    "ledger_rows",
    "listened_at",
    "listened_of",
    "listening_runs",
    "merge_by_hand",
    "networks_named",
    "next_states",
    "open_inventory",
    "part_by_hand",
    "place_of",
    "places_rows",
    "progress_in",
    "ranked_assets",
    "ranked_ids",
    "reopened_rows",
    "restore_inventory",
    "risk_of",
    "scans_rows",
    "settle_findings",
    "settle_registers",
    "settled_on",
    "sides_of",
    "split_by_hand",
    "stamp_of",
    "told",
    "trend_rows",
    "unfinished_scan",
    "upgrade_inventory",
    "visited_in",
    "waiting_alarms",
    "ward_networks",
]


def __getattr__(name: str) -> object:
    """A name of the interface, imported from its module on first use (PEP 562)."""
    home = next((module for module, names in _HOMES.items() if name in names), None)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{home}"), name)
