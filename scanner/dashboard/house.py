"""What the dashboard shows, and for which site: given once, when it starts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from scanner.dashboard.keeping import Keeper
from scanner.inventory import Inventory, open_inventory

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date
    from pathlib import Path

    from scanner.config import SiteFile, SiteSource


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class House:
    """An inventory, its site file, and a clock."""

    url: str
    source: SiteSource | None = None
    now: Callable[[], datetime] = _now
    signers: Path | None = None
    """Whose keys count for bundles that are sent here; None: none is taken."""
    inventory: Inventory = field(init=False)
    keeper: Keeper = field(default_factory=Keeper)
    """What was worked out, for as long as it holds."""

    def __post_init__(self) -> None:
        self.inventory = open_inventory(self.url)

    @property
    def site(self) -> SiteFile | None:
        """The site file."""
        return None if self.source is None else self.source.file

    @property
    def today(self) -> date:
        """The day that verdicts are for."""
        return self.now().date()

    def beat(self, seconds: int) -> str:
        """A stamp of the clock: what is kept under it is kept for so long at most."""
        return str(int(self.now().timestamp()) // seconds)

    def close(self) -> None:
        """Let the inventory go."""
        self.keeper.close()
        self.inventory.close()
