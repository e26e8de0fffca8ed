"""How the nightly work goes, site by site: whether scans come, what stops them, what is left to be done."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from scanner.inventory import breakers_rows
from scanner.inventory.findings.counting import findings_counted
from scanner.inventory.lateness import Lateness, lateness_rows

if TYPE_CHECKING:
    from datetime import datetime

    from scanner.config import SiteFile
    from scanner.inventory import Filters, Inventory


@dataclass(frozen=True, slots=True)
class Operation:
    """The sites, at a moment."""

    sites: tuple[Lateness, ...] = ()
    breakers: Counter[str] = field(default_factory=Counter)
    """By site: subnets that the circuit breaker keeps stopped."""
    findings: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By site and state: findings that are not closed."""


def operation_of(
    inventory: Inventory, filters: Filters, sites: frozenset[str], now: datetime, file: SiteFile | None = None
) -> Operation:
    """How it goes at some sites; breakers and findings are those of the wards that the filters want.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    found = Operation(tuple(row for row in lateness_rows(inventory, now, file) if row.site in sites))
    for breaker in breakers_rows(inventory):
        found.breakers[breaker.site] += filters.of_place(breaker.site, breaker.ward)
    for site, ward, state, number in findings_counted(inventory):
        if filters.of_place(site, ward):
            found.findings[site, state] += number
    return found
