"""A ward of which no address was asked for so many days, though it may be."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from scanner.alerts.model import Rule
from scanner.alerts.rules import brief
from scanner.inventory import Alarm, coverage_rows, scans_rows
from scanner.language import Message

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from scanner.config import Alert, SiteFile
    from scanner.inventory import Inventory


def _find(inventory: Inventory, site: SiteFile, rule: Alert, now: datetime) -> Iterator[Alarm]:
    oldest = now - timedelta(days=rule.days or 0)
    scans = scans_rows(inventory, site.site.name)
    if not scans or scans[-1].started > oldest:
        return  # nobody has looked anywhere for that long
    rows = coverage_rows(inventory, by=("site", "ward"), site=site)
    newest = {row.keys["ward"]: row.newest_scan for row in rows if row.keys["site"] == site.site.name}
    for ward in site.wards:
        last = newest.get(ward.name)
        if ward.passive_only or (last is not None and last >= oldest.date()):
            continue
        told = (
            Message("{ward} was never scanned", {"ward": brief(ward.name)})
            if last is None
            else Message("{ward} was last scanned {day}", {"ward": brief(ward.name), "day": str(last)})
        )
        yield Alarm(f"ward {ward.name}", told, ward.name)


RULE: Final = Rule(
    "ward-not-scanned",
    Message("Wards that nobody scans"),
    severity=5,
    find=_find,
    parameter="days",
)
