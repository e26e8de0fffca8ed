"""Who asks for a page, and what they may see and do."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum


class Role(IntEnum):
    """What somebody may do; each may do what those before it may."""

    NOBODY = 0
    READER = 1
    """Look, and export what is looked at."""
    REMEDIATOR = 2
    """Set findings."""
    OPERATOR = 3
    """Stop scans, clear the circuit breaker."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who asks."""

    name: str = ""
    """As the log of the dashboard names them."""
    role: Role = Role.NOBODY
    sites: frozenset[str] = field(default_factory=frozenset)
    """The sites that they see; empty: all."""
    wards: frozenset[str] = field(default_factory=frozenset)
    """The wards that they see; empty: all of those sites."""
    language: str = "en"

    def sees(self, site: str, ward: str) -> bool:
        """Whether they see a ward."""
        return (not self.sites or site in self.sites) and (not self.wards or ward in self.wards)
