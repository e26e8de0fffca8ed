"""The figures of wards together: all of them, or by group, establishment and site."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scanner.dashboard.counted import NOTHING
from scanner.inventory.areas import ROLL_UP, branches
from scanner.model import Status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scanner.dashboard.counted import WardCount


@dataclass(frozen=True, slots=True)
class Total:
    """The figures of some wards together."""

    seen: int
    scope: int
    never_scanned: int
    statuses: Mapping[Status, tuple[int, ...]]
    """Certain, probable, to verify."""

    def machines(self, status: str) -> int:
        """Machines of one verdict."""
        return sum(self.statuses[Status(status)])

    @property
    def parts(self) -> list[tuple[str, int]]:
        """Status and machines, as bars have them."""
        return [(status.value, self.machines(status)) for status in Status]


@dataclass(frozen=True, slots=True)
class Rolled:
    """A group, an establishment or a site, and the figures of all that belongs to it."""

    names: tuple[str, ...]
    """From the group down to what it is."""
    total: Total

    @property
    def asked(self) -> dict[str, str]:
        """The parameters by which pages show it alone."""
        return {key: name for key, name in zip(ROLL_UP, self.names, strict=False) if name}


def total_of(wards: Sequence[WardCount]) -> Total:
    """The sums of wards."""
    statuses = {
        status: tuple(map(sum, zip(*(ward.statuses.get(status, NOTHING) for ward in wards), strict=True)))
        or NOTHING
        for status in Status
    }
    return Total(
        sum(ward.seen for ward in wards),
        sum(ward.scope for ward in wards),
        sum(ward.never_scanned for ward in wards),
        statuses,
    )


def roll_up(wards: Sequence[WardCount]) -> list[Rolled]:
    """What :func:`~scanner.inventory.areas.branches` names of them; nothing where all are of one site."""
    sites: dict[tuple[str, ...], list[WardCount]] = {}
    for ward in wards:
        sites.setdefault((ward.group, ward.establishment, ward.site), []).append(ward)
    return [
        Rolled(
            names, total_of([ward for site in sites if site[: len(names)] == names for ward in sites[site]])
        )
        for names in branches(sites)
    ]
