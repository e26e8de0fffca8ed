"""A system in a ward that had none of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner.alerts.model import Rule
from scanner.alerts.rules import brief, day_of
from scanner.errors import ConfigError
from scanner.inventory import Alarm, count_rows
from scanner.inventory.patterns import releases_meant
from scanner.language import Message
from scanner.lifecycle import load_lifecycle

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from scanner.config import Alert, SiteFile
    from scanner.inventory import Inventory


def _find(inventory: Inventory, site: SiteFile, rule: Alert, now: datetime) -> Iterator[Alarm]:
    rows = count_rows(inventory, pattern=rule.system, sites={site.site.name}, today=day_of(now))
    for row in rows:
        ward, machines = row.keys["ward"], row.certain + row.probable
        if machines:
            values = {"system": brief(rule.system or ""), "ward": brief(ward), "number": str(machines)}
            text = (
                "{system} in {ward}, where there was none; machines: {number}"
                if ward
                else "{system} outside every ward, where there was none; machines: {number}"
            )
            yield Alarm(f"ward {ward}", Message(text, values), ward)


def _check(rule: Alert) -> None:
    try:
        releases_meant(rule.system or "", load_lifecycle().releases)
    except ConfigError as error:
        error.key = "system"
        raise


RULE: Final = Rule(
    "in-new-ward",
    Message("Systems in wards that had none"),
    severity=7,
    find=_find,
    parameter="system",
    news_only=True,
    check=_check,
)
