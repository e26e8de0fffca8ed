"""The last scan did not come to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner.alerts.model import Rule
from scanner.inventory import Alarm, unfinished_scan
from scanner.language import Message

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from scanner.config import Alert, SiteFile
    from scanner.inventory import Inventory

_SAYS: Final = {
    "failed": Message("scan {scan}, begun {started} UTC, failed"),
    "killed": Message("scan {scan}, begun {started} UTC, was killed"),
}
"""By state; one that somebody interrupted did not fail."""


def _find(inventory: Inventory, site: SiteFile, rule: Alert, now: datetime) -> Iterator[Alarm]:  # noqa: ARG001 - as every rule
    scan = unfinished_scan(inventory, site.site.name)
    if scan is not None and scan.state in _SAYS:
        values = {"scan": str(scan.id), "started": f"{scan.started:%Y-%m-%d %H:%M}"}
        yield Alarm(f"scan {scan.id}", Message(_SAYS[scan.state].text, values))


RULE: Final = Rule("scan-failed", Message("Scans that failed"), severity=7, find=_find)
