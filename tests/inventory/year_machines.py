"""The machines of the simulated year, and what each says of itself, protocol by protocol.

Values have the form that the probes give them. What machines share in truth they share here: clones their
GUID and keys, appliances of one model the maker's keys, hosts with one virtualization product the address of
its adapter, machines outside of any domain the names that somebody gave them all.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from scanner.model import Evidence

Voice: TypeAlias = "Mapping[str, Evidence]"
"""By probe: what a machine says of itself."""

DOMAIN: Final = ("CHU", "chu.example")
OLD_DOMAIN: Final = ("HOPITAL-SUD", "sud.example")
"""NetBIOS and DNS name of a domain; the old one is left in the course of the year."""
PORTS: Final = {
    "smb": 445, "netbios": 137, "rdp": 3389, "winrm": 5985, "ssh": 22, "http": 80, "tls": 443, "snmp": 161,
    "dicom": 104, "telnet": 23, "mdns": 5353, "look": 445,
}  # fmt: skip
DATAGRAMS: Final = frozenset({"netbios", "snmp", "mdns"})

EPOCH: Final = datetime(2025, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Machine:
    """One machine: its hardware. Whatever is installed on it, it stays itself."""

    number: int
    kind: str
    ward: int
    cards: list[str]
    name: str = ""
    domain: tuple[str, str] | None = DOMAIN
    """None: a workgroup's."""
    guid: str = ""
    certificate: str = ""
    certified: datetime = EPOCH
    host_key: str = ""
    version: str = ""
    speaks: tuple[str, ...] = ()
    tells_boot: bool = False
    booted: datetime = EPOCH
    presence: float = 1.0
    """How often it is on at night."""
    addresses: list[str] = field(default_factory=list)
    """Those that never change; empty where it asks a DHCP server."""
    odd_card: str = ""
    """An adapter of software alone, whose address it tells over NetBIOS."""
    passes: bool = True
    """Whether docks show its own address in place of theirs."""
    samba: bool = False
    group: int = -1
    """Of clones, and of appliances of one model."""
    changes: list[str] = field(default_factory=list)
    """What happened to it, for people."""
    retired: bool = False
    subject: str = ""
    """Whom its certificate names, where that is not itself."""
    mimics: list[Machine] = field(default_factory=list)
    """Machines that answer through it."""
    cached: dict[str, Voice] = field(default_factory=dict)

    @property
    def fqdn(self) -> str:
        return f"{self.name}.{self.domain[1]}".lower() if self.domain else self.name

    @property
    def netbios(self) -> str:
        """At most 15 characters of the name ([MS-NBTE] 2.2.1)."""
        return self.name.upper()[:15]

    def changed(self, night: int, what: str) -> None:
        self.changes.append(f"night {night}: {what}")
        self.cached.clear()

    def voice(self, card: str) -> Voice:
        """What it says while this card is the one that it speaks through."""
        if card not in self.cached and self.kind == "nat":
            first, second = self.mimics
            self.cached[card] = {"smb": first.voice("")["smb"], "rdp": second.voice("")["rdp"]}
        elif card not in self.cached:
            makers = {probe: _SAYS[probe] for probe in self.speaks}
            self.cached[card] = {probe: _clean(says(self, card)) for probe, says in makers.items()}
        return self.cached[card]


def _ntlm(machine: Machine) -> dict[str, str]:
    """[MS-NLMP] 2.2.2.1: outside of a domain a machine's own name stands where the domain's would."""
    if not machine.version:
        return {}
    domain, suffix = machine.domain or (machine.netbios, machine.name)
    return {
        "ntlm.netbios_domain": domain,
        "ntlm.netbios_name": machine.netbios,
        "ntlm.dns_domain": suffix,
        "ntlm.dns_name": machine.fqdn,
        "ntlm.dns_forest": suffix if machine.domain else "",
        "ntlm.challenge": "versioned",
        "ntlm.version": machine.version,
    }


def _smb(machine: Machine, _card: str) -> dict[str, str]:
    if machine.version.startswith("5."):
        told = {
            "smb.native_os": "Windows 5.1",
            "smb.native_lm": "Windows 2000 LAN Manager",
            "smb.dialect": "NT LM 0.12",
        }
    else:
        booted = machine.booted.isoformat(timespec="seconds").replace("+00:00", "Z")
        told = {
            "smb.dialect": "3.1.1",
            "smb.smb1": "no",
            "smb.boot_time": booted if machine.tells_boot else "",
        }
    names = (
        {
            "ntlm.netbios_domain": machine.netbios,
            "ntlm.netbios_name": machine.netbios,
            "ntlm.version": "6.1.0",
        }
        if machine.samba
        else _ntlm(machine)
    )
    return {**told, "smb.server_guid": machine.guid, **names}


def _netbios(machine: Machine, card: str) -> dict[str, str]:
    return {
        "netbios.name": machine.netbios,
        "netbios.domain": machine.domain[0] if machine.domain else "WORKGROUP",
        "netbios.mac": machine.odd_card or card,
        "netbios.services": "file-server",
    }


def _certificate(machine: Machine) -> dict[str, str]:
    name = machine.subject or machine.fqdn
    since, until = machine.certified, machine.certified + timedelta(days=183)
    return {
        "tls.subject": f"CN={name}",
        "tls.issuer": f"CN={name}",
        "tls.not_before": since.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "tls.not_after": until.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "tls.key": "RSA 2048",
        "tls.signature": "RSA with SHA-256",
        "tls.certificate": machine.certificate,
    }


def _rdp(machine: Machine, _card: str) -> dict[str, str]:
    if machine.version.startswith("5."):
        return {"rdp.negotiation": "none", "rdp.nla": "no", "rdp.confirm": "0300000b06d00000123400"}
    told = {"rdp.negotiation": "hybrid-ex", "rdp.nla": "required", "rdp.tls": "TLS 1.2"}
    return {**told, **_certificate(machine), **_ntlm(machine)}


def _snmp(machine: Machine, _card: str) -> dict[str, str]:
    shared = machine.number % 4 == 0  # one maker's agents all have the same engine
    engine = "8000000b03" + ("000000000000" if shared else machine.cards[0].replace(":", ""))
    told = {"snmp.sysdescr": "JETDIRECT,FN:V4.32", "snmp.sysname": machine.name, "snmp.enterprise": "11"}
    return {**told, "snmp.engine_id": engine, "snmp.engine_boots": "3"}


_SAYS: Final[Mapping[str, Callable[[Machine, str], dict[str, str]]]] = {
    "smb": _smb,
    "netbios": _netbios,
    "rdp": _rdp,
    "winrm": lambda machine, _: {
        "http.server": "Microsoft-HTTPAPI/2.0",
        **_ntlm((machine.mimics or [machine])[0]),
    },
    "ssh": lambda machine, _: {"ssh.banner": "OpenSSH_8.9p1", "ssh.hostkey": machine.host_key},
    "http": lambda _, __: {
        "http.server": "Virata-EmWeb/R6_2_1",
        "http.title": "Status",
        "http.status": "200",
    },
    "tls": lambda machine, _: {"tls.version": "TLS 1.2", **_certificate(machine)},
    "snmp": _snmp,
    "dicom": lambda _, __: {"dicom.result": "accepted", "dicom.class_uid": "1.2.276.0.7230010.3.0.3.6.4"},
    "telnet": lambda _, __: {"telnet.banner": "VxWorks login:"},
    "mdns": lambda machine, _: {"mdns.hostname": f"{machine.name}.local", "mdns.model": "J105aAP"},
}


def _clean(told: Mapping[str, str]) -> Evidence:
    return {key: (value,) for key, value in told.items() if value}
