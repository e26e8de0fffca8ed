"""Machines whose support ends within so many months, by ward and day."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from scanner.alerts.model import Rule
from scanner.alerts.rules import brief, day_of
from scanner.inventory import Alarm, ends_rows
from scanner.language import Message
from scanner.lifecycle import months_after

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, datetime

    from scanner.config import Alert, SiteFile
    from scanner.inventory import Inventory

_WARD: Final = Message("support ends, or may end, on {day}; machines in {ward}: {number}")
_OUTSIDE: Final = Message("support ends, or may end, on {day}; machines outside every ward: {number}")
"""Or may: of some machines it is not known which of several releases they run."""


def _find(inventory: Inventory, site: SiteFile, rule: Alert, now: datetime) -> Iterator[Alarm]:
    today = day_of(now)
    last = months_after(today, rule.months or 0)
    machines: Counter[tuple[str, date]] = Counter()
    for row in ends_rows(inventory, today=today):
        if row.site == site.site.name and row.first is not None and row.first <= last:
            machines[row.ward, row.first] += row.machines
    for (ward, day), number in sorted(machines.items()):
        values = {"ward": brief(ward), "day": str(day), "number": str(number)}
        text = (_WARD if ward else _OUTSIDE).text
        yield Alarm(f"ward {ward} on {day}", Message(text, values), ward)


RULE: Final = Rule(
    "support-ends", Message("Support that ends soon"), severity=3, find=_find, parameter="months"
)
