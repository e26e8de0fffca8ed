"""What was gathered of answers, asked of the classifier: it must not say otherwise."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Final

import pytest

from scanner.classify import default_classifier
from scanner.lifecycle import load_lifecycle
from scanner.model import Role
from tests.corpus import FACTS
from tests.fact_ids import our_id

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Fact = dict[str, str]
RELEASES: Final = load_lifecycle().releases

_FIRST_10: Final = 10240
_VERSIONS: Final = {
    "5.1": "5.1.2600", "5.2": "5.2.3790", "6.0": "6.0.6002", "6.1": "6.1.7601", "6.2": "6.2.9200",
    "6.3": "6.3.9600", "10.0": "10.0.19041",
}  # fmt: skip
"""A build for each version that a fact names without one."""
_DIALECTS: Final = {"0x0202": "2.0.2", "0x0210": "2.1", "0x0300": "3.0", "0x0302": "3.0.2", "0x0311": "3.1.1"}
_CONTEXTS: Final = {
    "SMB2_COMPRESSION_CAPABILITIES": "compression",
    "SMB2_TRANSPORT_CAPABILITIES": "transport",
    "SMB2_SIGNING_CAPABILITIES or SMB2_RDMA_TRANSFORM_CAPABILITIES": "signing",
}
_PROTOCOLS: Final = {0: "rdp", 1: "tls", 2: "hybrid", 4: "rdstls", 8: "hybrid-ex", 16: "rdsaad"}


def _ntlm(build: str) -> str:
    """A build with the version that it belongs to; 0 is Samba's."""
    if int(build) >= _FIRST_10:
        return f"10.0.{build}"
    known = ("6.0.6001", "6.1.7600", *_VERSIONS.values())
    return next((each for each in known if each.endswith(f".{build}")), f"6.1.{build}")


def _description(value: str) -> str:
    if value.startswith("Software: "):
        return f"Hardware: x86 Family 6 Model 15 Stepping 11 AT/AT COMPATIBLE - {value} Multiprocessor Free)"
    if value.startswith("Darwin"):
        number = value.rpartition(" ")[2] + "8.0"
        return f"Darwin host {number} Darwin Kernel Version {number}: Wed Jul 15 16:55:01 PDT 2009; root:xnu"
    return f"{value}5.0 (Build 1400)" if value.startswith("Microsoft Windows CE") else value


def _smtp(value: str) -> str:
    if "5.5.1877" in value:
        return f"Microsoft SMTP MAIL ready at Sun, 29 Jul 2001 22:58:46 -0400 {value}197.19"
    if "Internet Mail" in value:
        return f"ESMTP Server ({value.strip('(')}1457.7) ready"
    if value.startswith("Version: "):
        return f"Microsoft ESMTP MAIL Service, {value} ready at Sun, 29 Jul 2001 22:58:46 -0400"
    return f"{value}{'1830 ready at' if value.endswith('.') else ''} Sun, 29 Jul 2001 22:58:46 -0400"


def _numbered(value: str) -> str:
    """A greeting that goes on with the rest of its version."""
    return f"{value}2654.50" if value[-2].isdigit() and value.endswith(".") else value


def _ssh(value: str) -> str:
    """A software that goes on with its version, a package that goes on with its revision."""
    return value + ("1.0" * value.endswith("_") or "3" * value.endswith("ubuntu"))


def _sql_server(value: str) -> str:
    """A version, without the zeros that a pre-login does not have; of a build that is no service pack's."""
    return ".".join(str(int(part)) for part in value.split(".")) + ".1.0"


KEYS: Final[Mapping[tuple[str, str, str], tuple[str, Callable[[str], str]]]] = {
    ("ntlmssp", "challenge.Version major.minor", "exact"): ("ntlm.version", lambda value: _VERSIONS[value]),
    ("ntlmssp", "challenge.Version.build", "exact"): ("ntlm.version", _ntlm),
    ("ntlmssp", "challenge.Version", "exact"): ("ntlm.version", lambda value: value.split(" ")[0]),
    ("ntlmssp", "challenge.Version", "bytes"): ("ntlm.version", lambda _: "255.255.65535"),
    ("ntlmssp", "challenge.Version present", "flag"): ("ntlm.challenge", lambda _: "unversioned"),
    ("smb1", "negotiate.MaxBufferSize", "exact"): ("smb.max_buffer", str),
    ("smb2", "negotiate.DialectRevision (highest)", "exact"): ("smb.dialect", lambda value: _DIALECTS[value]),
    ("smb2", "negotiate.NegotiateContext", "present"): ("smb2.contexts", lambda value: _CONTEXTS[value]),
    ("rdp", "X.224 Connection Confirm", "no_rdpNegData"): ("rdp.confirm", lambda _: "0300000b06d00000123400"),
    ("rdp", "X.224 Connection Confirm", "bytes"): ("rdp.confirm", lambda value: value.replace(" ", "")),
    ("rdp", "RDP_NEG_RSP.selectedProtocol", "exact"): (
        "rdp.negotiation",
        lambda value: _PROTOCOLS[int(value.split(" ")[0], 16)],
    ),
    ("rdp", "RDP_NEG_RSP.flags", "bit"): (
        "rdp.flags",
        lambda value: value.split(" ", 1)[1].replace(" ", "-"),
    ),
    ("rdp", "tls.version", "supports"): ("rdp.tls", str),
    ("snmp", "sysDescr", "contains"): ("snmp.sysdescr", _description),
    ("snmp", "sysDescr", "prefix"): ("snmp.sysdescr", _description),
    ("snmp", "sysObjectID", "exact"): ("snmp.sysobjectid", str),
    ("http", "Server", "exact"): ("http.server", str),
    ("ftp", "220 banner", "contains"): ("ftp.banner", lambda value: f"{value}."),
    ("smtp", "220 banner", "contains"): ("smtp.banner", _smtp),
    ("pop3", "+OK banner", "prefix"): ("pop3.banner", _numbered),
    ("imap", "* OK banner", "prefix"): ("imap.banner", _numbered),
    ("telnet", "banner", "contains"): ("telnet.banner", _numbered),
    ("mssql", "prelogin VERSION | browser Version", "prefix"): ("mssql.version", _sql_server),
    ("ssh", "identification", "exact"): ("ssh.banner", _ssh),
    ("ssh", "identification", "prefix"): ("ssh.banner", _ssh),
    ("ldap", "rootDSE.domainControllerFunctionality", "exact"): ("ldap.functionality", str),
    ("ldap", "rootDSE.supportedCapabilities", "contains"): ("ldap.capabilities", str),
}
"""The evidence that a row is about, and its value in the form of a whole answer."""
_LIMITS: Final = ("smb.max_mpx", "smb.max_buffer", "smb.capabilities")
_TUPLE: Final = ("smb1", "negotiate.(MaxMpx,MaxBufferSize,Capabilities)", "tuple")
_OURS: Final = frozenset({"ntlmssp", "smb1", "smb2", "rdp", "mssql", "ldap"})


def _kind(fact: Fact) -> tuple[str, str, str]:
    return fact["protocol"], fact["field"], fact["match"]


def _evidence(fact: Fact) -> dict[str, tuple[str, ...]]:
    if _kind(fact) == _TUPLE:
        return {key: (said,) for key, said in zip(_LIMITS, fact["value"].split(","), strict=True) if said}
    key, whole = KEYS[_kind(fact)]
    return {key: (whole(fact["value"]),)}


def _rows() -> list[Fact]:
    if FACTS is None:
        return []
    with (FACTS / "banners.csv").open(newline="", encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if _kind(row) in KEYS or _kind(row) == _TUPLE]


ROWS: Final = _rows()


@pytest.mark.parametrize("fact", ROWS, ids=lambda row: row["id"])
def test_the_candidates_are_those_of_the_facts(fact: Fact) -> None:
    """Systems and services apart: an answer of IIS may be taken for a word on Windows alone."""
    candidates = set(default_classifier().classify(_evidence(fact)).candidates)
    listed = {our_id(name) for name in fact["lifecycle_ids"].split("|")} & RELEASES.keys()
    services = {name for name in RELEASES if RELEASES[name].role == Role.SERVICE}
    systems = RELEASES.keys() - services
    for told, wanted in ((candidates & layer, listed & layer) for layer in (systems, services)):
        if told and wanted:
            assert told & wanted
            assert fact["strength"] != "strong" or wanted <= told
    if fact["strength"] == "strong" and listed - services:
        assert candidates
    if fact["role_hint"] and candidates and fact["strength"] == "strong":
        assert fact["role_hint"] in {RELEASES[name].role for name in candidates}


@pytest.mark.parametrize(
    "fact",
    [row for row in ROWS if row["protocol"] in _OURS and row["strength"] in {"strong", "medium"}],
    ids=lambda row: row["id"],
)
def test_a_telling_answer_is_recognised(fact: Fact) -> None:
    told = {step.key for step in default_classifier().proof(_evidence(fact)) if step.fingerprint}
    assert told or fact["id"] in UNTOLD


UNTOLD: Final = {
    "rdp-003": "standard security is what anyone may be set to",
}
"""Answers that nothing is made of, and why."""


@pytest.mark.parametrize(
    "fact",
    [row for row in ROWS if row["protocol"] == "snmp" and row["build_or_version"].isdigit()],
    ids=lambda row: row["id"],
)
def test_a_description_leaves_the_releases_of_its_build(fact: Fact) -> None:
    candidates = default_classifier().classify(_evidence(fact)).candidates
    assert candidates
    for name in candidates:
        assert any(build.endswith(f".{fact['build_or_version']}") for build in RELEASES[name].builds), name
