"""Random site files and requests, and the rules of the design (section 5) once more, in other arithmetic.

Everything here is decided with :mod:`ipaddress`, one address at a time; nothing of the product is asked.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from ipaddress import IPv4Network, ip_address, ip_network
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable, Sequence
    from ipaddress import IPv4Address, IPv6Address, IPv6Network

    Network: TypeAlias = IPv4Network | IPv6Network
    Address: TypeAlias = IPv4Address | IPv6Address

GENTLENESS = ("clinical", "office", "lab")
CLINICAL = {("tcp", 445), ("tcp", 139), ("udp", 137), ("tcp", 3389)}
REFUSED = {
    *(9100, 9101, 9102, 9103, 9104, 9105, 9106, 9107, 9999, 515, 631, 104, 11112, 4242, 2575),
    *(102, 502, 2404, 20000, 44818, 47808),
}
CONNECTIONS = {"clinical": 4, "office": 24, "lab": 64}
PRIVATE = [
    ip_network(text)
    for text in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "127.0.0.0/8"),
        *("fe80::/10", "fc00::/7", "::1/128"),
    )
]
NOBODYS = [ip_network(text) for text in ("0.0.0.0/8", "224.0.0.0/3", "ff00::/8")]
GROUND = IPv4Network("10.77.0.0/24")
"""Where most of it happens; every address of it is tried."""
ELSEWHERE = ("10.77.9.0/29", "203.0.113.0/29", "fd00:77::/125", "2001:db8::/125", "127.0.0.0/30")
STRAYS = tuple(
    map(ip_address, ("8.8.8.8", "0.0.0.1", "224.0.0.5", "255.255.255.255", "10.78.0.1", "::1", "ff02::1"))
)
PORTS: tuple[dict[str, list[int]], ...] = (
    {},
    {},
    {"smb": [445, 139]},
    {"smb": [1445]},
    {"smb": [9100, 139]},
    {"ipp": [9100]},
    {"dicom": [4242, 80]},
)
HELD: tuple[tuple[str, ...] | None, ...] = (
    *(None, None, None),
    ("smb", "rdp"),
    ("netbios", "ipp", "dicom"),
    ("smb", "netbios", "ipp"),
)
"""What is said of the probes that may be held at all."""
HELD_ON_THE_WIRE = (("smb",), ("smb", "rdp"), ("netbios", "smb"), ("netbios", "rdp", "smb"))
_HOUR = datetime.now(UTC).hour
OPEN, CLOSED = (
    f"{(_HOUR + first) % 24:02}:00-{(_HOUR + last) % 24:02}:00 UTC" for first, last in ((-3, 4), (6, 9))
)
"""Hours around the present one, and others: not even a slow test comes near their ends."""


@dataclass(frozen=True)
class Probed:
    """What of a probe the rules speak of."""

    name: str
    transport: str
    ports: tuple[int, ...]
    needs: tuple[str, ...] = ()


PROBES = (
    Probed("smb", "tcp", (445, 139)),
    Probed("netbios", "udp", (137,)),
    Probed("rdp", "tcp", (3389,)),
    Probed("ipp", "tcp", (631, 515, 80)),
    Probed("dicom", "tcp", (104, 11112), needs=("ae_title",)),
)


@dataclass(frozen=True)
class Ward:
    """One ward of the file."""

    name: str
    subnets: tuple[Network, ...]
    passive: bool
    lab: bool
    profile: str | None
    window: str | None
    ports: dict[str, list[int]]
    probes: tuple[str, ...] | None


@dataclass(frozen=True)
class Case:
    """A site file, a request, and what earlier scans left."""

    wards: tuple[Ward, ...]
    profile: str
    window: str | None
    exclude: tuple[Network, ...]
    ports: dict[str, list[int]]
    probes: tuple[str, ...] | None
    ae_title: str
    signed: bool
    targets: tuple[str, ...]
    without: tuple[Network, ...]
    """``--exclude``."""
    asked_profile: str | None
    only_ports: tuple[int, ...] | None
    allow_public: bool
    stopped: tuple[Network, ...]
    fragile: tuple[Address, ...]

    @property
    def text(self) -> str:
        """The site file."""
        lines = ["[site]", 'name = "Random"', f"signed = {json.dumps(self.signed)}"]
        lines += ["[policy]", f'profile = "{self.profile}"', f"exclude = {_listed(self.exclude)}"]
        lines += [f'window = "{self.window}"'] * bool(self.window)
        lines += [f"probes = {_listed(self.probes or ())}"] * (self.probes is not None)
        lines += ["[dicom]", f'ae_title = "{self.ae_title}"'] * bool(self.ae_title)
        if self.signed:
            lines += ["[signing]", 'roles = ["biomedical"]', 'allowed_signers = "allowed_signers"']
        lines += ["[ports]", *(f"{probe} = {ports}" for probe, ports in self.ports.items())]
        for ward in self.wards:
            lines += ["[[ward]]", f'name = "{ward.name}"', f"subnets = {_listed(ward.subnets)}"]
            lines += [f"passive_only = {json.dumps(ward.passive)}", f"lab = {json.dumps(ward.lab)}"]
            lines += [f'profile = "{ward.profile}"'] * bool(ward.profile)
            lines += [f'window = "{ward.window}"'] * bool(ward.window)
            lines += [f"probes = {_listed(ward.probes or ())}"] * (ward.probes is not None)
            lines += [f"ports.{probe} = {ports}" for probe, ports in ward.ports.items()]
        return "\n".join(lines) + "\n"

    @cached_property
    def universe(self) -> tuple[Address, ...]:
        """Every address that is tried."""
        near = [*GROUND, *(each for text in ELSEWHERE for each in ip_network(text))]
        return (*near, *STRAYS)

    def ward_of(self, address: Address) -> Ward | None:
        """The ward of the smallest subnet that holds the address."""
        holding = [
            (subnet.prefixlen, ward) for ward in self.wards for subnet in ward.subnets if address in subnet
        ]
        return max(holding, key=lambda pair: pair[0])[1] if holding else None

    def may_touch(self, address: Address) -> bool:
        """Whether anything may ever be sent to an address."""
        if self.ward_of(address) is None or _inside(address, NOBODYS):
            return False
        if not self.allow_public and not _inside(address, PRIVATE):
            return False
        if any(ward.passive and _inside(address, ward.subnets) for ward in self.wards):
            return False
        return not _inside(address, (*self.exclude, *self.without, *self.stopped)) and (
            address not in self.fragile
        )

    def profile_of(self, address: Address) -> str:
        """The gentlest of what the operator, the policy, the ward say; a signature binds the operator."""
        ward = self.ward_of(address)
        assert ward is not None
        names = [self.asked_profile or self.profile, *([ward.profile] if ward.profile else [])]
        if self.signed:
            names.append(self.profile)
        return min(names, key=GENTLENESS.index)

    def is_open(self, address: Address) -> bool:
        """Whether its ward's hours let anything be sent."""
        ward = self.ward_of(address)
        assert ward is not None
        return (ward.window or self.window) != CLOSED

    def ports_of(self, address: Address, probe: Probed) -> set[tuple[int, int]]:
        """Where a probe may be held on this host: the port, and the one that it stands for."""
        ward = self.ward_of(address)
        assert ward is not None
        held = ward.probes or self.probes
        if (held is not None and probe.name not in held) or (probe.needs and not self.ae_title):
            return set()
        named = (self.ports | ward.ports).get(probe.name)
        pairs = list(zip(named or probe.ports, probe.ports, strict=False))
        if named is None:
            pairs = [(port, service) for port, service in pairs if port not in REFUSED]
        if self.only_ports is not None:
            pairs = [(port, service) for port, service in pairs if port in self.only_ports]
        if self.profile_of(address) == "clinical":
            pairs = [pair for pair in pairs if (probe.transport, pair[1]) in CLINICAL]
        return set(pairs)


def is_public(address: Address) -> bool:
    """Whether an address belongs to the whole world."""
    return not _inside(address, PRIVATE)


def _listed(networks: Iterable[object]) -> str:
    return json.dumps([str(network) for network in networks])


def _inside(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)


def case(chance: random.Random, ground: IPv4Network = GROUND, *, wire: bool = False) -> Case:
    """A random one; for the wire, with nothing in it that needs more than one cable and a few seconds."""
    wards = tuple(_wards(chance, ground, wire=wire))
    every = [subnet for ward in wards for subnet in ward.subnets]
    policy = chance.choice(("clinical", *["office"] * 6, "lab"))
    return Case(
        wards,
        "office" if wire else policy,
        None if wire else chance.choice((None, None, None, OPEN, CLOSED)),
        tuple(_network(chance, ground, 26, 32) for _ in range(chance.randrange(3))),
        chance.choice(PORTS),
        chance.choice(HELD_ON_THE_WIRE if wire else HELD),
        chance.choice(("", "ARCHIVE")),
        signed=not wire and chance.random() < 0.1,
        targets=_targets(chance, ground, wards, wire=wire),
        without=tuple(_network(chance, ground, 28, 32) for _ in range(chance.randrange(2))),
        asked_profile=chance.choice((*[None] * 6, *GENTLENESS[: 2 if wire else 3])),
        only_ports=chance.choice((None, None, None, (445,), (139, 1445), (9100, 445))),
        allow_public=not wire and chance.random() < 0.3,
        stopped=tuple(chance.sample(every, min(len(every), chance.choice((0, 0, 1))))),
        fragile=tuple(chance.choice(list(ground)) for _ in range(chance.randrange(6))),
    )


def _network(chance: random.Random, ground: IPv4Network, shortest: int, longest: int) -> IPv4Network:
    prefix = chance.randint(shortest, longest)
    return IPv4Network((int(chance.choice(list(ground))), prefix), strict=False)


def _wards(chance: random.Random, ground: IPv4Network, *, wire: bool) -> list[Ward]:
    taken: set[Network] = set()
    wards = []
    for number in range(1, chance.randint(2, 6)):
        subnets: list[Network] = []
        for _ in range(chance.randint(1, 3)):
            subnet: Network = _network(chance, ground, ground.prefixlen + 1, 30)
            if not wire and chance.random() < 0.15:
                subnet = ip_network(chance.choice(ELSEWHERE))
            apart = not any(subnet.version == other.version and subnet.overlaps(other) for other in subnets)
            if apart and subnet not in taken:
                subnets.append(subnet)
                taken.add(subnet)
        if subnets:
            wards.append(_ward(chance, f"Ward {number}", tuple(subnets), wire=wire))
    return wards


def _ward(chance: random.Random, name: str, subnets: tuple[Network, ...], *, wire: bool) -> Ward:
    lab = chance.random() < 0.4
    profiles = (None, None, "clinical", "office", *(("lab",) if lab else ()))
    return Ward(
        name,
        subnets,
        chance.random() < 0.25,
        lab,
        chance.choice(profiles),
        None if wire else chance.choice((None, None, None, OPEN, CLOSED)),
        chance.choice(PORTS),
        chance.choice((None, None, *(HELD_ON_THE_WIRE if wire else HELD))),
    )


def _targets(
    chance: random.Random, ground: IPv4Network, wards: Sequence[Ward], *, wire: bool
) -> tuple[str, ...]:
    if wire or chance.random() < 0.5:
        return ()
    names = [ward.name for ward in wards]
    subnets = [str(subnet) for ward in wards for subnet in ward.subnets]
    strays = [str(_network(chance, ground, 28, 32)), str(chance.choice(STRAYS))]
    return tuple(chance.sample([*names, *names, *subnets, *strays], chance.randint(1, 2)))
