"""Which sites figures are of, and how they hang together: a group, its establishments, their sites."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scanner.inventory.database import asking
from scanner.inventory.order import natural

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scanner.inventory.store import Inventory

ROLL_UP: Final = ("group", "establishment", "site")
"""The keys of a site, the widest first."""

SITES_TOLD: Final = (
    """SELECT id, name, "group", coalesce(nullif(establishment, ''), name), settings FROM sites ORDER BY id"""
)
"""Every site; its establishment is the site itself where none is named."""


@dataclass(frozen=True, slots=True)
class Area:
    """Some sites, by what they are called or belong to, whatever the case; what is empty is any."""

    site: str = ""
    establishment: str = ""
    group: str = ""

    def sites(self, inventory: Inventory) -> frozenset[str]:
        """The names of its sites.

        Raises:
            InventoryError: the inventory cannot be read.
        """
        wanted = (self.site.casefold(), self.group.casefold(), self.establishment.casefold())
        with asking(inventory.database) as connection:
            told = connection.execute(SITES_TOLD).fetchall()
        return frozenset(
            names[0]
            for _, *names, _ in told
            if all(asked in ("", name.casefold()) for asked, name in zip(wanted, names, strict=True))
        )


def branches(sites: Iterable[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Each group that has a name, each establishment of several sites, each site; none of one site alone.

    Args:
        sites: of each site what :data:`ROLL_UP` says.

    Returns:
        The names from the group down to what it is: one, two or three of them.
    """
    in_order = sorted(set(sites), key=lambda names: [natural(name) for name in names])
    found: dict[tuple[str, ...], None] = {}
    for names in in_order if len(in_order) > 1 else ():
        if names[0]:
            found[names[:1]] = None
        if sum(other[:2] == names[:2] for other in in_order) > 1:
            found[names[:2]] = None
        found[names] = None
    return list(found)
