"""A small hospital to write down: releases, site file, hosts."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from scanner.addresses import address_of
from scanner.config import load_site
from scanner.inventory import Recorder
from scanner.language import Message
from scanner.model import (
    Attempt,
    Certainty,
    Endpoint,
    HostRecord,
    Identity,
    Observation,
    Outcome,
    Release,
    Role,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from scanner.addresses import Span
    from scanner.config import SiteFile
    from scanner.inventory import Inventory

TODAY = date(2026, 11, 23)
NOON = datetime(2026, 11, 20, 12, 0, 0, 123456, tzinfo=UTC)


def _release(name: str, text: str, product: str, end: date | None, role: Role = Role.CLIENT) -> Release:
    return Release(name, text, product, "Windows", "Microsoft", role, end=end)


RELEASES = {
    each.id: each
    for each in (
        _release("w-xp", "Windows XP SP3", "Windows XP", date(2014, 4, 8)),
        _release("w-pos", "POSReady 2009", "Windows XP", date(2019, 4, 9), Role.EMBEDDED),
        _release("w-2003", "Windows Server 2003", "Windows Server 2003", date(2015, 7, 14), Role.SERVER),
        _release("w-10", "Windows 10 22H2", "Windows 10", date(2025, 10, 14)),
        _release("w-10-l", "Windows 10 LTSC 2021", "Windows 10", date(2027, 1, 12)),
        _release("w-10-i", "Windows 10 IoT 2021", "Windows 10", date(2032, 1, 13), Role.EMBEDDED),
        Release("s-any", "Samba", "Samba", "Linux", "Samba team"),
    )
}

XP = Identity(("w-xp",), Certainty.CERTAIN, (Message("{key} says so", {"key": "smb.native_os"}),))
XP_OR_POS = Identity(("w-pos", "w-xp"), Certainty.PROBABLE)
XP_OR_2003 = Identity(("w-2003", "w-xp"), Certainty.PROBABLE)
TEN = Identity(("w-10", "w-10-i", "w-10-l"), Certainty.CERTAIN, attributes={"family": "Windows"})
LTSC = Identity(("w-10-l",), Certainty.CERTAIN)
SAMBA = Identity(("s-any",), Certainty.CERTAIN)
NOTHING = Identity((), Certainty.HINT)

SITE = """
[site]
name = "CHU"
finess = "000000000"
group = "GHT"
[[ward]]
name = "Cardiologie"
building = "B"
unit = "1234"
owner = "DSI"
vlan = 12
subnets = ["10.20.0.0/24", "10.20.1.0/24"]
[[ward]]
name = "Bloc"
building = "B"
owner = "biomedical"
criticality = "vital"
subnets = ["10.20.1.64/26"]
[[ward]]
name = "Vide"
building = "C"
subnets = ["10.20.9.0/30", "2001:db8::/64"]
[[esu]]
release = "w-10"
until = 2027-10-12
wards = ["Bloc"]
"""


def site_file(folder: Path, text: str = SITE) -> SiteFile:
    path = folder / "site.toml"
    path.write_text(text, encoding="utf-8")
    return load_site(path)


def seen(  # noqa: PLR0913 - an observation has so many parts
    address: str,
    evidence: Mapping[str, tuple[str, ...]] | None = None,
    *,
    outcome: Outcome = Outcome.ANSWERED,
    at: datetime = NOON,
    port: int = 445,
    detail: str = "",
    raw: tuple[bytes, ...] = (),
) -> Observation:
    return Observation(Endpoint(address, port), "smb", at, outcome, evidence or {}, detail, 1, raw)


def host(address: str, ward: str, identity: Identity, *observations: Observation) -> HostRecord:
    named = {"smb.native_os": ("Windows 5.1",), "ntlm.netbios_name": (f"PC-{address.rpartition('.')[2]}",)}
    return HostRecord(address, ward, observations or (seen(address, named),), identity)


def attempt(  # noqa: PLR0913 - an attempt has so many parts
    address: str,
    *,
    at: datetime = NOON,
    probe: str = "smb",
    port: int = 445,
    outcome: Outcome = Outcome.ANSWERED,
    sent: int = 200,
    received: int = 300,
) -> Attempt:
    return Attempt(Endpoint(address, port), probe, at, outcome, sent, received)


def recorder(  # noqa: PLR0913 - so many things differ from scan to scan
    inventory: Inventory,
    site: SiteFile | None,
    *,
    data: str = "d1",
    at: datetime = NOON,
    spans: Sequence[Span] = (),
    resumed: int | None = None,
) -> Recorder:
    return Recorder(
        inventory,
        site,
        profile="clinical",
        scope="all",
        versions={"vetuste": "0.1", "data": data},
        started=at,
        request={"targets": ["all"]},
        digest="ab" * 32,
        spans=spans,
        resumed=resumed,
    )


def record(
    inventory: Inventory,
    site: SiteFile | None,
    hosts: Iterable[HostRecord],
    *,
    asked: Iterable[int] = (),
    data: str = "d1",
) -> int:
    with recorder(inventory, site, data=data) as scan:
        for each in hosts:
            scan.record(each)
        for address in asked:
            scan.sent([attempt(address_of(address))])
            scan.visited(address)
        scan.finish("done", {"hosts": 1}, ended=NOON + timedelta(minutes=5))
    return scan.scan_id
