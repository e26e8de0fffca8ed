"""No scan came to its end for longer than ``[health] late_after_hours``."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from scanner.alerts.model import Rule
from scanner.inventory import Alarm, last_whole_scan, late_since
from scanner.language import Message

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from scanner.config import Alert, SiteFile
    from scanner.inventory import Inventory


def _find(inventory: Inventory, site: SiteFile, rule: Alert, now: datetime) -> Iterator[Alarm]:  # noqa: ARG001 - as every rule
    last = last_whole_scan(inventory, site.site.name)
    if last is not None and late_since(last, timedelta(hours=site.health.late_after_hours), now):
        told = Message("the last whole scan ended {ended} UTC", {"ended": f"{last:%Y-%m-%d %H:%M}"})
        yield Alarm(f"after {last:%Y-%m-%d %H:%M:%S}", told)


RULE: Final = Rule("scan-late", Message("Scans that are late"), severity=7, find=_find)
