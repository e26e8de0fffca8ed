"""A machine that was isolated, and answered from elsewhere than where it may be seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner.alerts.model import Rule
from scanner.alerts.rules import machine
from scanner.inventory import Alarm, State, reopened_rows
from scanner.language import Message

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from scanner.config import Alert, SiteFile
    from scanner.inventory import Inventory


def _find(inventory: Inventory, site: SiteFile, rule: Alert, now: datetime) -> Iterator[Alarm]:  # noqa: ARG001 - as every rule
    for row in reopened_rows(inventory, site.site.name, State.ISOLATED):
        told = Message(
            "{machine} is isolated, and answered again", {"machine": machine(row.address, row.name)}
        )
        yield Alarm(f"asset {row.asset}", told, row.ward, row.address)


RULE: Final = Rule("isolated-answers", Message("Isolated machines that answer"), severity=8, find=_find)
