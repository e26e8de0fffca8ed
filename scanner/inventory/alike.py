"""Machines that are judged alike: how many of them each ward has, for reports that count by what they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from scanner.inventory.identities import from_columns
from scanner.inventory.tables import ASSETS, IDENTITIES
from scanner.inventory.transactions import reading
from scanner.inventory.verdicts import Verdicts
from scanner.inventory.wards import wards_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from collections.abc import Set as AbstractSet
    from datetime import date

    from scanner.inventory.rows import Place
    from scanner.inventory.store import Inventory
    from scanner.model import Certainty, Release, Verdict


@dataclass(frozen=True, slots=True)
class Alike:
    """Machines of one ward with the same candidates, of the same certainty."""

    place: Place
    """Of the ward; without the subnet."""
    candidates: tuple[Release, ...]
    certainty: Certainty
    verdict: Verdict
    machines: int


def alike_rows(
    inventory: Inventory,
    *,
    sites: AbstractSet[str] | None = None,
    today: date,
    releases: Mapping[str, Release] | None = None,
) -> Iterator[Alike]:
    """Every machine that was ever seen, in the order of site and ward; each counts in one row.

    Args:
        inventory: the inventory.
        sites: the names of the sites; None: all.
        today: the day that verdicts are for.
        releases: today's releases, by id; the packaged ones otherwise.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    verdicts = Verdicts(today, releases)
    keys = (ASSETS.c.site_id, ASSETS.c.ward_id, IDENTITIES.c.candidates, IDENTITIES.c.certainty)
    wanted = select(*keys, func.count()).join_from(ASSETS, IDENTITIES)
    wanted = wanted.where(ASSETS.c.displaced.is_(None)).group_by(*keys)
    with reading(inventory) as connection:
        wards = {ward.key: ward for ward in wards_of(connection)}
        counted = [tuple(row) for row in connection.execute(wanted)]
    found: dict[tuple[int, int | None], list[tuple[str, str, int]]] = {}
    for site_id, ward_id, candidates, certainty, machines in counted:
        found.setdefault((site_id, ward_id), []).append((candidates, certainty, machines))
    for key, ward in wards.items():
        if sites is not None and ward.where.site not in sites:
            continue
        policy = verdicts.policy(ward.settings, ward.name)
        for stored, certainty, machines in sorted(found.get(key, ())):
            identity = from_columns(stored, certainty, "[]", "{}")
            releases_of = verdicts.candidates(identity)
            verdict = verdicts.of(releases_of, policy)
            yield Alike(ward.where, releases_of, identity.certainty, verdict, machines)
