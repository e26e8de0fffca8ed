"""masscan's records: banners are read as our probes read them, wherever in the file they stand."""

from __future__ import annotations

import json
from typing import Any

import pytest

from scanner.errors import ConfigError
from scanner.imports import CutShortError
from scanner.model import Observation
from tests.imports.samples import CERTIFICATE, MASSCAN, heard, read


def banner(name: str, text: str, port: int = 80, proto: str = "tcp", **more: Any) -> bytes:  # noqa: ANN401 - JSON is anything
    """A record of -oD."""
    record = {"ip": "10.0.0.1", "timestamp": "1529878000", "port": port, "proto": proto, "rec_type": "banner"}
    return json.dumps({**record, "data": {"service_name": name, "banner": text}, **more}).encode() + b"\n"


def one(name: str, text: str) -> dict[str, tuple[str, ...]]:
    """The evidence in one banner."""
    (words,) = heard("masscan", banner(name, text)).values()
    return words


def test_banners_are_evidence_of_the_probes_that_would_have_heard_them() -> None:
    assert heard("masscan", MASSCAN.encode()) == {
        "10.20.0.5:445/tcp smb": {
            "smb.native_os": ("Windows Embedded Standard 7601 Service Pack 1",),
            "smb.native_lm": ("Windows Embedded Standard 6.1",),
            "ntlm.dns_name": ("SHIPBARBO",),
            "ntlm.dns_domain": ("SHIPBARBO",),
            "ntlm.netbios_name": ("SHIPBARBO",),
            "ntlm.netbios_domain": ("SHIPBARBO",),
            "ntlm.version": ("6.1.7601",),
            "ntlm.challenge": ("versioned",),
            "smb.smb1": ("yes",),
        },
        "10.20.0.6:22/tcp ssh": {"ssh.protocol": ("2.0",), "ssh.banner": ("OpenSSH_7.4p1 Debian-10+deb9u7",)},
        "10.20.0.7:80/tcp http": {
            "http.status": ("200",),
            "http.server": ("Microsoft-IIS/5.1",),
            "http.title": ("Café & radio",),
        },
        "10.20.0.7:25/tcp smtp": {
            "smtp.banner": ("mail Microsoft ESMTP MAIL Service, Version: 6.0.2600.5512 ready",),
            "smtp.extensions": ("SIZE 2097152", "OK"),
        },
        "10.20.0.7:137/udp masscan": {},
        "10.20.0.7:161/udp snmp": {"snmp.sysdescr": ("Hardware: x86 Software: Windows 2000 Version 5.1",)},
        "10.20.0.8:21/tcp ftp": {"ftp.banner": ("(vsFTPd 2.0.5)",)},
        "10.20.0.8:23/tcp telnet": {
            "telnet.options": ("do 24 will 1",),
            "telnet.banner": ("Red Hat Linux release 9", "login:"),
        },
        "10.20.0.8:110/tcp pop3": {"pop3.banner": ("Dovecot ready.",)},
        "10.20.0.8:143/tcp imap": {"imap.banner": ("Dovecot ready.",)},
        "10.20.0.8:5900/tcp vnc": {"vnc.version": ("3.8",)},
    }


def test_nobody_is_named() -> None:
    assert "DUPONT" in MASSCAN
    assert "DUPONT" not in str(heard("masscan", MASSCAN.encode()))


def test_observations_are_of_the_moment_of_their_record() -> None:
    found = [each for each in read("masscan", MASSCAN.encode()) if isinstance(each, Observation)]
    assert {f"{each.at:%Y-%m-%d %H:%M}" for each in found} == {"2018-06-24 22:06"}


@pytest.mark.parametrize("moment", ["0", "-1", "99999999999", 1e300, None, [], "yesterday", "9" * 5000, True])
def test_a_moment_that_cannot_be_is_that_of_the_reading(moment: object) -> None:
    (found,) = read("masscan", banner("ssh", "SSH-2.0-x", timestamp=moment))
    assert isinstance(found, Observation)
    assert f"{found.at:%Y-%m-%d %H:%M}" == "2026-11-26 12:00"


def test_without_a_challenge_the_names_are_those_of_the_negotiation() -> None:
    said = (
        "SMBv1  time=2018-06-24 22:18:13 TZ=+0  domain=WARD name=NT4 os=Windows NT 4.0 ver=NT LAN Manager 4.0"
    )
    assert one("smb", f"{said} domain=X") == {
        "smb.native_os": ("Windows NT 4.0",),
        "smb.native_lm": ("NT LAN Manager 4.0",),
        "netbios.name": ("NT4",),
        "netbios.domain": ("WARD",),
        "smb.smb1": ("yes",),
    }


@pytest.mark.parametrize(
    "text",
    [
        "version=80.0.79 ntlm-ver=0 domain=WARD name=XP",  # no version: there the names begin
        "version=5.1.2600 domain=WARD name=XP",
        "version=5.1 ntlm-ver=15 name=XP",
        "version=5.1.2600.0 ntlm-ver=15 name=XP",
        "name=a version=5.1.2600",
    ],
)
def test_what_is_no_version_is_none(text: str) -> None:
    assert "ntlm.version" not in one("smb", text)


def test_a_banner_without_a_known_name_is_told_by_its_beginning() -> None:
    assert one("unknown", "SSH-2.0-x\n") == {"ssh.protocol": ("2.0",), "ssh.banner": ("x",)}
    assert one("minecraft", "\0\1\2") == {}


def test_a_certificate_is_read_as_the_tls_probe_reads_it() -> None:
    assert one("X509", CERTIFICATE)["tls.issuer"] == ("CN=poste",)
    assert one("X509", "no base64") == {}
    assert one("X509", "") == {}


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"[1]", "is no record of masscan"),
        (b"nonsense", "is no JSON at column 1"),
        (b'{"ip": "10.0.0.300", "ports": []}', "ip: is no address"),
        (b'{"ip": "fe80::1%eth0"}', "ip: is no address"),
        (b'{"ip": 7}', "ip: is no address"),
        (b'"\xff"', "is not UTF-8 at byte 2"),
        (b"[" * 5000, "is no JSON"),
        (b"1" * 5000, "is no JSON"),
        (b"x" * ((1 << 20) + 7), "is longer than 1 MiB"),
    ],
)
def test_a_wrong_line_is_named_and_left_out(line: bytes, why: str) -> None:
    found = read("masscan", banner("ssh", "SSH-2.0-a") + line + b"\n" + banner("ssh", "SSH-2.0-b"))
    assert [type(each) for each in found] == [Observation, ConfigError, Observation]
    assert str(found[1]).startswith("file:2: ")
    assert why in str(found[1])


@pytest.mark.parametrize("end", [b"", b"\n", b"]\n", b"{finished: 1}\n]\n", b"\r\n", b",\n"])
def test_what_stands_around_records_says_nothing(end: bytes) -> None:
    assert len(read("masscan", b"\xef\xbb\xbf[\n" + banner("ssh", "SSH-2.0-a").rstrip() + end)) == 1


def test_records_in_one_list_on_one_line_are_records() -> None:
    listed = b"[" + b",".join(banner("ssh", f"SSH-2.0-{n}").strip() for n in "ab") + b"]"
    assert len(read("masscan", listed)) == 2


def test_the_last_line_may_be_cut_off() -> None:
    found = read("masscan", banner("ssh", "SSH-2.0-a") + banner("ssh", "SSH-2.0-b")[:-5])
    assert [type(each) for each in found] == [Observation, CutShortError]


@pytest.mark.parametrize(
    "ports", [None, [], {}, 7, [None], [{}], [{"port": 0, "proto": "tcp", "status": "open"}]]
)
def test_a_record_without_a_port_says_nothing(ports: object) -> None:
    assert read("masscan", json.dumps({"ip": "10.0.0.1", "ports": ports}).encode()) == []


def test_ports_of_other_transports_and_closed_ones_are_none() -> None:
    assert read("masscan", banner("ssh", "SSH-2.0-a", proto="sctp")) == []
    assert read("masscan", banner("x", "y", data={"status": "closed"})) == []
