"""When machines lose their support: what the dates of their candidates say, place by place."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from scanner.inventory.identities import from_columns
from scanner.inventory.tables import ASSETS, IDENTITIES
from scanner.inventory.transactions import reading
from scanner.inventory.verdicts import Verdicts
from scanner.inventory.wards import wards_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from scanner.inventory.store import Inventory
    from scanner.lifecycle import Policy
    from scanner.model import Identity, Release


@dataclass(frozen=True, slots=True)
class EndRow:
    """Machines of one ward that lose their support on the same days."""

    site: str
    ward: str
    first: date | None
    """The first end of support of one of their candidates that is still to come; None: there is none."""
    last: date | None
    """The end of support of the last of them; None: one of them has no date, or all are past."""
    machines: int


def ends_rows(
    inventory: Inventory, *, today: date, releases: Mapping[str, Release] | None = None
) -> tuple[EndRow, ...]:
    """The ends of support that are still to come, with the extensions that each ward holds.

    Args:
        inventory: the inventory.
        today: an end on this day is still to come.
        releases: today's releases, by id; the packaged ones otherwise.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    verdicts = Verdicts(today, releases)
    known: dict[tuple[object, ...], tuple[date | None, date | None]] = {}
    found: Counter[tuple[str, str, date | None, date | None]] = Counter()
    same = (ASSETS.c.site_id, ASSETS.c.ward_id, ASSETS.c.identity_id)
    with reading(inventory) as connection:
        wards = {ward.key: ward for ward in wards_of(connection)}
        columns = (IDENTITIES.c.id, IDENTITIES.c.candidates, IDENTITIES.c.certainty)
        identities = {
            number: from_columns(candidates, certainty, "[]", "{}")
            for number, candidates, certainty in connection.execute(select(*columns))
        }
        wanted = select(*same, func.count()).where(ASSETS.c.displaced.is_(None))
        groups = connection.execute(wanted.group_by(*same)).all()
    for site_id, ward_id, number, machines in groups:
        ward, identity = wards[site_id, ward_id], identities[number]
        policy = verdicts.policy(ward.settings, ward.name)
        key = (identity.candidates, id(policy))
        if key not in known:
            known[key] = _ends(identity, verdicts, policy)
        if known[key] != (None, None):
            found[ward.where.site, ward.name, *known[key]] += machines
    return tuple(EndRow(*place, machines) for place, machines in found.items())


def _ends(identity: Identity, verdicts: Verdicts, policy: Policy) -> tuple[date | None, date | None]:
    candidates = verdicts.candidates(identity)
    each = [verdicts.of((release,), policy).latest for release in candidates]
    dated = [end for end in each if end is not None and end >= verdicts.today]
    last = None if None in each else max(dated, default=None)
    return min(dated, default=None), last
