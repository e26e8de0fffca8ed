"""Inventories of one scan each, made as the product makes them, and what is carried from one to another."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from scanner.addresses import number_of
from scanner.bundles import end, key_of, read_bundle, take, write_bundle
from scanner.classify import default_classifier
from scanner.inventory import Inventory, Recorder
from scanner.inventory.beside import united
from scanner.language import Message
from scanner.model import Attempt, Endpoint, HostRecord, Observation, Outcome, Transport, Trip
from tests.inventory.hospital import NOON, SITE, site_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from scanner.bundles import Bundle, Taken
    from scanner.config import SiteFile

XP = {"smb.native_os": ("Windows 5.1",), "ntlm.version": ("5.1.2600",)}
SEVEN = {"smb.native_os": ("Windows 7 Professional 7601 Service Pack 1",), "ntlm.version": ("6.1.7601",)}
REASON = Message("what it had said by then settles its verdict: {status}", {"status": "unsupported"})
OWN_SITE = SITE.replace('release = "w-10"', 'release = "windows-10-22h2"')


def seen(
    address: str,
    evidence: Mapping[str, tuple[str, ...]],
    at: datetime = NOON,
    *,
    port: int = 445,
    raw: tuple[bytes, ...] = (),
) -> Observation:
    end = Endpoint(address, port, Transport.TCP if port else Transport.LINK)
    outcome = Outcome.ANSWERED if evidence else Outcome.REFUSED
    return Observation(end, "smb", at, outcome, evidence, "", 1, raw)


def host(address: str, ward: str, *observations: Observation) -> HostRecord:
    identity = default_classifier().classify(united(observations))
    return HostRecord(address, ward, observations, identity, {"rdp": REASON})


def ours(folder: Path) -> SiteFile:
    return site_file(folder, OWN_SITE)


def scan(  # noqa: PLR0913 - so many things differ from scan to scan
    inventory: Inventory,
    site: SiteFile | None,
    hosts: list[HostRecord],
    *,
    at: datetime = NOON,
    profile: str = "clinical",
    state: str = "done",
) -> int:
    """A scan of these hosts, with everything that scans leave behind."""
    request = {"targets": ["all"]} if profile != "import" else {"import": "nmap"}
    first = number_of("10.20.0.0")
    with Recorder(
        inventory,
        site,
        profile=profile,
        scope="tout le site",
        versions={"data": default_classifier().version, "vetuste": "1"},
        started=at,
        request=request,
        digest="ab" * 32,
        spans=[(first, first + 511)] if profile != "import" else (),
    ) as recorder:
        for each in hosts:
            recorder.record(each)
        if profile != "import":
            asked = [*dict.fromkeys(each.address for each in hosts), "10.20.1.99", "2001:db8::7"]
            for place, address in enumerate(asked):
                moment = at + timedelta(milliseconds=10 * place)
                recorder.sent([Attempt(Endpoint(address, 445), "smb", moment, Outcome.ANSWERED, 5, place)])
                recorder.visited(number_of(address))
        recorder.finish(state, {"seen": len(hosts)}, ended=at + timedelta(minutes=5))
    return recorder.scan_id


def stopped(at: datetime = NOON) -> Trip:
    cause = Message("{fallen} of {asked} hosts fell silent", {"fallen": "2", "asked": "5"})
    return Trip("10.20.0.0/24", "Cardiologie", at, cause, ("10.20.0.5", "10.20.0.6"))


def ward(at: datetime = NOON) -> list[HostRecord]:
    """Machines of several kinds: named, nameless, refusing, of IPv6, at two addresses, met twice."""
    named = {**XP, "ntlm.netbios_name": ("PC-5",), "ntlm.netbios_domain": ("CHU",)}
    server = {**SEVEN, "ntlm.dns_name": ("srv.chu.example",), "smb.server_guid": ("ab" * 16,)}
    return [
        host("10.20.0.5", "Cardiologie", seen("10.20.0.5", named, at, raw=(b"\xffSMB", b""))),
        host("10.20.0.6", "Cardiologie", seen("10.20.0.6", {}, at)),
        host("10.20.1.70", "Bloc", seen("10.20.1.70", server, at), seen("10.20.1.70", {}, at, port=139)),
        host("10.20.1.71", "Bloc", seen("10.20.1.71", server, at + timedelta(seconds=1))),
        host("2001:db8::7", "Vide", seen("2001:db8::7", {"ssh.banner": ("SSH-2.0-OpenSSH_6.0p1",)}, at)),
        host(
            "10.20.0.7",
            "Cardiologie",
            seen("10.20.0.7", {"neighbour.mac": ("00:1b:78:00:00:01",)}, at, port=0),
        ),
    ]


def carried(inventory: Inventory, number: int) -> io.BytesIO:
    """The bundle of a scan."""
    stream = io.BytesIO()
    write_bundle(inventory, number, stream)
    return stream


def opened(inventory: Inventory, number: int) -> Bundle:
    return read_bundle(carried(inventory, number))


def bring(centre: Inventory, bundle: Bundle, site: SiteFile | None = None) -> Taken:
    """Import it as the command does."""
    head, classifier = bundle.head, default_classifier()
    taken = take(centre, bundle, site, classifier, key=key_of(head))
    if not taken.already:
        end(centre, taken.scan, head.state, head.counts, classifier, ended=head.ended)
    return taken


__all__ = ["NOON", "UTC", "bring", "carried", "host", "opened", "ours", "scan", "seen", "stopped", "ward"]
