"""Routers that are asked which machines they know: who may be asked, and what of it is believed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, NamedTuple

from scanner.addresses import AddressMap, AddressSet, address_of, number_of
from scanner.language import Message
from scanner.probes import snmp
from scanner.probes.snmp_tables import TABLES
from scanner.sweep.connect import DATAGRAM_SECONDS
from scanner.sweep.plan import Range

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from scanner.config import SiteFile
    from scanner.probes.snmp_tables import Neighbour
    from scanner.sweep.plan import Share
    from scanner.transport.gate import Gate

_ANSWERS_FOR: Final = 8
"""Most addresses of a subnet that one network card has: of more, the router answers itself ([RFC 1027])."""


class Place(NamedTuple):
    """Where an address lies."""

    subnet: str
    ward: str


class Machine(NamedTuple):
    """A machine that a router knows."""

    number: int
    """Its address, on the number line."""
    ward: str
    macs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Routers:
    """The routers of a site, as one scan may ask them."""

    asked: tuple[int, ...] = ()
    """Those that may be, on the number line."""
    unasked: Mapping[int, Message] = field(default_factory=dict)
    """Why others may not."""
    heeded: AddressSet = field(default_factory=AddressSet)
    """The addresses of which they are believed."""
    places: AddressMap[Place] = field(default_factory=lambda: AddressMap(()))

    def reasons(self) -> Iterator[tuple[str, Message]]:
        """Every reason once, behind the routers that are not asked for it."""
        for why in dict.fromkeys(why.render("en") for why in self.unasked.values()):
            same = {number: each for number, each in self.unasked.items() if each.render("en") == why}
            yield ", ".join(map(address_of, same)), next(iter(same.values()))

    def machines(self, found: Iterable[Neighbour]) -> Iterator[Machine]:
        """The machines of this scan among a router's neighbours, each once.

        Where one card has very many addresses of a subnet, the router answers for them itself: of these
        nothing is known.
        """
        cards: dict[int, tuple[Place, list[str]]] = {}
        held: Counter[tuple[str, str]] = Counter()
        for address, mac in found:
            number = number_of(address)
            place = self.places.get(number)
            if place is not None:
                cards.setdefault(number, (place, []))[1].append(mac)
                held[place.subnet, mac] += 1
        for number, (place, macs) in cards.items():
            own = tuple(mac for mac in macs if held[place.subnet, mac] <= _ANSWERS_FOR)
            if own and number in self.heeded:
                yield Machine(number, place.ward, own)


def routers_of(site: SiteFile, gate: Gate, heeded: AddressSet) -> Routers:
    """The routers that a site file names.

    Args:
        site: the site file.
        gate: what lets attempts pass.
        heeded: the addresses of which they are believed.
    """
    numbers = [number_of(router) for router in site.snmp.routers]
    whys = {number: why for number in numbers if (why := _why_not(number, gate)) is not None}
    places = AddressMap(
        (AddressSet.of([net]), Place(net, ward.name)) for ward in site.wards for net in ward.subnets
    )
    return Routers(tuple(number for number in numbers if number not in whys), whys, heeded, places)


def _why_not(number: int, gate: Gate) -> Message | None:
    """Why a router may not be asked: only where the probe of SNMP may be held is it."""
    if not gate.scope.permits(number):
        return Message("it is out of scope: excluded, public, fragile, or its subnet is stopped")
    terms = gate.terms_of(number)
    why = gate.services(snmp.PROBE, terms).why_none
    lacking = (need for need in TABLES.needs if not terms.given.get(TABLES.name, {}).get(need))
    return why or next(
        (Message("the site file gives no {need} for it", {"need": need}) for need in lacking), None
    )


def planned(shares: Sequence[Share], routers: Routers, gate: Gate) -> tuple[Share, ...]:
    """A plan with what routers are sent: at least a datagram each, at most as many as tables may take.

    It counts in the row of the profile on whose terms they are asked; where there is none, in the first.
    """
    counted = list(shares)
    for number in routers.asked:
        limits = gate.terms_of(number).limits
        rows = (place for place, share in enumerate(counted) if share.profile == limits.profile)
        place = next(rows, 0)
        share, sent = counted[place], Range(1, TABLES.exchanges)
        apart = limits.host_interval + DATAGRAM_SECONDS + (1 / limits.rate if limits.rate else 0)
        counted[place] = replace(
            share,
            connections=share.connections + sent,
            packets=share.packets + sent,
            seconds=share.seconds + Range(0, TABLES.exchanges * apart),
        )
    return tuple(counted)
