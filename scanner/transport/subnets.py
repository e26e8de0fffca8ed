"""What a scan knows of each subnet while it works there: who answered, who fell silent since.

A subnet is the one of the site file that holds the address, the narrowest; without a site file 256 addresses
(2**64 of IPv6). No socket here: who is asked again, and when enough are silent, is decided by arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import TYPE_CHECKING, Final

from scanner.addresses import IPV6, address_of
from scanner.model import Transport
from scanner.transport.congestion import Congestion
from scanner.transport.pacing import Pacer
from scanner.transport.turns import EVERY, Turns

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from scanner.addresses import AddressMap, AddressSet
    from scanner.model import Endpoint, Observation, Trip
    from scanner.transport.canaries import Canary
    from scanner.transport.gate import HostDoor
    from scanner.transport.limits import Terms

RECENT: Final = 60.0
"""Seconds after a probe in which a silence is put down to it."""
_WITNESSES: Final = 64


@dataclass(slots=True)
class Witness:
    """A host that answered, and can be asked whether it still does."""

    door: HostDoor
    endpoint: Endpoint
    """Where it answered."""
    asked: float
    """When it was last asked anything, on the monotonic clock."""


@dataclass(slots=True)
class Subnet:
    """One subnet, in one scan."""

    name: str
    ward: str
    pacer: Pacer
    congestion: Congestion
    watched: bool
    """Whether hosts that answered are asked again."""
    wanted: tuple[tuple[int, int | None], ...] = ()
    """Number and port of its canaries."""
    canaries: list[Canary] = field(default_factory=list)
    """The same, once they were asked."""
    stopped: Trip | None = None
    turns: Turns = field(default_factory=Turns)
    answered: int = 0
    alive: datetime | None = None
    """When a host last gave a sign of life, in UTC."""
    looks: int = 0
    looking: bool = False
    witnesses: dict[int, Witness] = field(default_factory=dict)
    """Those that answered last, the latest at the end."""
    fallen: dict[int, Witness] = field(default_factory=dict)
    """Those that answered, and were silent within a minute of being asked something."""

    @property
    def due(self) -> bool:
        """Whether nothing more is begun here before a look back."""
        return (self.watched or bool(self.wanted)) and self.turns.begun >= EVERY

    @property
    def full(self) -> bool:
        """Whether nothing more is begun here for now.

        While it is looked at; before a look, until all that was begun has left: a packet that waits for its
        turn would come after a fall. Where nobody can be asked again there is nothing to look at: there few
        are waited for at first, and more as more of the subnet turns out to be dark.
        """
        if not self.due:
            return False
        if self.looking or self.turns.unsent:
            return True
        return not self.wanted and not self.able() and self.turns.many

    def heard(self, door: HostDoor, observations: Sequence[Observation]) -> None:
        """A host was visited; where it answered to the end, it can be asked again later."""
        if any(seen.outcome.alive for seen in observations):
            self.answered += 1
            if not door.missed:
                self.trust(door, observations)

    def trust(self, door: HostDoor, observations: Sequence[Observation]) -> None:
        """A host answered, and what silence it met was its own: it can be asked again where it answered."""
        living = [seen.endpoint for seen in observations if seen.outcome.alive]
        endpoint = next((each for each in living if each.transport is Transport.TCP), None)
        if self.watched and endpoint is not None:
            self.witnesses[door.number] = Witness(door, endpoint, door.asked)
            if len(self.witnesses) > _WITNESSES:
                del self.witnesses[next(iter(self.witnesses))]

    def witness(self, now: float) -> Witness | None:
        """Whom to ask first: of those asked within the last minute, the one for whom it is longest ago."""
        able = self.able()
        recent = [witness for witness in able if now - witness.asked <= RECENT]
        return recent[0] if recent else able[-1] if able else None

    def able(self) -> list[Witness]:
        """Who may be asked again at all, by when they were asked."""
        able = [witness for witness in self.witnesses.values() if witness.door.left > 0]
        return sorted(able, key=lambda witness: witness.asked)

    def forgive(self, silent: Iterable[Witness]) -> None:
        """It was not they who fell: they may be asked again."""
        for witness in silent:
            self.fallen.pop(witness.door.number, None)
            self.witnesses[witness.door.number] = witness


class Subnets:
    """The subnets of a scan, made as it comes to them."""

    def __init__(self, named: AddressMap[str] | None = None) -> None:
        """Take the subnets of a site file, where there is one."""
        self._named = named
        self._made: dict[str | int, Subnet] = {}
        self._all = Congestion(Pacer(None), minded=False)

    def of(self, number: int, terms: Terms, pacer: Pacer) -> Subnet:
        """The subnet of an address; where nothing is watched, one for all: nothing is to be told apart."""
        watched = terms.limits.watched
        name = self._key(number) if watched or terms.canaries else id(pacer)
        found = self._made.get(name)
        if found is None:
            own = Pacer(None, pacer)
            text = _text(name, number)
            wanted = tuple((each.number, each.port) for each in terms.canaries if each.home in {None, text})
            found = Subnet(text, terms.ward, own, Congestion(own, watched, self._all), watched, wanted)
            self._made[name] = found
        return found

    def number(self, addresses: AddressSet) -> int:
        """How many subnets a set of addresses lies in."""
        if self._named is not None:
            return len(self._named.divide(addresses))
        blocks = sum((last >> 8) - (first >> 8) + 1 for first, last in addresses.spans)
        return max(1, min(blocks, addresses.size))

    def all(self) -> list[Subnet]:
        """Those that the scan came to."""
        return list(self._made.values())

    def _key(self, number: int) -> str | int:
        named = self._named.get(number) if self._named is not None else None
        return named if named is not None else number >> (8 if number < IPV6 else 64)


def _text(key: str | int, number: int) -> str:
    if isinstance(key, str):
        return key
    return str(ip_network(f"{address_of(number)}/{24 if number < IPV6 else 64}", strict=False))
