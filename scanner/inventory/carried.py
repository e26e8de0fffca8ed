"""A scan on its way from one inventory to another."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from datetime import datetime

    from scanner.config import SiteFile
    from scanner.inventory.giving import Head
    from scanner.inventory.interning import Kind
    from scanner.model import HostRecord, Trip


@dataclass(frozen=True, slots=True)
class SentOnce:
    """A line of a ledger, as the table has it."""

    address: bytes
    n: int
    after: int
    """Milliseconds since its scan began."""
    kind: Kind
    sent: int
    received: int


@dataclass(frozen=True, slots=True)
class Visited:
    """The addresses of a block that a scan is done with."""

    version: int
    block: bytes
    bits: int


@dataclass(frozen=True, slots=True)
class Stopped:
    """A breaker that tripped, and when somebody cleared it."""

    trip: Trip
    cleared: datetime | None


@dataclass(frozen=True, slots=True)
class Answering:
    """The addresses of a block that something else answers for."""

    block: bytes
    bits: int


Item: TypeAlias = "HostRecord | SentOnce | Visited | Stopped | Answering"
"""What a scan brought. The identity of a host is not read."""


@dataclass(slots=True)
class Taken:
    """What became of a scan that was brought."""

    scan: int
    """Its id here."""
    already: bool = False
    """Whether it was here before: nothing was changed."""
    hosts: int = 0
    observations: int = 0
    outside: int = 0
    """Hosts that lie in no ward of the site file: left out."""

    def as_dict(self) -> dict[str, int]:
        """The same for programs."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Carried:
    """A scan on its way here."""

    head: Head
    digest: str
    """Of what it was carried in."""
    key: str
    """What it is known by: nothing is taken twice."""
    file: SiteFile | None
    """Its site: None for the one without a name."""
    here: bool
    """Whether that is how the site is today, as this side has it; else it is as it was for the scan."""
    part: bool = False
    """Whether it is one of several parts: the scan goes on until somebody ends it."""
