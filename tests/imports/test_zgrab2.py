"""zgrab2's lines: what each module grabbed, as the words of our probes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from scanner.errors import ConfigError
from scanner.model import Observation
from tests.imports.samples import ZGRAB2, heard, read

ISSUER = {
    "tls.version": ("TLS 1.0",),
    "tls.cipher": ("TLS_RSA_WITH_RC4_128_SHA",),
    "tls.issuer": ("CN=poste",),
}


def grabbed(protocol: str, result: object, status: str = "success", **more: object) -> bytes:
    grab = {"status": status, "protocol": protocol, "timestamp": "2018-04-06T19:42:32Z", "result": result}
    return json.dumps({"ip": "10.0.0.1", "data": {"a": {**grab, **more}}}).encode() + b"\n"


def one(protocol: str, result: object) -> dict[str, tuple[str, ...]]:
    (words,) = heard("zgrab2", grabbed(protocol, result)).values()
    return words


def test_what_modules_grabbed_is_evidence_of_the_probes_that_would_have_heard_it() -> None:
    said = heard("zgrab2", ZGRAB2.encode())
    tls = [said.pop(f"10.20.0.5:{port}/tcp tls") for port in (443, 5432)]
    assert all(words.items() >= ISSUER.items() for words in tls)
    assert said == {
        "10.20.0.5:25/tcp smtp": {"smtp.banner": ("a ESMTP Exim 4.84",), "smtp.extensions": ("SIZE", "HELP")},
        "10.20.0.5:23/tcp telnet": {"telnet.banner": ("Ubuntu 16.04.3 LTS", "a login:")},
        "10.20.0.5:110/tcp pop3": {},
        "10.20.0.5:443/tcp http": {
            "http.status": ("401",),
            "http.server": ("Microsoft-IIS/5.1",),
            "http.authenticate": ('Basic realm="poste"',),
            "http.powered_by": ("ASP.NET", "ASP.NET 1.1.4322"),
            "http.title": ("Poste & radio",),
        },
        "10.20.0.5:1433/tcp mssql": {"mssql.version": ("14.0.3015",)},
        "10.20.0.5:2200/tcp ssh": {
            "ssh.protocol": ("2.0",),
            "ssh.banner": ("OpenSSH_7.2p2 Ubuntu-4ubuntu2.4",),
            "ssh.kex": ("curve25519-sha256@libssh.org",),
            "ssh.hostkeys": ("ssh-rsa", "ssh-ed25519"),
            "ssh.ciphers": ("aes128-ctr",),
            "ssh.hostkey": ("ssh-ed25519 SHA256:aWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWk",),
        },
        "10.20.0.5:3306/tcp mysql": {"mysql.version": ("5.5.58",)},
        "10.20.0.5:5432/tcp postgresql": {"postgresql.ssl": ("yes",)},
        "10.20.0.8:445/tcp smb": {
            "smb.signing": ("required",),
            "smb.server_guid": ("03020100-0504-0706-0809-0a0b0c0d0e0f",),
        },
        "10.20.9.7:22/tcp ssh": {"ssh.protocol": ("1.99",), "ssh.banner": ("Cisco-1.25",)},
        "10.20.9.7:389/tcp ldap": {
            "ldap.rootdse": (
                "defaultNamingContext=DC=reanimation,DC=lan",
                "dnsHostName=poste-7.lan",
                "domainControllerFunctionality=2",
                "supportedCapabilities=1.2.840.113556.1.4.800",
            ),
            "ldap.capabilities": ("1.2.840.113556.1.4.800",),
            "ldap.functionality": ("2",),
            "ldap.host": ("poste-7.lan",),
            "ldap.domain": ("reanimation.lan",),
        },
        "10.20.9.7:445/tcp smb": {
            "smb.smb1": ("yes",),
            "smb.native_os": ("Windows 5.1",),
            "smb.native_lm": ("Windows 2000 LAN Manager",),
            "netbios.domain": ("REANIMATION",),
        },
        "10.20.9.7:3389/tcp rdp": {
            "ntlm.netbios_name": ("POSTE-7",),
            "ntlm.dns_name": ("poste-7.lan",),
            "ntlm.version": ("5.2.3790",),
            "ntlm.challenge": ("versioned",),
        },
    }


def test_observations_are_of_the_moment_of_their_grab() -> None:
    found = [each for each in read("zgrab2", ZGRAB2.encode()) if isinstance(each, Observation)]
    assert {f"{each.at:%Y-%m-%dT%H:%M:%SZ}" for each in found} == {"2018-04-06T17:42:32Z"}


def test_the_first_answer_of_a_chain_is_the_hosts_own() -> None:
    first = {
        "status_code": 302,
        "headers": {"server": ["here"], "location": ["http://192.0.2.1/"]},
        "body": "",
    }
    last = {"status_code": 200, "headers": {"server": ["elsewhere"]}, "body": "<title>Elsewhere</title>"}
    said = one("http", {"response": last, "redirect_response_chain": [first]})
    assert said == {
        "http.status": ("302",),
        "http.server": ("here",),
        "http.location": ("http://192.0.2.1/",),
    }


def test_how_long_and_how_packed_a_body_was_is_not_believed() -> None:
    headers = {"content_length": ["3"], "transfer_encoding": ["chunked"], "content_encoding": ["gzip"]}
    response = {"status_code": 200, "headers": headers, "body": "<html><title>Poste</title></html>"}
    assert one("http", {"response": response})["http.title"] == ("Poste",)


def test_a_header_cannot_bring_others_with_it() -> None:
    headers = {
        "server": ["a\r\nX-Powered-By: b"],
        "unknown": [{"key": "x\r\ny", "value": ["c\r\n\r\n<title>d"]}],
    }
    said = one("http", {"response": {"status_code": 200, "headers": headers, "body": ""}})
    assert said == {"http.status": ("200",), "http.server": ("a X-Powered-By: b",)}


@pytest.mark.parametrize(
    ("mode", "protocol", "signing"),
    [
        (0, "/lNNQg==", ("disabled",)),
        (1, "/lNNQg==", ("enabled",)),
        (3, "/lNNQg==", ("required",)),
        (3, "/1NNQg==", None),
        (3, "", None),
        ("3", "/lNNQg==", None),
    ],
)
def test_signing_is_that_of_smb_2(mode: object, protocol: str, signing: tuple[str, ...] | None) -> None:
    log = {
        "protocol_id": protocol,
        "security_mode": mode,
        "server_guid": "A" * 22 + "==",
        "dialect_revision": 528,
    }
    assert one("smb", {"negotiation_log": log}).get("smb.signing") == signing


def test_what_tls_1_3_says_of_itself_is_read() -> None:
    hello = {
        "version": {"value": 771},
        "supported_versions": {"selected_version": {"value": 772}},
        "cipher_suite": {"value": 4865},
    }
    log = {"handshake_log": {"server_hello": hello}}
    assert one("tls", log) == {"tls.version": ("TLS 1.3",)}
    assert one("postgres", {"is_ssl": False}) == {"postgresql.ssl": ("no",)}
    said = heard("zgrab2", grabbed("imap", {"banner": "* OK a", "tls": log}))
    assert said["10.0.0.1:143/tcp tls"] == {"tls.version": ("TLS 1.3",)}


@pytest.mark.parametrize("version", ["", "6.1", "10.0.19041.1", "x", "6.1.7601\n"])
def test_what_is_no_version_is_none(version: str) -> None:
    assert one("rdp", {"os_version": version, "netbios_computer_name": "A"}) == {"ntlm.netbios_name": ("A",)}


@pytest.mark.parametrize("status", ["connection-refused", "io-timeout", "protocol-error", "unknown-error"])
def test_a_grab_that_failed_counts_where_it_tells_something(status: str) -> None:
    assert read("zgrab2", grabbed("ssh", {}, status)) == []
    assert read("zgrab2", grabbed("ssh", None, status)) == []
    assert len(read("zgrab2", grabbed("ssh", {"server_id": {"raw": "SSH-2.0-x"}}, status))) == 1


@pytest.mark.parametrize("port", [None, 0, -1, 65536, "x", [], 1.5])
def test_a_port_that_is_none_is_the_usual_one(port: object) -> None:
    (found,) = read("zgrab2", grabbed("ssh", {"server_id": {"raw": "SSH-2.0-x"}}, port=port))
    assert isinstance(found, Observation)
    assert found.endpoint.port == 22


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"{}", "is no line of zgrab2"),
        (b"[]", "is no line of zgrab2"),
        (b'{"data": 7}', "is no line of zgrab2"),
        (b'{"domain": "poste.example", "data": {}}', "ip: is no address"),
        (b"x" * ((1 << 20) + 7), "is longer than 1 MiB"),
    ],
)
def test_a_wrong_line_is_named_and_left_out(line: bytes, why: str) -> None:
    good = grabbed("ssh", {"server_id": {"raw": "SSH-2.0-x"}})
    found = read("zgrab2", good + line + b"\n" + good)
    assert [type(each) for each in found] == [Observation, ConfigError, Observation]
    assert str(found[1]).startswith("file:2: ")
    assert why in str(found[1])


def test_more_grabs_than_any_host_has_are_cut() -> None:
    grab: dict[str, Any] = {"status": "success", "protocol": "pop3", "result": {"banner": "+OK"}}
    line = json.dumps({"ip": "10.0.0.1", "data": {str(number): grab for number in range(500)}})
    assert len(read("zgrab2", line.encode())) == 64
