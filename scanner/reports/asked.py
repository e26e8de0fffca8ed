"""What a report is asked for, whichever it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scanner.inventory import scans_rows

if TYPE_CHECKING:
    from datetime import date

    from scanner.config import SiteFile
    from scanner.inventory import Inventory, ScanRow


@dataclass(frozen=True, slots=True)
class Asked:
    """The question."""

    today: date
    """The day that verdicts are for."""
    language: str = "fr"
    sites: frozenset[str] | None = None
    """The names of the sites; None: all."""
    ward: str = ""
    """Only this ward, as filters have it; for the report of a ward."""
    since: date | None = None
    """From which day on it is told what was done; None: a month before today."""
    file: SiteFile | None = None
    """The site file, which alone knows exclusions and passive wards."""
    beside: str = ""
    """The name of the file beside the report that has the long list; empty: there is none."""

    def holds(self, site: str) -> bool:
        """Whether it is of a site."""
        return self.sites is None or site in self.sites


def scans_of(inventory: Inventory, asked: Asked) -> tuple[ScanRow, ...]:
    """The scans that the report is of, newest first.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    return tuple(scan for scan in scans_rows(inventory) if asked.holds(scan.site))
