"""What an export is of: its denominator, the figures of its wards, and the versions of what made it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from scanner.exports.operation import Operation, operation_of
from scanner.inventory import count_rows, coverage_rows, denominator, scans_rows
from scanner.inventory.rows import Denominator

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from scanner.config import SiteFile
    from scanner.inventory import Filters, Inventory
    from scanner.inventory.rows import CountRow, CoverageRow


@dataclass(frozen=True, slots=True)
class Whole:
    """Of what inventory an export is, as the filters want its wards, systems and status."""

    denominator: Denominator = field(default_factory=Denominator)
    wards: tuple[CountRow, ...] = ()
    """As ``count`` has them, by ``site`` and ``ward``."""
    statuses: tuple[CountRow, ...] = ()
    """The same by ``site``, ``ward`` and ``status``."""
    coverage: tuple[CoverageRow, ...] = ()
    """As ``coverage`` has it, by ``site`` and ``ward``."""
    scans: Mapping[str, datetime] = field(default_factory=dict)
    """When the newest scan or import of each site ended, or began where it did not end."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Of what made the newest scan."""
    operation: Operation = field(default_factory=Operation)
    """Only of a format that counts, and where a clock was given."""

    @property
    def last(self) -> datetime | None:
        """When the newest scan or import of all ended; None where there is none."""
        return max(self.scans.values(), default=None)


def whole_of(
    inventory: Inventory,
    filters: Filters,
    *,
    today: date,
    now: datetime | None = None,
    file: SiteFile | None = None,
) -> Whole:
    """What an export with these filters is of; filters by certainty and text change no figure of it.

    Args:
        inventory: the inventory.
        filters: which wards, systems and status.
        today: the day that verdicts are for.
        now: by which clock scans are late; None: how the nightly work goes is not wanted.
        file: the site file of one of the sites, if it is there.

    Raises:
        ConfigError: the OS pattern means no release.
        InventoryError: the inventory cannot be read.
    """

    def counted(*by: str) -> tuple[CountRow, ...]:
        rows = count_rows(inventory, by=by, pattern=filters.os or None, status=filters.status, today=today)
        return tuple(row for row in rows if filters.of_place(row.keys["site"], row.keys["ward"]))

    scans: dict[str, datetime] = {}
    versions: Mapping[str, str] = {}
    for scan in reversed(scans_rows(inventory)):
        scans[scan.site] = max(scan.ended or scan.started, scans.get(scan.site, scan.started))
        versions = scan.versions
    covered = coverage_rows(inventory, by=("site", "ward"))
    wards = counted("site", "ward")
    sites = frozenset(row.keys["site"] for row in wards)
    return Whole(
        denominator(inventory, filters),
        wards,
        counted("site", "ward", "status"),
        tuple(row for row in covered if filters.of_place(row.keys["site"], row.keys["ward"])),
        scans,
        versions,
        Operation() if now is None else operation_of(inventory, filters, sites, now, file),
    )
