"""A hospital for a year of nights, told by somebody who knows which machine is which.

Deterministic: one seed, one year. Leases of eight hours end between two scans: who was off in between gets
another address, or another machine's. Most machines are behind routers, so that no card of theirs is seen
but by what they say over NetBIOS; one ward is on the scanner's own segment, and a few wards' routers are
asked which machines they know. Scans miss machines, and probes fail, so that of each only a part is heard
each night.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from random import Random
from typing import TYPE_CHECKING, Final, NamedTuple

from scanner.model import Endpoint, HostRecord, Observation, Outcome, Transport
from tests.inventory.hospital import NOTHING, TEN, XP
from tests.inventory.year_events import EVENTS, LEASING
from tests.inventory.year_kinds import card, made
from tests.inventory.year_machines import OLD_DOMAIN, Machine
from tests.inventory.year_visits import endpoint_of, heard, known_to_router
from tests.inventory.year_wards import Ward

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


BEGINNING: Final = datetime(2025, 1, 1, 22, tzinfo=UTC)
_KINDS: Final[Mapping[str, float]] = {
    "desktop": 0.5, "laptop": 0.2, "server": 0.025, "virtual": 0.05, "clone": 0.02, "linux": 0.03,
    "appliance": 0.015, "printer": 0.06, "modality": 0.055, "mute": 0.04, "tablet": 0.004, "proxy": 0.0005,
    "nat": 0.0005,
}  # fmt: skip
_YEARLY: Final[Mapping[str, float]] = {
    "replace": 0.035, "reimage": 0.015, "rename": 0.01, "move": 0.02, "board": 0.005, "renew": 2.0,
}  # fmt: skip
"""What happens to a machine, and how often a year."""
_LASTING: Final = frozenset({"mute", "tablet", "proxy", "nat"})
"""Kinds to which nothing happens."""
_PER_WARD: Final = 120
_WIFI, _SEGMENT = 0, 1
_SIZE: Final = 1024
"""Addresses of a ward: the pool from 256 on, those that never change from 640 on."""
_MISSED: Final = 0.04
"""How often a machine is not met at all."""


class Sighting(NamedTuple):
    """What a scan records of an address, and whose it is in truth."""

    machine: Machine
    record: HostRecord


class Year:
    """The hospital.

    Args:
        seed: which year it is.
        machines: how many there are at any time.
        nights: how many there are: what happens in a year happens within them.
    """

    def __init__(self, seed: int, machines: int, nights: int = 365) -> None:
        self.random, self.nights = Random(seed), nights
        self.wards = [Ward(0x0A200000 + n * _SIZE) for n in range(max(4, machines // _PER_WARD))]
        self.wards[_WIFI].base = 0x0AC80000
        self.machines: list[Machine] = []
        self._number, self._due = 0, defaultdict[int, list[tuple[str, Machine]]](list)
        for kind, share in _KINDS.items():
            for _ in range(max(1, round(machines * share))):
                self._settle(self._new(kind))
        self._resemble()
        self._clusters = self._pairs()
        self._proxied = {ip_address(self.wards[_SEGMENT].base + 641 + n) for n in range(30)}
        self._router = card(self.random)
        for machine in self.machines:
            self._plan(machine, 0)
        for n, ward in enumerate(self.wards):
            clients = sum(each.kind in LEASING and each.ward == n for each in self.machines)
            ward.pool = max(4, int(clients * 0.8)) if n else len(self.machines)
            laptops = sum(each.kind == "laptop" and each.ward == n for each in self.machines)
            ward.docks = [card(self.random) for _ in range(1 + laptops // 2)]

    def site(self) -> str:
        """Its site file."""
        head = '[site]\nname = "Year"\nfiness = "000000000"\n'
        wards = (
            f'[[ward]]\nname = "W{n}"\n'
            f'subnets = ["10.{32 + n // 64}.{n * 4 % 256}.0/22", "2001:db8:{n:x}::/64"]\n'
            for n in range(1, 2 * len(self.wards))
        )
        return head + '[[ward]]\nname = "W0"\nsubnets = ["10.200.0.0/16"]\n' + "".join(wards)

    def evening(self, night: int) -> datetime:
        """When the scan of a night begins."""
        return BEGINNING + timedelta(days=night)

    def scan(self, night: int) -> Iterator[Sighting]:
        """What a scan of this night records, in its order. Nights may be left out, but not gone back to."""
        at = self.evening(night)
        places = sorted(self._tonight(), key=lambda place: place[0])
        yield from self._from_routers(places, at)
        for n, (number, machine, shown) in enumerate(places):
            when = at + timedelta(hours=1, milliseconds=200 * n)
            record = self._visited(machine, shown, str(ip_address(number)), when)
            if record is not None:
                yield Sighting(machine, record)

    def live(self, night: int) -> None:
        """Let a day go by: to be called once for each, before its scan."""
        at = BEGINNING + timedelta(days=night, hours=-10)
        for what, machine in self._due.pop(night, ()):
            if not machine.retired or what == "return":
                EVENTS[what](self, machine, night, at)
        if night == self.nights * 3 // 5:
            self._renumber(len(self.wards) - 1, night)
        self._boot(at, power_cut=night == self.nights // 3)
        clients = defaultdict[int, list[Machine]](list)
        for machine in self.machines:
            if not machine.addresses and not machine.retired:
                clients[machine.ward].append(machine)
                if machine.kind in {"laptop", "tablet"}:
                    clients[_WIFI].append(machine)
        for n, ward in enumerate(self.wards):
            ward.lease([each for each in clients[n] if self._is_on(each, n)], self.random)

    def _boot(self, at: datetime, *, power_cut: bool) -> None:
        """Start some anew; where the power was cut, a fourth of the wards within three seconds."""
        for machine in self.machines:
            if power_cut and machine.ward % 4 == 3:
                machine.booted = at + timedelta(seconds=machine.number % 3)
                machine.cached.clear()
            elif machine.tells_boot and self.random.random() < 0.03:
                machine.booted = at + timedelta(seconds=self.random.randrange(36000))
                machine.cached.clear()

    def _new(self, kind: str) -> Machine:
        self._number += 1
        number = self._number
        ward = self.random.randrange(1, len(self.wards))
        machine = made(kind, number, ward, self.random)
        self.machines.append(machine)
        return machine

    def _settle(self, machine: Machine) -> None:
        """Give a machine that asks no DHCP server its addresses: one a card, and sometimes one of IPv6."""
        if machine.kind not in LEASING and (machine.kind != "mute" or machine.number % 2):
            machine.addresses = [self.wards[machine.ward].next_fixed() for _ in machine.cards]
            if machine.kind in {"server", "virtual"} and self.random.random() < 0.1:
                machine.addresses.append(f"2001:db8:{machine.ward:x}::{machine.number:x}")

    def _resemble(self) -> None:
        """Let clones and appliances of a model share what they share, and proxies answer for others."""
        for kind in ("clone", "appliance"):
            alike = [each for each in self.machines if each.kind == kind]
            for n, machine in enumerate(alike):
                machine.group = n // 6
                first = alike[n - n % 6]
                machine.guid = first.guid
                if kind == "appliance":
                    machine.host_key, machine.subject = first.host_key, "appliance.local"
                    machine.certificate, machine.speaks = first.certificate, first.speaks
        servers = [each for each in self.machines if each.kind == "server"]
        for machine in self.machines:
            if machine.kind == "proxy":
                machine.mimics = [self.random.choice(servers)]

    def _pairs(self) -> list[tuple[str, list[Machine]]]:
        """Addresses that one of two servers has at a time."""
        servers = [each for each in self.machines if each.kind == "server"]
        pairs = zip(servers[::8], servers[1::8], strict=False)
        return [(self.wards[one.ward].next_fixed(), [one, other]) for one, other in pairs]

    def _plan(self, machine: Machine, since: int) -> None:
        if machine.kind in _LASTING or (self.nights - since) < 2:
            return
        for what, often in _YEARLY.items():
            if what == "renew" and machine.group >= 0:
                continue
            times = int(often) or self.random.random() < often * (self.nights - since) / self.nights
            for _ in range(int(times)):
                self._due[self.random.randrange(since + 1, self.nights)].append((what, machine))
        if machine.domain == OLD_DOMAIN:
            self._due[max(since + 1, self.nights // 2 + machine.number % 10)].append(("migrate", machine))

    def _tonight(self) -> Iterator[tuple[int, Machine, str]]:
        """Who is on tonight, at which address, and the card that is shown there."""
        for n, ward in enumerate(self.wards):
            left = iter(o for o in range(ward.pool, ward.pool + 200) if o not in ward.leases)
            for offset, machine in ward.leases.items():
                shown = self._shown(machine, ward, n)
                yield ward.base + 256 + offset, machine, shown
                if self.random.random() < 0.004:  # its lease ended in mid-scan
                    yield ward.base + 256 + next(left), machine, shown  # no address is lent twice
        for machine in self.machines:
            if machine.retired or (machine.addresses and self.random.random() >= machine.presence):
                continue
            for number, address in enumerate(machine.addresses):
                shown = machine.cards[number % len(machine.cards)]
                yield int(ip_address(address)), machine, machine.cards[0] if self._half() else shown
            if machine.kind == "desktop" and machine.number % 100 == 7:  # a temporary address
                yield (
                    int(ip_address(f"2001:db8:{machine.ward:x}::")) + self.random.getrandbits(64),
                    machine,
                    machine.cards[0],
                )
        for address, pair in self._clusters:
            if self.random.random() < 0.05:
                pair.reverse()
            yield int(ip_address(address)), pair[0], pair[0].cards[0]

    def _half(self) -> bool:
        return self.random.random() < 0.5

    def _shown(self, machine: Machine, ward: Ward, n: int) -> str:
        if machine.kind == "tablet":
            return f"{self.random.getrandbits(8) & 0xFC | 2:02x}:" + card(self.random)[3:]
        if machine.kind != "laptop" or n == _WIFI:
            return machine.cards[0]
        return machine.cards[1] if machine.passes else self.random.choice(ward.docks)

    def _from_routers(self, places: Sequence[tuple[int, Machine, str]], at: datetime) -> Iterator[Sighting]:
        """What the routers of some wards have in their tables when the scan begins."""
        for n, ward in enumerate(self.wards):
            if n % 5 == 2:
                inside = range(ward.base, ward.base + _SIZE)
                for number, machine, shown in places:
                    if number in inside and self.random.random() < 0.9:
                        yield Sighting(machine, known_to_router(f"W{n}", number, shown, at))
                yield from self._stale(ward, n, at)

    def _stale(self, ward: Ward, n: int, at: datetime) -> Iterator[Sighting]:
        """What a router has not forgotten yet: who had an address this afternoon, before another got it."""
        on = {machine.number for machine in ward.leases.values()}
        for machine in self.machines:
            if machine.ward == n and machine.kind == "desktop" and machine.number not in on:
                offset = ward.before.get(machine.number, -1)
                if offset >= 0 and not machine.retired and self.random.random() < 0.02:
                    number = ward.base + 256 + offset
                    heard = at - timedelta(milliseconds=machine.number)  # told apart by their moments
                    yield Sighting(machine, known_to_router(f"W{n}", number, machine.cards[0], heard))

    def _visited(self, machine: Machine, shown: str, address: str, at: datetime) -> HostRecord | None:
        if self.random.random() < _MISSED:
            return None
        seen = [
            Observation(endpoint_of(address, probe), probe, at, outcome, evidence)
            for probe, outcome, evidence in heard(machine, shown, self.random)
        ]
        ward = self._ward_of(address)
        if ward == _SEGMENT:
            proxied = ip_address(address) in self._proxied
            mac = self._router if proxied else shown
            where = Endpoint(address, 0, Transport.LINK)
            seen.append(Observation(where, "neighbour", at, Outcome.ANSWERED, {"neighbour.mac": (mac,)}))
        old = machine.version.startswith("5.")
        spoken = any(each.evidence for each in seen if each.probe != "neighbour")
        return HostRecord(address, f"W{ward}", tuple(seen), NOTHING if not spoken else XP if old else TEN)

    def _ward_of(self, address: str) -> int:
        parsed = ip_address(address)
        if parsed.version == 6:
            return int(parsed) >> 80 & 0xFFFF
        number = int(parsed)
        return 0 if number >= self.wards[_WIFI].base else (number - 0x0A200000) // _SIZE

    def _is_on(self, machine: Machine, n: int) -> bool:
        if machine.kind not in {"laptop", "tablet"}:
            return machine.ward == n and self.random.random() < machine.presence
        if machine.kind == "tablet":
            return n == _WIFI and self.random.random() < machine.presence
        if n == _WIFI:
            return self.random.random() < machine.presence / 2
        return machine.ward == n and self.random.random() < machine.presence / 2

    def _renumber(self, n: int, night: int) -> None:
        """A ward moves house: other addresses for all that is in it."""
        ward = self.wards[n]
        old, ward.base = ward.base, 0x0A200000 + (2 * len(self.wards) - 1) * _SIZE
        for machine in self.machines:
            for place, address in enumerate(machine.addresses):
                parsed = ip_address(address)
                if parsed.version == 4 and old <= int(parsed) < old + _SIZE:
                    machine.addresses[place] = str(ip_address(int(parsed) - old + ward.base))
                    machine.changed(night, "its ward was renumbered")
