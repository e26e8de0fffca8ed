"""Scripts' words as evidence: what nmap prints and printed before, and whatever strangers may write."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.nmap_scripts import Script, evidence_of
from scanner.probes import x509
from tests.integration.peers_tls_rdp import Certificate

if TYPE_CHECKING:
    from pathlib import Path

CHALLENGE = {
    "Target_Name": ("W2016",),
    "NetBIOS_Domain_Name": ("W2016",),
    "NetBIOS_Computer_Name": ("W16GA-SRV01",),
    "DNS_Domain_Name": ("W2016.lab",),
    "DNS_Computer_Name": ("W16GA-SRV01.W2016.lab",),
    "DNS_Tree_Name": ("W2016.lab",),
    "Product_Version": ("10.0.14393",),
    "System_Time": ("2019-06-13T10:38:35+00:00",),
}
"""The example in nmap's rdp-ntlm-info.nse."""
NBSTAT = "NetBIOS name: WINDOWS2003, NetBIOS user: {user}, NetBIOS MAC: 00:0C:29:c6:da:f5 (VMware)"
KNOWN = (
    "http-headers",
    "http-server-header",
    "nbstat",
    "rdp-ntlm-info",
    "smb-os-discovery",
    "smb-protocols",
    "smb-security-mode",
    "smb2-security-mode",
    "ssl-cert",
)


@pytest.mark.parametrize("name", ["rdp", "http", "imap", "pop3", "smtp", "telnet", "ms-sql"])
def test_an_ntlm_challenge_is_told_alike_by_every_script(name: str) -> None:
    assert evidence_of(Script(f"{name}-ntlm-info", "", CHALLENGE)) == {
        "ntlm.netbios_name": ("W16GA-SRV01",),
        "ntlm.netbios_domain": ("W2016",),
        "ntlm.dns_name": ("W16GA-SRV01.W2016.lab",),
        "ntlm.dns_domain": ("W2016.lab",),
        "ntlm.dns_forest": ("W2016.lab",),
        "ntlm.version": ("10.0.14393",),
        "ntlm.challenge": ("versioned",),
    }


@pytest.mark.parametrize("version", ["", "10.0", "10.0.14393; rm", "Windows 10", "1.2.3.4", "10.0.1234567"])
def test_a_version_that_is_none_is_not_told(version: str) -> None:
    told = evidence_of(Script("rdp-ntlm-info", "", {**CHALLENGE, "Product_Version": (version,)}))
    assert "ntlm.version" not in told
    assert "ntlm.challenge" not in told


@pytest.mark.parametrize(
    ("listed", "dialect", "old"),
    [
        (("NT LM 0.12 (SMBv1) [dangerous, but default]", "2.0.2", "2.1", "3.0", "3.0.2"), "3.0.2", True),
        (("NT LM 0.12 (SMBv1) [dangerous, but default]", "2.02", "2.10"), "2.1", True),
        (("2:0:2", "2:1", "3:0", "3:0:2", "3:1:1"), "3.1.1", False),
        (("3.11",), "3.1.1", False),
        (("NT LM 0.12 (SMBv1) [dangerous, but default]",), "NT LM 0.12", True),
        (("9.9.9", "x"), "", False),
    ],
)
def test_dialects_of_every_version_of_nmap(listed: tuple[str, ...], dialect: str, *, old: bool) -> None:
    told = evidence_of(Script("smb-protocols", "", {"dialects": listed}))
    assert told.get("smb.dialect", ("",)) == (dialect,)
    assert told.get("smb.smb1") == (("yes",) if old else None), "that SMB 1 is off is not what silence says"


@pytest.mark.parametrize(
    ("said", "signing"),
    [
        ("Message signing enabled and required", "required"),
        ("Message signing enabled but not required", "enabled"),
        ("Message signing is disabled and not required!", "disabled"),
    ],
)
def test_signing_of_smb_2(said: str, signing: str) -> None:
    told = evidence_of(Script("smb2-security-mode", "", {"3.1.1": (said,)}))
    assert told == {"smb.dialect": ("3.1.1",), "smb.signing": (signing,)}


def test_signing_of_smb_1() -> None:
    elements = {"account_used": ("guest",), "message_signing": ("supported",)}
    told = evidence_of(Script("smb-security-mode", "", elements))
    assert told == {"smb.signing": ("enabled",), "smb.smb1": ("yes",)}


def test_a_session_of_somebody_who_logged_on() -> None:
    elements = {
        "os": ("Windows 5.1",),
        "lanmanager": ("Windows 2000 LAN Manager",),
        "server": ("WARD-PC-07\0",),
        "workgroup": ("CHU\0",),
    }
    assert evidence_of(Script("smb-os-discovery", "", elements)) == {
        "smb.native_os": ("Windows 5.1",),
        "smb.native_lm": ("Windows 2000 LAN Manager",),
        "smb.smb1": ("yes",),
        "netbios.name": ("WARD-PC-07",),
        "netbios.domain": ("CHU",),
    }


@pytest.mark.parametrize("user", ["<unknown>", "MDUPONT", "A, B"])
def test_the_user_of_nbstat_is_never_told(user: str) -> None:
    by_text = evidence_of(Script("nbstat", NBSTAT.format(user=user)))
    elements = {"server_name": ("WINDOWS2003",), "user": (user,), "mac.address": ("00:0c:29:c6:da:f5",)}
    assert evidence_of(Script("nbstat", "", elements)) == by_text
    assert by_text == {"netbios.name": ("WINDOWS2003",), "netbios.mac": ("00:0c:29:c6:da:f5",)}


def test_what_is_unknown_is_not_told() -> None:
    nothing = "NetBIOS name: <unknown>, NetBIOS user: <unknown>, NetBIOS MAC: <unknown> (unknown)"
    assert evidence_of(Script("nbstat", nothing)) == {}
    assert evidence_of(Script("vulners", "CVE-2020-0001", {"": ("x",)})) == {}


def test_web_servers() -> None:
    assert evidence_of(Script("http-server-header", "Microsoft-IIS/6.0", {"": ("Microsoft-IIS/6.0",)})) == {
        "http.server": ("Microsoft-IIS/6.0",)
    }
    headers = "\n  Date: Fri, 25 Jan 2013\n  Server: Apache/2.2.14 (Ubuntu)\n\n  (Request type: HEAD)"
    assert evidence_of(Script("http-headers", headers)) == {"http.server": ("Apache/2.2.14 (Ubuntu)",)}


def test_bytes_are_what_they_were() -> None:
    """nmap writes an accent as the bytes that it is in; old systems have it in Latin-1 or the like."""
    for written in ("CLINIQUE-\\xC3\\xA9", "CLINIQUE-\\xE9", "CLINIQUE-é"):
        told = evidence_of(Script("rdp-ntlm-info", "", {"NetBIOS_Computer_Name": (written,)}))
        assert told == {"ntlm.netbios_name": ("CLINIQUE-é",)}
    (told_so,) = evidence_of(Script("http-server-header", "", {"": ("x\\x1B[31m",)}))["http.server"]
    assert told_so == "x\ufffd[31m"


def test_a_certificate_is_read_as_the_probe_reads_it(tmp_path: Path) -> None:
    pem = Certificate.made(tmp_path, "-newkey", "rsa:2048", "-days", "2").file.read_text(encoding="ascii")
    der = base64.b64decode("".join(pem.splitlines()[1:-1]))
    told = evidence_of(Script("ssl-cert", "Subject: commonName=ward", {"pem": (pem,)}))
    read = x509.facts(der)
    assert {key: values[0] for key, values in told.items()} == read
    assert read["tls.subject"] == "CN=ward"


texts = st.text(max_size=40) | st.sampled_from(
    [
        "2.0.2",
        "Windows 5.1",
        "\x1b[31m",
        "\u202e",
        "-----BEGIN CERTIFICATE-----MIIC=-----END CERTIFICATE-----",
    ]
)
paths = st.sampled_from(["", "os", "dialects", "title", "pem", "Product_Version", "mac.address", "user"])


@given(
    name=st.sampled_from(KNOWN) | st.text(max_size=20),
    output=texts | st.just(NBSTAT.format(user="x")),
    elements=st.dictionaries(paths | st.text(max_size=5), st.lists(texts, max_size=40).map(tuple)),
)
def test_whatever_is_said_evidence_is_fit_to_keep(
    name: str, output: str, elements: dict[str, tuple[str, ...]]
) -> None:
    for key, values in evidence_of(Script(name, output, elements)).items():
        assert key == key.lower()
        assert values
        assert len(values) <= 32
        assert all(value and value.isprintable() and len(value) <= 256 for value in values)
