"""The LDAP probe: recorded roots of directories, and those of Windows after its specification."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.errors import PeerClosedError, ProbeError, ProtocolError
from scanner.model import Endpoint
from scanner.probes import ldap
from tests.probes.conversation import Replay
from tests.probes.directory import done, element, entry, message, octets, read_by_another
from tests.probes.told import Told

AD, R2000, R2003, R2008, R2008R2, LDS = (
    f"1.2.840.113556.1.4.{last}" for last in (800, 1791, 1670, 1935, 2080, 1851)
)
CONTEXT = {"defaultNamingContext": ["DC=chu,DC=example"], "dnsHostName": ["dc1.chu.example"]}
OPENLDAP = (
    b"0M\2\1\1dH\4\0000D0%\4\x0bobjectClass1\x16\4\3top"
    b"\4\x0fOpenLDAProotDSE0\x1b\4\x14supportedLDAPVersion1\3\4\0013"
)
SAMBA = (
    b"0\x82\x01\x95\2\1\1d\x82\x01\x8e\4\0000\x82\x01\x880,\4\x14defaultNamingContext1\x14\4\x12DC=ward,DC=example"
    b"0\x81\x95\4\x15supportedCapabilities1|\4\x161.2.840.113556.1.4.800\4\x171.2.840.113556.1.4.1670"
    b"\4\x171.2.840.113556.1.4.1791\4\x171.2.840.113556.1.4.1935\4\x171.2.840.113556.1.4.2080"
    b'02\4\nvendorName1$\4"Samba Team (https://www.samba.org)0#\4\x0bdnsHostName1\x14\4\x12dcone.ward.example'
    b"0!\4\rvendorVersion1\x10\4\x0e4.17.12-Debian0$\4\x1ddomainControllerFunctionality1\3\4\0014"
    b"0\x1e\4\x14isGlobalCatalogReady1\6\4\4TRUE"
)

CONVERSATIONS = (
    Told(
        "OpenLDAP",
        ldap.PROBE,
        [[OPENLDAP]],
        {
            "ldap.rootdse": ("objectClass=OpenLDAProotDSE", "objectClass=top", "supportedLDAPVersion=3"),
            "ldap.vendor": "OpenLDAProotDSE",
        },
        "recorded from Debian's slapd 2.5",
    ),
    Told(
        "Samba as a domain controller, over TLS",
        ldap.PROBE,
        [[b"\x03\x03", SAMBA]],
        {
            "ldap.rootdse": (
                "defaultNamingContext=DC=ward,DC=example",
                "dnsHostName=dcone.ward.example",
                "domainControllerFunctionality=4",
                "isGlobalCatalogReady=TRUE",
                *(f"supportedCapabilities={each}" for each in sorted((AD, R2003, R2000, R2008, R2008R2))),
                "vendorName=Samba Team (https://www.samba.org)",
                "vendorVersion=4.17.12-Debian",
            ),
            "ldap.vendor": "Samba Team (https://www.samba.org) 4.17.12-Debian",
            "ldap.capabilities": tuple(sorted((AD, R2003, R2000, R2008, R2008R2))),
            "ldap.functionality": "4 Samba Team (https://www.samba.org)",
            "ldap.host": "dcone.ward.example",
            "ldap.domain": "ward.example",
            "tls.version": ("TLS 1.2",),
        },
        "recorded from Debian's Samba 4.17; some attributes left out",
        service=636,
    ),
    Told(
        "Windows 2000, which has no level",
        ldap.PROBE,
        [[entry({**CONTEXT, "supportedCapabilities": [AD, R2000], "supportedLDAPVersion": ["3", "2"]})]],
        {
            "ldap.rootdse": (
                "defaultNamingContext=DC=chu,DC=example",
                "dnsHostName=dc1.chu.example",
                f"supportedCapabilities={R2000}",
                f"supportedCapabilities={AD}",
                "supportedLDAPVersion=2",
                "supportedLDAPVersion=3",
            ),
            "ldap.capabilities": (R2000, AD),
            "ldap.functionality": "unstated",
            "ldap.host": "dc1.chu.example",
            "ldap.domain": "chu.example",
        },
        "built from [MS-ADTS] 3.1.1.3.2 and 3.1.1.3.4.3",
    ),
    Told(
        "Server 2003 in a domain of 2000",
        ldap.PROBE,
        [
            [
                entry(
                    {
                        "domainControllerFunctionality": ["2"],
                        "domainFunctionality": ["0"],
                        "supportedCapabilities": [AD, R2003],
                    }
                )
            ]
        ],
        {
            "ldap.rootdse": (
                "domainControllerFunctionality=2",
                "domainFunctionality=0",
                f"supportedCapabilities={R2003}",
                f"supportedCapabilities={AD}",
            ),
            "ldap.capabilities": (R2003, AD),
            "ldap.functionality": "2",
        },
        "built from [MS-ADTS] 3.1.1.3.2.25",
    ),
    Told(
        "AD LDS, which says the same on a workstation",
        ldap.PROBE,
        [[entry({"DOMAINCONTROLLERFUNCTIONALITY": ["4"], "supportedCapabilities": [LDS]})]],
        {
            "ldap.rootdse": ("domainControllerFunctionality=4", f"supportedCapabilities={LDS}"),
            "ldap.capabilities": (LDS,),
            "ldap.functionality": "4 AD LDS",
        },
        "built from [MS-ADTS] 3.1.1.3.4.3.5",
    ),
    Told(
        "i (OS/400), which says so by a branch of its own",
        ldap.PROBE,
        [
            [
                entry(
                    {
                        "vendorName": ["International Business Machines (IBM)"],
                        "supportedLDAPVersion": ["2", "3"],
                        "ibm-osregistrycontext": ["OS400-SYS=W7"],
                    }
                )
            ]
        ],
        {
            "ldap.rootdse": (
                "supportedLDAPVersion=2",
                "supportedLDAPVersion=3",
                "vendorName=International Business Machines (IBM)",
                "ibm-osregistrycontext=OS400-SYS=W7",
            ),
            "ldap.vendor": "International Business Machines (IBM)",
        },
        "built from the answer that the corpus has a part of",
    ),
    Told(
        "a directory that shows strangers nothing",
        ldap.PROBE,
        [[done(48)]],
        {},
        "built from [RFC 4511] 4.5.2 and appendix A.2",
    ),
    Told(
        "a directory that hangs up with a notice",
        ldap.PROBE,
        [[message(element(0x78, b"\n\1\2", octets(""), octets("")), number=0)]],
        {},
        "built from [RFC 4511] 4.4.1",
    ),
)


def test_others_read_our_question() -> None:
    (said,) = CONVERSATIONS[0].hold().said
    asked = read_by_another(said)["searchRequest"]
    assert (bytes(asked["baseObject"]), int(asked["scope"])) == (b"", 0)
    assert bytes(asked["filter"]["present"]) == b"objectClass"
    names = [bytes(each).decode() for each in asked["attributes"]]
    assert "domainControllerFunctionality" in names
    assert "*" not in names
    assert not asked["typesOnly"]
    assert len(said) <= ldap.PROBE.size


@pytest.mark.parametrize(
    ("context", "domain"),
    [
        ("DC=chu,DC=example", "chu.example"),
        ("dc=chu, dc=example", "chu.example"),
        ("O=Hospital,C=FR", ""),
        ("CN=x,DC=chu", ""),
        ("DC=a\\,b", ""),
        ("", ""),
    ],
)
def test_domains(context: str, domain: str) -> None:
    found = ldap.evidence({"defaultnamingcontext": (context.encode(),)})
    assert found["ldap.domain"] == domain


def test_many_and_long_values_are_bounded() -> None:
    many = {"supportedcapabilities": tuple(b"%03d" % each + b"x" * 999 for each in range(99))}
    found = ldap.evidence(many)
    assert len(found["ldap.capabilities"]) == len(found["ldap.rootdse"]) == 16
    assert all(len(each) == 256 for key in ("ldap.capabilities", "ldap.rootdse") for each in found[key])


def test_certificates_are_not_kept() -> None:
    assert ldap.PROBE.redact((b"\3\3" + b"0\3CN=Dupont", OPENLDAP, b"Dupont")) == (b"\3\3", OPENLDAP, b"")


def test_what_was_not_asked_for_is_not_taken() -> None:
    assert not any(ldap.evidence({"manager": (b"CN=Dupont",), "namingcontexts": (b"o=Dupont",)}).values())


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 400 Bad Request\r\n",
        b"\x30\x80",
        message(element(0x61, b"\n\1\0")),
        entry({})[:-6] + element(0x31),
        message(element(0x64, b"\2\1\1")),
    ],
)
def test_something_else_is_refused(raw: bytes) -> None:
    heard = Replay([[raw]]).hold(ldap.PROBE, Endpoint("192.0.2.1", 389))
    assert isinstance(heard.error, ProtocolError | PeerClosedError)
    assert not heard.evidence


@given(st.binary(max_size=60))
def test_any_answer_is_read_or_refused(raw: bytes) -> None:
    for each in (raw, message(raw), message(element(0x64, octets(b""), element(0x30, raw)))):
        try:
            ldap.parse_entry(each)
        except ProbeError:
            continue
