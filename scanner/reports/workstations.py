"""The indicator of the national audit court of France: the share of workstations without support. Pure.

A workstation may be a client release and no server; embedded editions of a client system say the same as it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scanner.model import Certainty, Role, Status

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scanner.inventory.alike import Alike


@dataclass(frozen=True, slots=True)
class Workstations:
    """The indicator of one establishment."""

    establishment: str
    site: str
    finess: str
    workstations: int
    """Machines that may be a client release, and nothing but client or embedded ones."""
    certain: int
    """Of them without support: nothing but client releases, and the machine said so itself."""
    probable: int
    """Of them without support otherwise."""
    to_verify: int
    """Of them: some candidates have no support, others may."""
    doubtful: int
    """Machines that may be a client release, and may be a server too: not counted as workstations."""

    @property
    def without(self) -> int:
        """Those without support."""
        return self.certain + self.probable


def indicator(rows: Iterable[Alike]) -> tuple[Workstations, ...]:
    """The indicator of every establishment, in the order given."""
    found: dict[tuple[str, str, str], Counter[str]] = {}
    for row in rows:
        place = (row.place.establishment or row.place.site, row.place.site, row.place.finess)
        found.setdefault(place, Counter()).update(dict.fromkeys(_counts_as(row), row.machines))
    names = ("workstations", "certain", "probable", "to_verify", "doubtful")
    return tuple(Workstations(*place, *(counted[name] for name in names)) for place, counted in found.items())


def _counts_as(row: Alike) -> tuple[str, ...]:
    roles = {release.role for release in row.candidates}
    if Role.CLIENT not in roles:
        return ()
    if roles - {Role.CLIENT, Role.EMBEDDED}:
        return ("doubtful",)
    if row.verdict.status is Status.DEPENDS:
        return ("workstations", "to_verify")
    if row.verdict.status is not Status.UNSUPPORTED:
        return ("workstations",)
    sure = row.certainty is Certainty.CERTAIN and roles == {Role.CLIENT}
    return ("workstations", "certain" if sure else "probable")
