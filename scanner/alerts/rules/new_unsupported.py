"""A machine whose system is no longer supported, and that was not known as such."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner.alerts.model import Rule
from scanner.alerts.rules import brief, day_of, machine
from scanner.inventory import Alarm, Filters, State, Wanted, findings_rows
from scanner.language import Message

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from scanner.config import Alert, SiteFile
    from scanner.inventory import Inventory

_STANDING: Final = Wanted(frozenset(State) - {State.CLOSED, State.REPLACED}, frozenset({"unsupported"}))


def _find(inventory: Inventory, site: SiteFile, rule: Alert, now: datetime) -> Iterator[Alarm]:  # noqa: ARG001 - as every rule
    found = findings_rows(inventory, Filters(site=site.site.name), _STANDING, today=day_of(now))
    for asset, _ in found:
        values = {"machine": machine(asset.address, asset.name), "system": brief(asset.os)}
        told = Message("{machine} is no longer supported: {system}", values)
        yield Alarm(f"asset {asset.id}", told, asset.place.ward, asset.address)


RULE: Final = Rule(
    "new-unsupported", Message("New machines without support"), severity=6, find=_find, news_only=True
)
