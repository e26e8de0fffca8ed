"""What is scored: every answer of the corpus that names a system, as evidence, with what is known of it."""

from __future__ import annotations

import csv
import json
import re
from base64 import b64decode
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from scanner.lifecycle import load_lifecycle
from scanner.probes import ldap, netbios_session, smb, smb1, smb2, telnet
from scanner.probes.der import OCTETS
from tests.fact_ids import our_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from scanner.model import Evidence, Release

RELEASES: Final = load_lifecycle().releases
KEYS: Final[Mapping[str, str]] = {
    "apache_os": "http.server",
    "dhcp_vendor_class": "dhcp.vendor_class",
    "dns.versionbind": "dns.version",
    "hp_pjl_id": "pjl.id",
    "html_title": "http.title",
    "http_header.cookie": "http.cookie",
    "http_header.server": "http.server",
    "http_header.wwwauth": "http.authenticate",
    "imap4.banner": "imap.banner",
    "mysql.banners": "mysql.version",
    "ntp.readvar": "ntp.variables",
    "operating_system.name": "system.name",
    "rsh_resp": "rsh.response",
    "rtsp_header.server": "rtsp.server",
    "sip_header.server": "sip.server",
    "sip_header.user_agent": "sip.user_agent",
    "smtp_noop": "smtp.noop",
    "snmp.sys_description": "snmp.sysdescr",
    "telnet_banners": "telnet.banner",
    "x509.issuer": "tls.issuer",
    "x509.subject": "tls.subject",
}
"""The evidence key of a kind of text, where it has another name."""
AGENTS: Final = "snmp agents"
UNREAD: Final = frozenset({"favicon.md5", "tls.jarm"})
"""Kinds of hashes: they name nothing, and only a list of others' could recognise one."""
_FREE_SUPPORT: Final = ("Debian",)
"""Whose free long-term support the corpus does not count as support, and the product does."""


@dataclass(frozen=True)
class Case:
    """One host or text, and what is known of it; what is empty is not known."""

    kind: str
    label: str
    evidence: Evidence
    vendor: str = ""
    family: str = ""
    product: str = ""
    version: str = ""
    device: str = ""
    """What its hardware is called, where the product is what runs on it: to name either is right."""
    of_maker: bool = False
    """Whether the vendor is the hardware's: its name is then no distribution's."""
    build: str = ""
    """The number of a build of Windows."""
    releases: frozenset[str] = frozenset()
    """Products of which the host runs one."""
    ended: bool | None = None
    """Whether its support has ended; None where nobody says."""
    decoy: bool = False
    """It only imitates: right is whatever is not certain."""

    @property
    def unseen(self) -> bool:
        """Whether it is of the fifth that nobody who writes patterns looks at: by the hash of its text."""
        kind = "snmp.sys_description" if self.kind == AGENTS else self.kind
        text = "\0".join((kind, self.label.partition("\0")[0]))
        return int(sha256(text.encode()).hexdigest(), 16) % 5 == 0


def _listed(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as opened:
        return list(csv.DictReader(opened))


def has_ended(word: str) -> bool | None:
    """Whether support has ended, as the truth of the captures has it; None where it does not say."""
    return {"eol": True, "supported": False}.get(word)


# --- the hosts of the captures


def evidence_of(answers: Iterable[tuple[Mapping[str, Any], bytes]]) -> Evidence:
    """What the probe's own parsers read in recorded answers of one host."""
    found: dict[str, tuple[str, ...]] = {}
    for entry, raw in answers:
        for key, value in _facts(entry, raw).items():
            values = value if isinstance(value, tuple) else (value,)
            if key == "smb.dialect":
                values = max(
                    found.get(key, values), values, key=lambda agreed: (agreed[0][:1].isdigit(), agreed)
                )
            if all(values):
                found[key] = values
    return found


def _facts(entry: Mapping[str, Any], raw: bytes) -> Mapping[str, str | tuple[str, ...]]:
    told = entry.get("ntlm_challenge")
    if entry["kind"] not in {"negotiate", "sessionsetup"}:
        return {"ntlm.version": told["version"]} if told and "version" in told else {}
    body = netbios_session.smb_body(raw)
    if body.startswith(smb2.MAGIC):
        if entry["kind"] == "negotiate":
            agreed = smb2.parse_negotiate(body)
            return {} if agreed.dialect == smb2.WILDCARD else smb.dialect_facts(agreed)
        blob = smb2.parse_session_setup(body).blob
        return smb.challenge_facts(blob) if told else {}
    if entry["kind"] == "negotiate":
        negotiated = smb1.parse_negotiate(body)
        return smb.smb1_facts(negotiated) if negotiated else {}
    setup = smb1.parse_session_setup(body)
    challenge = smb.challenge_facts(setup.blob) if told else {}
    return {**challenge, "smb.native_os": setup.native_os, "smb.native_lm": setup.native_lm}


def hosts(corpus: Path) -> Iterator[Case]:
    """Every host of the captures that answered over SMB, DCE/RPC or RDP, and whose system is known."""
    entries = json.loads((corpus / "smb-replies" / "index.json").read_text(encoding="utf-8"))
    by_host: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for entry in entries:
        by_host.setdefault((entry["pcap"], entry["server_ip"]), []).append(entry)
    for (pcap, address), listed in by_host.items():
        truth = listed[0]["truth"]
        read = ((each, (corpus / "smb-replies" / each["file"]).read_bytes()) for each in listed)
        evidence = evidence_of(read)
        if not evidence or truth["os_family"] == "unknown":
            continue
        label = f"{truth['os_release']} ({pcap.removesuffix('.pcap').rpartition('__')[2]}, {address})"
        family = truth["os_family"] if truth["os_family"] in {"Windows", "macOS"} else "Linux"
        named = truth["os_release"].replace("Windows Code Name", "Windows pre-release")
        products = (release.product for release in RELEASES.values() if named.startswith(release.product))
        product = max(products, key=len, default="")
        yield Case(
            "hosts of captures", label, evidence, family=family, build=truth["build"],
            releases=frozenset({product} - {""}), ended=has_ended(truth["eol_2026_11"]),
        )  # fmt: skip


# --- texts


def strings(facts: Path) -> Iterator[Case]:
    """NativeOS and NativeLanMan as servers send them, with the releases that send them."""
    for row in _listed(facts / "smb_native_os.csv"):
        if row["direction"] != "server" or row["match"] not in {"exact", "decoy"} or "*" in row["native_os"]:
            continue
        said = {"smb.native_os": row["native_os"], "smb.native_lm": row["native_lanman"]}
        evidence = {key: (value,) for key, value in said.items() if value}
        label, decoy = " / ".join(value[0] for value in evidence.values()), row["match"] == "decoy"
        wanted = (our_id(name) for name in row["lifecycle_ids"].split("|") if name)
        products = frozenset(RELEASES[name].product for name in wanted if name in RELEASES)
        family = "Windows" if row["vendor"] == "Microsoft" and not products else ""
        kind = "strings of decoys" if decoy else "strings of servers"
        yield Case(kind, label, evidence, family=family, releases=products, decoy=decoy)


def banners(corpus: Path) -> Iterator[Case]:
    """What other people's collection says of single answers."""
    for row in _listed(corpus / "banners.csv"):
        if row["kind"] in UNREAD:
            continue
        windows = row["os_vendor"] == "Microsoft"  # its versions are service packs here
        ended = None if row["eol_label"].startswith(_FREE_SUPPORT) else has_ended(row["obsolete"])
        yield Case(
            row["kind"], row["banner"], dict(_read(row)), row["os_vendor"] or row["hw_vendor"],
            row["os_family"], row["os_product"] or row["hw_product"], "" if windows else row["os_version"],
            row["hw_product"] if row["os_product"] else "",
            of_maker=bool(row["hw_vendor"]) and row["os_vendor"] in {"", row["hw_vendor"]},
            build=row["os_build"], ended=ended,
        )  # fmt: skip


def _read(row: Mapping[str, str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The evidence that a probe would have made of an answer."""
    raw = b64decode(row["banner"]) if row["encoding"] == "base64" else row["banner"].encode()
    text = raw.decode("latin-1" if row["encoding"] == "base64" else "utf-8")
    if row["kind"] == "ldap.search_result":
        yield from _as_values(ldap.evidence(_attributes(raw)))
    elif row["kind"] == "snmp.sys_object_id":
        number, _, rest = text.partition(" ")
        yield "snmp.sysobjectid", (number,)
        if rest:
            yield "snmp.sysdescr", (rest,)
    elif row["kind"] == "mdns.device-info.txt":
        name, _, value = text.strip().partition("=")
        yield f"mdns.{name}", (value,)
    elif row["kind"] == "telnet_banners":
        course = telnet.Course()
        course.hear(raw)
        yield from _as_values(course.facts())
    else:
        yield KEYS.get(row["kind"], row["kind"]), (" ".join(text.split("\n")).strip(),)


def _as_values(facts: Mapping[str, str | tuple[str, ...]]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for key, value in facts.items():
        if value:
            yield key, value if isinstance(value, tuple) else (value,)


_ATTRIBUTE: Final = re.compile(rb"(?:\x04[\x01-\x40]|\A)([A-Za-z][A-Za-z0-9-]{1,63})\x31(?=[\x00-\x84])")
"""A name, behind its length or cut at the beginning, and the tag of the set of its values."""


def _attributes(raw: bytes) -> dict[str, tuple[bytes, ...]]:
    """The attributes of a directory's answer, of which the collection has a part ([RFC 4511] 4.1.7)."""
    found = {}
    for attribute in _ATTRIBUTE.finditer(raw):
        values, place = [], attribute.end()
        size, place = _length(raw, place)
        end = min(place + size, len(raw))
        while place + 1 < end and raw[place] == OCTETS:
            size, place = _length(raw, place + 1)
            values.append(raw[place : place + size])
            place += size
        name = attribute[1].decode()
        cut = [asked for asked in ldap.ASKED if not attribute.start() and asked.endswith(name)]
        found[cut[0] if cut else name] = tuple(values)
    return {name.lower(): values for name, values in found.items()}


def _length(raw: bytes, place: int) -> tuple[int, int]:
    """A length of BER, and where it ends ([X.690] 8.1.3)."""
    first = raw[place]
    more = first & 0x7F if first & 0x80 else 0
    return (int.from_bytes(raw[place + 1 : place + 1 + more]) if more else first), place + 1 + more


def agents(corpus: Path) -> Iterator[Case]:
    """What SNMP agents of others' test data say."""
    for row in _listed(corpus / "snmp_sysdescr.csv"):
        evidence = {"snmp.sysdescr": row["sysdescr"], "snmp.sysobjectid": row["sysobjectid"]}
        family = _FAMILIES.get(row["expected_os"], "")
        # The collection reads models and versions elsewhere too: they count where the description has them.
        # What it calls the version of a Linux is the kernel's.
        kernel = family == "Windows" or row["sysdescr"].startswith("Linux ")
        product, version = (
            row[name] if row[name] and row[name] in row["sysdescr"] and not left_out else ""
            for name, left_out in (("expected_hardware", family == "Windows"), ("expected_version", kernel))
        )
        yield Case(
            AGENTS, row["sysdescr"] + "\0" + row["sysobjectid"],
            {key: (value,) for key, value in evidence.items() if value},
            family=family, product=product, version=version, ended=has_ended(row["eol_2026_11"]),
        )  # fmt: skip


_FAMILIES: Final = {
    "windows": "Windows", "Windows Server 2003": "Windows", "linux": "Linux", "openbsd": "OpenBSD",
    "slackware": "Linux", "truenas": "FreeBSD", "vmware-esxi": "ESXi",
}  # fmt: skip
"""The family of the systems that the collection has a short name for."""


def every(corpus: Path, facts: Path) -> list[Case]:
    """Each host, and each distinct text, once."""
    found: dict[tuple[str, str], Case] = {}
    for case in (*hosts(corpus), *strings(facts), *banners(corpus), *agents(corpus)):
        found.setdefault((case.kind, case.label), case)
    return list(found.values())


def is_built(release: Release, number: str) -> bool:
    """Whether a release has a build of this number."""
    short = number.rpartition(".")[2]
    return any(build.rpartition(".")[2] == short for build in (*release.builds, *release.ntlm_builds))
