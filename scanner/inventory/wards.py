"""The places of assets, as readers need them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

from sqlalchemy import select

from scanner.inventory.order import natural
from scanner.inventory.rows import Filters, Place
from scanner.inventory.tables import SITES, SUBNETS, WARDS
from scanner.inventory.transactions import reading

if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network

    from sqlalchemy.engine import Connection

    from scanner.inventory.store import Inventory


@dataclass(frozen=True, slots=True)
class Ward:
    """A ward, or what of a site lies outside every ward."""

    key: tuple[int, int | None]
    """Ids of the site and of the ward."""
    settings: str
    """The site's, as they are stored."""
    where: Place
    """Without the subnet, which depends on the address."""
    places: tuple[tuple[IPv4Network | IPv6Network, Place], ...] = ()
    """Its subnets, the narrowest first, and what is where in them."""

    @property
    def name(self) -> str:
        """The ward's name; empty outside every ward."""
        return self.where.ward

    def place(self, address: str) -> Place:
        """Where an address of this ward is."""
        if not self.places:
            return self.where
        number = ip_address(address)
        return next((place for network, place in self.places if number in network), self.where)

    def matches(self, filters: Filters) -> bool:
        """Whether assets of this ward are wanted."""
        return filters.of_place(self.where.site, self.name)


def wards_of(connection: Connection) -> list[Ward]:
    """All of them, in the order of site and ward; what lies outside every ward comes first in its site."""
    subnets: dict[int, list[IPv4Network | IPv6Network]] = {}
    for ward_id, network in connection.execute(select(SUBNETS.c.ward_id, SUBNETS.c.network)):
        subnets.setdefault(ward_id, []).append(ip_network(network))
    found: list[Ward] = []
    sites = {row.id: row for row in connection.execute(select(SITES))}
    for site in sites.values():
        where = Place(site.name, site.finess, site.group, site.establishment or site.name)
        found.append(Ward((site.id, None), site.settings, where))
    homes = {ward.key[0]: ward for ward in found}
    for row in connection.execute(select(WARDS)):
        home = homes[row.site_id]
        where = replace(
            home.where,
            ward=row.name,
            building=row.building,
            floor=row.floor,
            unit=row.unit,
            owner=row.owner,
            vlan=row.vlan,
            criticality=row.criticality,
        )
        networks = sorted(subnets.get(row.id, ()), key=lambda network: -network.prefixlen)
        places = ((network, replace(where, subnet=str(network))) for network in networks)
        found.append(Ward((row.site_id, row.id), home.settings, where, tuple(places)))
    return sorted(found, key=lambda ward: (natural(ward.where.site), natural(ward.name)))


def networks_named(inventory: Inventory, place: str) -> tuple[str, ...]:
    """A subnet, or the subnets of a ward; nothing where it is neither.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    try:
        return (str(ip_network(place)),)
    except ValueError:
        return ward_networks(inventory, place)


def places_rows(inventory: Inventory) -> tuple[tuple[Place, tuple[str, ...]], ...]:
    """All wards and their subnets, in the order of site and ward; what lies outside of them has no subnet.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    with reading(inventory) as connection:
        return tuple(
            (ward.where, tuple(str(network) for network, _ in ward.places)) for ward in wards_of(connection)
        )


def ward_networks(inventory: Inventory, name: str) -> tuple[str, ...]:
    """The subnets of the wards of that name, whatever the case; nothing where there is none.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    with reading(inventory) as connection:
        wards = [
            ward for ward in wards_of(connection) if ward.name and ward.name.casefold() == name.casefold()
        ]
    return tuple(str(network) for ward in wards for network, _ in ward.places)
