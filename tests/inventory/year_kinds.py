"""Kinds of machines of the simulated year: what each is made of, and what is made anew with its system."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from tests.inventory.year_machines import DOMAIN, EPOCH, OLD_DOMAIN, Machine

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from random import Random

_MAKERS: Final = ("d4:81:d7", "3c:52:82", "a4:bb:6d", "8c:16:45", "f8:75:a4", "00:0b:cd")
_RADIOS: Final = ("94:e6:f7", "38:ba:f8", "dc:21:48")
_HYPERVISORS: Final = ("00:50:56", "00:15:5d", "52:54:00")
_PRINTERS: Final = ("00:26:73", "9c:93:4e", "00:80:77")
EVERYONES: Final = ("00:50:56:c0:00:08", "0a:00:27:00:00:0b", "00:05:9a:3c:7a:00", "02:00:4c:4f:4f:50")
"""Of adapters that exist in software alone, the same on every machine that has them: those of two
virtualization products, of a VPN client, and of the loopback adapter."""
_WORKGROUPS: Final = ("ADMIN-PC", "PC", "POSTE", "USER-PC", "CONSOLE", "WORKSTATION1")
_VERSIONS: Final = ("10.0.19041", "10.0.19041", "10.0.22621", "10.0.26100", "6.1.7601", "5.1.2600")
_TELLING: Final = ("6.1.7601",)
"""Versions that tell over SMB 2 when they were started; later ones do less often."""


def card(random: Random, makers: tuple[str, ...] = _MAKERS) -> str:
    return ":".join((random.choice(makers), *(f"{random.getrandbits(8):02x}" for _ in range(3))))


def guid(random: Random) -> str:
    return str(UUID(int=random.getrandbits(128), version=4))


def key(random: Random) -> str:
    return f"ssh-ed25519 SHA256:{b64encode(random.randbytes(32)).decode().rstrip('=')}"


def digest(random: Random) -> str:
    return hashlib.sha256(random.randbytes(16)).hexdigest()


def install(machine: Machine, random: Random, at: datetime) -> None:
    """Put a new system on it: what was made when the old one was installed is made anew."""
    if machine.guid:
        machine.guid = guid(random)
    if machine.host_key:
        machine.host_key = key(random)
    certify(machine, random, at)
    machine.booted = at
    if machine.kind in {"desktop", "laptop"}:
        machine.version = random.choice(_VERSIONS[:4])


def certify(machine: Machine, random: Random, at: datetime) -> None:
    """Give it a new certificate, where it has any."""
    if machine.certificate:
        machine.certificate, machine.certified = digest(random), at
        machine.cached.clear()


def made(kind: str, number: int, ward: int, random: Random) -> Machine:
    """A new machine of a kind."""
    machine = Machine(number, kind, ward, [])
    machine.booted = EPOCH + timedelta(seconds=random.randrange(30 * 86400))
    machine.certified = EPOCH - timedelta(days=random.randrange(180))
    _MADE[kind](machine, random)
    return machine


def _desktop(machine: Machine, random: Random) -> None:
    _windows(machine, random, "PC")
    machine.cards = [card(random)]
    machine.presence = random.choice((0.95, 0.9, 0.5, 0.15))
    if random.random() < 0.02:
        machine.odd_card = random.choice(EVERYONES)


def _laptop(machine: Machine, random: Random) -> None:
    _windows(machine, random, "PORTABLE-")
    machine.cards = [card(random, _RADIOS), card(random)]
    machine.presence = random.choice((0.6, 0.3, 0.1))
    machine.passes = random.random() < 0.3
    if random.random() < 0.1:
        machine.odd_card = EVERYONES[2]


def _windows(machine: Machine, random: Random, prefix: str) -> None:
    machine.version = random.choice(_VERSIONS)
    machine.guid, machine.certificate = guid(random), digest(random)
    machine.tells_boot = machine.version in _TELLING or random.random() < 0.2
    machine.speaks = random.choices(
        (
            ("smb", "netbios", "rdp"),
            ("smb", "rdp"),
            ("smb", "netbios"),
            ("rdp",),
            ("netbios",),
            ("rdp", "winrm"),
        ),
        (60, 15, 12, 7, 3, 3),
    )[0]
    chance = random.random()
    if chance < 0.06:
        machine.domain, machine.name = None, random.choice(_WORKGROUPS)
    else:
        machine.domain = OLD_DOMAIN if chance < 0.15 else DOMAIN
        machine.name = named(machine, random, prefix)


def named(machine: Machine, random: Random, prefix: str = "PC") -> str:
    """A name that no other machine has: some longer than NetBIOS allows, alike in its first 15 characters."""
    if random.random() < 0.03:
        return f"{prefix}SECRETARIAT-MED-{machine.number}"
    return (
        f"{prefix}{machine.number:06d}" if random.random() < 0.5 else f"{prefix}{machine.number:06d}".lower()
    )


def _server(machine: Machine, random: Random) -> None:
    _windows(machine, random, "SRV-")
    machine.domain, machine.name = DOMAIN, f"SRV-{machine.number:05d}"
    machine.version = random.choice(("10.0.14393", "10.0.17763", "10.0.20348", "6.3.9600"))
    machine.speaks = random.choice(
        (("smb", "netbios", "rdp", "winrm"), ("smb", "rdp"), ("smb", "netbios", "tls"))
    )
    machine.cards = [card(random) for _ in range(random.choice((1, 1, 2, 3)))]


def _virtual(machine: Machine, random: Random) -> None:
    _server(machine, random)
    machine.cards = [card(random, _HYPERVISORS)]


def _linux(machine: Machine, random: Random) -> None:
    machine.cards, machine.domain = [card(random, (*_MAKERS, *_HYPERVISORS))], None
    machine.name, machine.host_key = f"lx-{machine.number:05d}", key(random)
    machine.certificate = digest(random) if random.random() < 0.4 else ""
    machine.samba = random.random() < 0.2
    if machine.samba:  # its GUID is its name
        machine.guid = str(UUID(bytes_le=machine.name.encode().ljust(16, b"\0")))
    machine.speaks = ("ssh", *(("tls",) if machine.certificate else ()), *(("smb",) if machine.samba else ()))


def _printer(machine: Machine, random: Random) -> None:
    machine.cards, machine.domain, machine.name = [card(random, _PRINTERS)], None, f"NPI{machine.number:06X}"
    machine.certificate = digest(random)
    machine.speaks = random.choice((("snmp", "http", "tls"), ("snmp", "http"), ("http",), ("http", "tls")))


def _modality(machine: Machine, random: Random) -> None:
    """A medical device: half of them say nothing that is their own, or what all of their model say."""
    machine.cards, machine.domain = [card(random)], None
    machine.name, machine.version = (
        random.choice(("CTWS", "XRAY-CONSOLE", f"MOD{machine.number:05d}")),
        "5.1.2600",
    )
    machine.guid, machine.host_key = guid(random), key(random)
    machine.speaks = random.choice(
        (("dicom", "telnet"), ("dicom",), ("dicom", "netbios", "smb"), ("ssh", "tls"))
    )
    machine.certificate = digest(random)


def _mute(machine: Machine, random: Random) -> None:
    machine.cards, machine.speaks = [card(random)], ()
    machine.presence = random.choice((1.0, 0.6))


def _proxy(machine: Machine, random: Random) -> None:
    """It hands what it is asked on to another machine, which answers by its own name."""
    _linux(machine, random)
    machine.certificate, machine.speaks = digest(random), ("tls", "winrm")


def _nat(machine: Machine, random: Random) -> None:
    """Two machines stand behind it, each with one of its ports."""
    machine.cards = [card(random)]
    machine.mimics = [
        made("desktop", machine.number * 10 + number, machine.ward, random) for number in (0, 1)
    ]
    for each in machine.mimics:
        each.speaks, each.version = ("smb", "rdp"), "10.0.19041"


def _tablet(machine: Machine, random: Random) -> None:
    machine.cards, machine.name = [card(random, _RADIOS)], random.choice(("iPad", "iPad-2", "Android"))
    machine.speaks, machine.presence = random.choice((("mdns",), ())), 0.4


_MADE: Final[Mapping[str, Callable[[Machine, Random], None]]] = {
    "desktop": _desktop,
    "laptop": _laptop,
    "server": _server,
    "virtual": _virtual,
    "clone": _virtual,
    "linux": _linux,
    "appliance": _linux,
    "printer": _printer,
    "modality": _modality,
    "mute": _mute,
    "tablet": _tablet,
    "proxy": _proxy,
    "nat": _nat,
}
