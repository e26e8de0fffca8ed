"""Greetings and banners as hosts say them, their names included: what is made of them, and what never is."""

from __future__ import annotations

import csv
from base64 import b64decode
from typing import TYPE_CHECKING

import pytest

from scanner.classify import default_classifier
from scanner.fingerprints import load_fingerprints
from scanner.lifecycle import load_lifecycle
from scanner.model import Certainty
from tests.corpus import CORPUS

if TYPE_CHECKING:
    from collections.abc import Iterator

RELEASES = load_lifecycle().releases
KINDS = {
    "ssh.banner": "ssh.banner",
    "ftp.banner": "ftp.banner",
    "smtp.banner": "smtp.banner",
    "pop3.banner": "pop3.banner",
    "imap4.banner": "imap.banner",
    "telnet_banners": "telnet.banner",
}


@pytest.mark.parametrize(
    ("key", "words", "name"),
    [
        ("ftp.banner", "foo.bar Microsoft FTP Service (Version 5.0).", "IIS, FTP 5.0"),
        ("ftp.banner", "foo.bar Microsoft FTP Service", "IIS, FTP without a version"),
        ("ftp.banner", "NanoDAC FTP server (VxWorks VxWorks 6.6) ready.", "VxWorks"),
        ("ftp.banner", "Super Thing_Place-  FTP server (MikroTik 6.43.16) ready", "RouterOS"),
        ("ftp.banner", "example.com FTP server (SunOS 5.11) ready.", "Solaris"),
        ("smtp.banner", "ward7 Microsoft ESMTP MAIL Service, Version: 6.0.2600.5512", "Windows XP SP3"),
        ("smtp.banner", "mail.ward.example ESMTP Postfix (Debian/GNU)", "Postfix of a distribution"),
        ("smtp.banner", "mail.ward.example ESMTP Postfix", None),
        ("ssh.banner", "OpenSSH_7.4", None),
        ("ssh.banner", "OpenSSH_9.2p1 Debian-2+deb12u10", "Debian, with the number of its release"),
        ("ssh.banner", "OpenSSH_6.6.1p1 Ubuntu-2ubuntu2.13", "Ubuntu 14.04"),
        ("telnet.banner", "Welcome to Microsoft Telnet Service \r\n\n\rlogin: ", "Windows 2000 or later"),
        ("telnet.banner", "Welcome to Microsoft Telnet Service \r\nlogin:", "Windows 2000 or later"),
        (
            "telnet.banner",
            "Microsoft (R) Windows NT (TM) Version 4.00 (Build 1381)",
            "Windows, with its number and its name",
        ),
    ],
)
def test_the_name_of_the_host_does_no_harm(key: str, words: str, name: str | None) -> None:
    match = load_fingerprints().match(key, words)
    assert (match.fingerprint.name if match else None) == name


@pytest.mark.parametrize(
    ("key", "words", "family"),
    [
        ("dns.version", "Microsoft DNS 11.0.99999", "Windows"),
        ("ftp.banner", "ward7 Microsoft FTP Service (Version 5.4).", "Windows"),
        ("http.server", "Microsoft-HTTPAPI/3.0", "Windows"),
        ("http.server", "Microsoft-IIS/9.0", "Windows"),
        ("http.title", "IIS 9.0 Detailed Error - 404.0 - Not Found", "Windows"),
        ("imap.banner", "Microsoft Exchange Server 2031 IMAP4 service ready", "Windows"),
        ("ldap.functionality", "9", "Windows"),
        ("mdns.osxvers", "40", "macOS"),
        ("nntp.banner", "NNTP Service 9.0.1 Version: 9.0.1 Posting Allowed", "Windows"),
        ("pop3.banner", "Der Microsoft Exchange POP3-Server (Version 9.9.1) ist betriebsbereit.", "Windows"),
        ("smtp.banner", "ward7 Microsoft ESMTP MAIL Service, Version: 14.0.99999.1 ready", "Windows"),
        ("telnet.banner", "ward7: Windows NT, Telnetd (Version 99.0)", "Windows"),
    ],
)
def test_a_version_that_nobody_knows_still_names_the_system(key: str, words: str, family: str) -> None:
    identity = default_classifier().classify({key: (words,)})
    assert identity.attributes["family"] == family
    assert len({RELEASES[name].product for name in identity.candidates}) > 1 or family == "macOS"


@pytest.mark.parametrize("host", ["xray7", "ward7", "7.ward", "zebra"])
def test_a_host_may_be_called_whatever_it_likes(host: str) -> None:
    for key, words in (
        ("smtp.banner", "ESMTP HMailServer 4.4"),
        ("ftp.banner", "FTP server (QNXNTO-ftpd 20081216) ready."),
        ("telnet.banner", "RemotelyAnywhere Telnet Server 6.0"),
    ):
        assert load_fingerprints().match(key, f"{host} {words}"), words


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("smtp.banner", "ward7 Symantec Mail Security"),
        ("ssh.banner", "ReflectionForSecureIT_7.2.0"),
    ],
)
def test_what_there_is_for_several_systems_names_none(key: str, words: str) -> None:
    identity = default_classifier().classify({key: (words,)})
    assert not identity.candidates
    assert "family" not in identity.attributes


def test_a_nas_that_says_windows_to_its_players_is_none() -> None:
    words = (
        "3.4.6-generic Microsoft-Windows/6.1 Windows-Media-Player-DMS/12.0 DLNADOC/1.50 UPnP/1.0 QNAPDLNA/1.0"
    )
    identity = default_classifier().classify({"http.server": (words,)})
    assert identity.attributes["vendor"] == "QNAP"
    assert "Windows" not in {RELEASES[name].family for name in identity.candidates}


def test_one_banner_never_makes_a_windows_certain() -> None:
    for key in set(KINDS.values()) & load_fingerprints().by_key.keys():
        for fingerprint in load_fingerprints().by_key[key]:
            for value, _ in fingerprint.examples:
                identity = default_classifier().classify({key: (value,)})
                families = {RELEASES[name].family for name in identity.candidates}
                assert "Windows" not in families or identity.certainty is not Certainty.CERTAIN, value


def test_two_voices_make_it_certain() -> None:
    said = {"smtp.banner": ("ward7 Microsoft ESMTP MAIL Service, Version: 6.0.2600.5512",)}
    assert default_classifier().classify(said).certainty is Certainty.PROBABLE
    identity = default_classifier().classify({**said, "ntlm.version": ("5.1.2600",)})
    assert identity.certainty is Certainty.CERTAIN
    assert {RELEASES[name].product for name in identity.candidates} == {"Windows XP"}
    assert {"windows-xp-sp3", "windows-posready-2009"} <= set(identity.candidates)
    assert "windows-xp-sp2" not in identity.candidates


def rows() -> Iterator[tuple[dict[str, str], str, tuple[str, ...]]]:
    """The banners that others collected, each as a probe says it."""
    if CORPUS is None:
        return
    with (CORPUS / "banners.csv").open(newline="", encoding="utf-8") as opened:
        for row in csv.DictReader(opened):
            if row["kind"] in KINDS:
                coded = row["encoding"] == "base64"
                text = b64decode(row["banner"]).decode("latin-1") if coded else row["banner"]
                lines = text.splitlines() if row["kind"] == "telnet_banners" else [text]
                yield row, KINDS[row["kind"]], tuple(line.strip() for line in lines if line.strip())


def test_nothing_that_others_collected_is_taken_for_another_system() -> None:
    heard = 0
    for row, key, values in rows():
        identity = default_classifier().classify({key: values})
        heard += bool(identity.candidates or identity.attributes)
        families = {RELEASES[name].family for name in identity.candidates} - {"Unknown"}
        if row["os_vendor"] != "Microsoft":
            assert not {"Windows", "Windows CE"} & families, row["banner"]
        elif families:
            assert families == {row["os_product"] if row["os_product"] == "Windows CE" else "Windows"}
        named = identity.attributes.get("version", "")
        if row["os_product"] == "Linux" and row["os_version"] and named:
            assert row["os_version"].partition(" ")[0].startswith(named), row["banner"]
    assert CORPUS is None or heard > 200
