"""The circuit breaker stopped a subnet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner.alerts.model import Rule
from scanner.inventory import Alarm, breakers_rows
from scanner.language import Message
from scanner.wire import printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from scanner.config import Alert, SiteFile
    from scanner.inventory import Inventory


def _find(inventory: Inventory, site: SiteFile, rule: Alert, now: datetime) -> Iterator[Alarm]:  # noqa: ARG001 - as every rule
    for breaker in breakers_rows(inventory, site.site.name):
        values = {
            "subnet": breaker.subnet,
            "cause": printable(breaker.cause.render(site.site.language)),
            "number": str(len(breaker.fallen)),
        }
        told = Message("{subnet} is not scanned any more ({cause}); hosts fallen silent: {number}", values)
        yield Alarm(f"breaker {breaker.id}", told, breaker.ward)


RULE: Final = Rule("breaker", Message("The circuit breaker stopped subnets"), severity=9, find=_find)
