"""The plan of a simulated hospital: which address is which machine. Pure: a seed decides everything."""

from __future__ import annotations

import hashlib
import math
import random
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from ipaddress import IPv4Address, IPv4Network
from typing import TYPE_CHECKING, Any, Final

from scanner.errors import ConfigError
from scanner.simulator.machine import Machine, filetime
from scanner.simulator.mix import whole_mix
from scanner.simulator.personalities import personalities

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from scanner.simulator.personalities import Personality

FIRST_NETWORK: Final = 0x7F2000
"""127.32.0.0/24 without its last byte: the first ward."""
MOST_WARDS: Final = 4096
PLACES: Final = 254
"""Addresses of a ward that may hold a machine: the first and the last of a /24 never do."""
_SINCE: Final = filetime(1_767_225_600)
"""2026-01-01: every machine was started in the forty days before."""
_FORTY_DAYS: Final = 40 * 86_400 * 10_000_000
_NOT_JOINED: Final = 0x20
"""One workstation or server of eight is in no domain."""
_BUILDINGS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ"
_FLOORS: Final = 8
_ROLES: Final = {
    "workstation": "PC",
    "server": "SRV",
    "nas": "NAS",
    "unix": "UX",
    "printer": "IMP",
    "network": "RES",
    "odd": "EQ",
}


@cache
def names() -> Mapping[str, Any]:
    """The hospital's names: the tables of ``hospital.toml``."""
    return tomllib.loads(files("scanner.simulator").joinpath("hospital.toml").read_text("utf-8"))


@dataclass(frozen=True, slots=True)
class Ward:
    """A ward and its subnet."""

    name: str
    code: str
    building: str
    floor: str
    unit: str
    subnet: IPv4Network


@dataclass(frozen=True, slots=True)
class Place:
    """An address with a machine behind it."""

    address: str
    ward: Ward
    personality: Personality
    name: str

    @property
    def listening(self) -> bool:
        """Whether its SYNs are answered."""
        return self.personality.behaviour != "silent"


@dataclass(frozen=True, slots=True)
class Scatter:
    """Which of a ward's addresses hold a machine: arithmetic that the kernel can do as well.

    The address that ends in ``octet`` of ward ``w`` is the slot ``((octet - 1) * step + w * stride + offset)
    modulo 254``; the first ``even`` slots of a ward listen, one more in the first ``odd`` wards.
    """

    wards: int
    step: int
    stride: int
    offset: int
    even: int
    odd: int

    def slot(self, ward: int, octet: int) -> int:
        """The slot of an address."""
        return ((octet - 1) * self.step + ward * self.stride + self.offset) % PLACES

    def octet(self, ward: int, slot: int) -> int:
        """The address of a slot."""
        return (slot - ward * self.stride - self.offset) * pow(self.step, -1, PLACES) % PLACES + 1

    def listening(self, ward: int) -> int:
        """How many slots of a ward listen."""
        return self.even + (ward < self.odd)

    def listens(self, address: int) -> bool:
        """Whether this IPv4 address answers SYNs."""
        ward, octet = (address >> 8) - FIRST_NETWORK, address & 0xFF
        return (
            0 <= ward < self.wards and 0 < octet <= PLACES and self.slot(ward, octet) < self.listening(ward)
        )


class Hospital:
    """A hospital of ``hosts`` machines in ``wards`` wards, one /24 of 127.0.0.0/8 each.

    Args:
        hosts: how many machines, silent and odd ones included.
        wards: how many wards.
        seed: decides which machine stands where.
        mix: how many of which personality; the rest is filled up in the usual proportions.

    Raises:
        ConfigError: that many do not fit, or the mix does not.
    """

    def __init__(
        self, hosts: int = 15_000, wards: int = 125, seed: int = 1, mix: Mapping[str, int] | None = None
    ) -> None:
        if not 0 < wards <= MOST_WARDS:
            raise ConfigError("a hospital has 1 to {most} wards, not {wards}", most=MOST_WARDS, wards=wards)
        if not 0 < hosts <= wards * PLACES:
            raise ConfigError("{wards} wards hold 1 to {most} machines", wards=wards, most=wards * PLACES)
        self.mix = whole_mix(hosts, mix or {})
        self.hosts, self.seed = hosts, seed
        self.wards = tuple(map(_ward, range(wards)))
        silent = sum(number for key, number in self.mix.items() if personalities()[key].behaviour == "silent")
        draw = random.Random(f"{seed}")  # noqa: S311 - a seed must give the same hospital again
        step = draw.choice([number for number in range(3, PLACES) if math.gcd(number, PLACES) == 1])
        even, odd = divmod(hosts - silent, wards)
        self.scatter = Scatter(wards, step, draw.randrange(PLACES), draw.randrange(PLACES), even, odd)
        self.places = {place.address: place for place in self._places(draw)}
        self._machines: dict[str, Machine] = {}

    def _places(self, draw: random.Random) -> Iterator[Place]:
        """Every machine: the oldest kinds unevenly over the wards, the others wherever there is room."""
        wards = len(self.wards)
        weights = [math.exp(draw.gauss(0, 1)) for _ in range(wards)]
        slots = [(ward, slot) for ward in range(wards) for slot in range(self.scatter.listening(ward))]
        # Weighted sampling without replacement: a ward's weight decides how early its slots come.
        slots.sort(key=lambda place: draw.random() ** (1 / weights[place[0]]), reverse=True)
        kinds = [kind for key, kind in personalities().items() for _ in range(self.mix[key])]
        silent = [kind for kind in kinds if kind.behaviour == "silent"]
        awake = [kind for kind in kinds if kind.behaviour != "silent"]
        finding = names()["site"]["finding"]
        oldest = [kind for kind in awake if kind.product == finding]
        others = [kind for kind in awake if kind.product != finding]
        draw.shuffle(others)
        even, odd = divmod(self.hosts, wards)
        rest = [range(self.scatter.listening(ward), even + (ward < odd)) for ward in range(wards)]
        dark = [(ward, slot) for ward, unheard in enumerate(rest) for slot in unheard]
        filled = zip(slots + dark, oldest + others + silent, strict=True)
        numbers: dict[str, int] = {}
        for (ward, slot), kind in sorted(filled, key=lambda pair: pair[0]):
            yield self._place(ward, slot, kind, numbers)

    def _place(self, index: int, slot: int, kind: Personality, numbers: dict[str, int]) -> Place:
        ward = self.wards[index]
        stem = f"{ward.code}-{_ROLES[kind.role]}"
        numbers[stem] = numbers.get(stem, 0) + 1
        address = str(IPv4Address((FIRST_NETWORK + index << 8) + self.scatter.octet(index, slot)))
        return Place(address, ward, kind, f"{stem}-{numbers[stem]:04}")

    def machine(self, address: str) -> Machine | None:
        """The machine at an address; nothing where there is none."""
        known = self._machines.get(address)
        if known is None and address in self.places:
            known = self._machines[address] = self._machine(self.places[address])
        return known

    def _machine(self, place: Place) -> Machine:
        digest = hashlib.blake2b(f"{self.seed} {place.address}".encode(), digest_size=24).digest()
        site, kind = names()["site"], place.personality
        joined = kind.role in {"workstation", "server"} and digest[16] >= _NOT_JOINED
        booted = _SINCE - int.from_bytes(digest[17:24], "little") % _FORTY_DAYS
        own = place.name.lower()
        return Machine(
            personality=kind,
            name=place.name,
            domain=site["domain"] if joined else site["workgroup"],
            dns_name=f"{own}.{site['dns_domain']}" if joined else own,
            dns_domain=site["dns_domain"] if joined else "",
            dns_forest=site["dns_domain"] if joined else "",
            guid=own.encode("ascii").ljust(16, b"\0")[:16] if kind.samba else digest[:16],
            booted=booted,
            address=place.address,
        )


def _ward(index: int) -> Ward:
    wards = list(names()["wards"].items())
    name, code = wards[index % len(wards)]
    turn = index // len(wards)
    building = _BUILDINGS[(index % len(wards) + turn // _FLOORS) % len(_BUILDINGS)]
    floor = str(turn % _FLOORS)
    subnet = IPv4Network((FIRST_NETWORK + index << 8, 24))
    # A name says where the ward is: the same speciality has several.
    return Ward(f"{name} {building}{floor}", code, building, floor, f"{1000 + index}", subnet)
