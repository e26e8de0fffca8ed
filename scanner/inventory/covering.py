"""``coverage``: what became of every address in scope, ward by ward or subnet by subnet.

Plain SQL, as for counting; sets of addresses, whatever their size.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, TypeAlias

from scanner.addresses import AddressSet, number_of
from scanner.inventory.blocks import both, divide, less, size
from scanner.inventory.database import asking
from scanner.inventory.grounds import EVERYTHING, grounds_of
from scanner.inventory.latest import last_scans
from scanner.inventory.order import natural
from scanner.inventory.rows import CoverageRow, Denominator, Filters
from scanner.targets import span_of, untouchable

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator, Sequence
    from datetime import date

    from scanner.config import SiteFile
    from scanner.inventory.database import Plain, Rows
    from scanner.inventory.grounds import Ground, Key
    from scanner.inventory.store import Inventory

COVERED_BY: Final = ("ward", "subnet", "site", "building", "owner", "establishment", "group")
"""The keys that rows can be told apart by."""

_FRAGILE: Final = (
    "SELECT address, attributes FROM assets JOIN identities ON identities.id = identity_id"
    """ WHERE site_id = ? AND attributes LIKE '%"fragile"%'"""
)
_STOPPED: Final = "SELECT subnet FROM breakers WHERE site_id = ? AND cleared IS NULL"
_FALLEN: Final = "SELECT fallen FROM breakers WHERE site_id = ? AND cleared IS NULL"

_Counts: TypeAlias = "Counter[Key | None]"


def coverage_rows(
    inventory: Inventory, *, by: Sequence[str] = ("ward",), site: SiteFile | None = None
) -> tuple[CoverageRow, ...]:
    """What became of the addresses of each place.

    An address in subnets of two wards belongs to the narrower one; what was asked outside every ward has a
    row of its own, whose names are empty. Everything is of one moment, and where it belongs today.

    Args:
        inventory: the inventory.
        by: some of :data:`COVERED_BY`, in the order that rows are sorted by.
        site: the site file, which alone knows exclusions and passive wards; of other sites of the inventory,
            and without it, they are not known.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    found: dict[Key, CoverageRow] = {}
    with asking(inventory.database) as connection:
        connection.execute("BEGIN")
        for ground in grounds_of(connection, by):
            file = site if site is not None and site.site.name == ground.site else None
            for row in _rows(connection, ground, by, file):
                key = tuple(row.keys.values())
                found[key] = found[key].plus(row) if key in found else row
    return tuple(found[key] for key in sorted(found, key=lambda key: [natural(text) for text in key]))


def denominator(inventory: Inventory, filters: Filters | None = None) -> Denominator:
    """What an export is of: the addresses of the wards that its filters want, whatever machines they want.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    filters = filters or Filters()
    scope = seen = asked = 0
    with asking(inventory.database) as connection:
        connection.execute("BEGIN")
        for ground in grounds_of(connection, ("ward",)):
            for key, addresses in ground.sizes(EVERYTHING).items():
                if filters.of_place(ground.site, "" if key is None else key[0]):
                    touched, machines = ground.asked.get(key, {}), ground.machines.get(key, {})
                    scope += addresses
                    asked += size(touched)
                    # Outside every ward only what was asked is in scope, whatever was imported.
                    seen += size(both(machines, touched) if key is None else machines)
    return Denominator(scope, seen, scope - asked)


def _rows(
    connection: Plain, ground: Ground, by: Sequence[str], site: SiteFile | None
) -> Iterator[CoverageRow]:
    """The rows of a site; one of which there is nothing to say is left out."""
    scope, scans = ground.sizes(EVERYTHING), _scans(connection, ground)
    excluded, passive, fragile, stopped = _untouched(connection, ground, site)
    for key, addresses in scope.items():
        asked, machines = ground.asked.get(key, {}), ground.machines.get(key, {})
        if not addresses and not machines:
            continue
        values = tuple(ground.names[name] for name in by) if key is None else key
        phantoms = less(both(ground.phantoms.get(key, {}), asked), machines)
        oldest, newest = scans.get(key, (None, None))
        yield CoverageRow(
            keys=dict(zip(by, values, strict=True)),
            scope=addresses,
            seen=size(machines),
            identified=size(ground.identified.get(key, {})),
            silent=size(less(less(asked, machines), phantoms)),
            phantoms=size(phantoms),
            excluded=None if site is None else excluded[key],
            passive=None if site is None else passive[key],
            fragile=fragile[key],
            stopped=stopped[key],
            never_scanned=addresses - size(asked),
            oldest_scan=oldest,
            newest_scan=newest,
        )


def _untouched(connection: Plain, ground: Ground, site: SiteFile | None) -> list[_Counts]:
    """How many are excluded, passive, fragile, stopped: each under the first of these that holds."""

    def read(sql: str) -> Rows:
        return connection.execute(sql, (ground.site_id,))

    excluded, passive = (AddressSet(), AddressSet()) if site is None else untouchable(site)
    told = [host for host, stored in read(_FRAGILE) if json.loads(stored).get("fragile") is not None]
    fallen = [host for (stored,) in read(_FALLEN) for host in json.loads(stored)]
    fragile = AddressSet((number, number) for number in map(number_of, (*told, *fallen)))
    stopped = AddressSet(span_of(text) for (text,) in read(_STOPPED))
    counts, before = [], AddressSet()
    for addresses in (excluded, passive, fragile, stopped):
        counts.append(ground.sizes(addresses.without(before)))
        before = AddressSet([*before.spans, *addresses.spans])
    return counts


def _scans(connection: Plain, ground: Ground) -> dict[Key | None, tuple[date, date]]:
    """The oldest and the newest of the last scans of each row's addresses."""
    found: dict[Key | None, tuple[date, date]] = {}
    for day, addresses in last_scans(connection, ground.site_id, ground.everyone):
        for key in divide(addresses, ground.rows):
            oldest, newest = found.get(key, (day, day))
            found[key] = min(oldest, day), max(newest, day)
    return found
