"""Other people's servers of text protocols: what they are is what is learnt of them."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from scanner.errors import LimitError
from scanner.probes import ftp, imap, pop3, smtp, ssh, telnet, vnc
from tests.integration.driving import drive
from tests.integration.peers_text import (
    EXIM,
    HOST,
    VSFTPD,
    dovecot,
    dropbear,
    inetd,
    key,
    sshd,
    xvnc,
)
from tests.probes import mail

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.peers_text import Ports

KINDS = {
    "ed25519": "ssh-ed25519",
    "ecdsa": "ecdsa-sha2-nistp256",
    "rsa": "ssh-rsa",
}
EXCHANGES = (
    "curve25519-sha256",
    "curve25519-sha256@libssh.org",
    "ecdh-sha2-nistp256",
    "diffie-hellman-group14-sha256",
    "diffie-hellman-group14-sha1",
    "diffie-hellman-group1-sha1",
)


def said_by(*command: str) -> str:
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    return told.stdout + told.stderr


# --- SSH


def hash_of(file: Path) -> str:
    return said_by("ssh-keygen", "-lf", str(file)).split()[1]


def test_openssh_says_what_it_is_and_shows_its_first_key(tmp_path: Path) -> None:
    keys = {kind: key(tmp_path, kind) for kind in KINDS}
    with sshd(tmp_path, list(keys.values())) as port:
        met = drive(ssh.PROBE, HOST, port)
        scanned = said_by("ssh-keyscan", "-p", str(port), "-t", "ed25519", HOST)
    version = said_by("ssh", "-V").partition(",")[0]
    assert met.error is None
    assert met.evidence["ssh.protocol"] == "2.0"
    assert met.evidence["ssh.banner"] == version
    assert met.evidence["ssh.hostkey"] == f"ssh-ed25519 {hash_of(keys['ed25519'])}"
    assert "curve25519-sha256" in met.evidence["ssh.kex"]
    assert set(met.evidence["ssh.hostkeys"]) >= {"ssh-ed25519", "rsa-sha2-512", "ecdsa-sha2-nistp256"}
    found = [line for line in scanned.splitlines() if not line.startswith("#")]
    (tmp_path / "scanned").write_text("\n".join(found), encoding="utf-8")
    assert str(met.evidence["ssh.hostkey"]).endswith(hash_of(tmp_path / "scanned"))


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_openssh_answers_each_exchange_that_is_begun(tmp_path: Path, exchange: str) -> None:
    file = key(tmp_path, "ed25519")
    with sshd(tmp_path, [file], f"KexAlgorithms {exchange}") as port:
        met = drive(ssh.PROBE, HOST, port)
    assert met.error is None
    assert met.evidence["ssh.kex"][0] == exchange
    assert met.evidence["ssh.hostkey"] == f"ssh-ed25519 {hash_of(file)}"


@pytest.mark.parametrize("kind", KINDS)
def test_openssh_shows_each_kind_of_key(tmp_path: Path, kind: str) -> None:
    file = key(tmp_path, kind)
    with sshd(tmp_path, [file]) as port:
        met = drive(ssh.PROBE, HOST, port)
    assert met.evidence["ssh.hostkey"] == f"{KINDS[kind]} {hash_of(file)}"


def test_an_exchange_that_is_not_begun_leaves_what_is_known(tmp_path: Path) -> None:
    file = key(tmp_path, "ed25519")
    with sshd(tmp_path, [file], "KexAlgorithms diffie-hellman-group-exchange-sha256") as port:
        met = drive(ssh.PROBE, HOST, port)
    assert met.error is None
    assert "ssh.hostkey" not in met.evidence
    assert met.evidence["ssh.hostkeys"] == ("ssh-ed25519",)


@pytest.mark.parametrize("kind", KINDS)
def test_dropbear_shows_its_key(tmp_path: Path, kind: str) -> None:
    with dropbear(tmp_path, kind) as (port, digest):
        met = drive(ssh.PROBE, HOST, port)
    assert met.error is None
    assert met.evidence["ssh.banner"] == said_by("dropbear", "-V").strip().replace("Dropbear v", "dropbear_")
    assert met.evidence["ssh.hostkey"] == f"{KINDS[kind]} {digest}"


# --- FTP and mail


def test_vsftpd_greets_and_hears_nothing(tmp_path: Path) -> None:
    configuration = tmp_path / "vsftpd.conf"
    configuration.write_text(VSFTPD.format(banner="Welcome to the ward"), encoding="utf-8")
    with inetd("/usr/sbin/vsftpd", str(configuration)) as port:
        met = drive(ftp.PROBE, HOST, port)
    assert (met.evidence, met.error) == ({"ftp.banner": ("Welcome to the ward",)}, None)


@pytest.mark.parametrize("mechanism", ["NTLM", "SPA"])
def test_exim_challenges_where_it_offers_ntlm(tmp_path: Path, mechanism: str) -> None:
    (tmp_path / "spool").mkdir()
    configuration = tmp_path / "exim.conf"
    configuration.write_text(EXIM.format(folder=tmp_path, mechanism=mechanism), encoding="utf-8")
    # Over pipes it is a local client's server: only root may have it serve a connection.
    with inetd("sh", "-c", f"cat | /usr/sbin/exim4 -C {configuration} -bs | cat") as port:
        met = drive(smtp.PROBE, HOST, port)
    assert met.error is None
    assert met.evidence["smtp.banner"][0].startswith("mail.ward.example ESMTP Exim ")
    assert f"AUTH {mechanism}" in met.evidence["smtp.extensions"]
    assert met.evidence.get("ntlm.challenge") == ("unversioned" if mechanism == "NTLM" else None)
    assert met.raw[-1].startswith(b"221 ")


@pytest.fixture(scope="module")
def mailboxes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ports]:
    with dovecot(tmp_path_factory.mktemp("dovecot"), "plain ntlm") as ports:
        yield ports


@pytest.mark.parametrize(("place", "service"), [(0, 143), (1, 993)])
def test_dovecot_over_imap(mailboxes: Ports, place: int, service: int) -> None:
    met = drive(imap.PROBE, HOST, mailboxes[place], service=service)
    assert met.error is None
    assert met.evidence["imap.banner"] == "Dovecot (Debian) ready."
    assert {"IMAP4rev1", "AUTH=NTLM"} <= set(met.evidence["imap.capabilities"])
    assert met.evidence.items() >= mail.XP_FACTS.items()
    assert met.raw[-1].startswith(b"a2 BAD Authentication aborted")


@pytest.mark.parametrize(("place", "service"), [(2, 110), (3, 995)])
def test_dovecot_over_pop3(mailboxes: Ports, place: int, service: int) -> None:
    met = drive(pop3.PROBE, HOST, mailboxes[place], service=service)
    assert met.error is None
    assert met.evidence["pop3.banner"] == "Dovecot (Debian) ready."
    assert {"UIDL", "SASL PLAIN NTLM"} <= set(met.evidence["pop3.capabilities"])
    assert met.evidence.items() >= mail.XP_FACTS.items()
    assert met.raw[-1].startswith(b"-ERR Authentication aborted")


def test_dovecot_without_ntlm_is_not_asked_for_it(tmp_path: Path) -> None:
    with dovecot(tmp_path, "plain") as ports:
        for probe, port in ((imap.PROBE, ports.imap), (pop3.PROBE, ports.pop3)):
            met = drive(probe, HOST, port)
            assert (met.error, met.exchanges) == (None, 2)
            assert "ntlm.challenge" not in met.evidence


# --- telnet and VNC


def test_telnetd_is_heard_up_to_its_prompt(tmp_path: Path) -> None:
    login = tmp_path / "login"
    login.write_text("#!/bin/sh\nprintf 'ward7 login: '\nread -r name\n", encoding="ascii")
    login.chmod(0o755)
    with inetd("/usr/sbin/telnetd", "-E", str(login)) as port:
        met = drive(telnet.PROBE, HOST, port)
    assert met.error is None
    assert str(met.evidence["telnet.options"]).startswith("will 37 will 38 do 24 do 32")
    assert met.evidence["telnet.banner"][0].startswith("Linux ")
    assert met.evidence["telnet.banner"][-1] == "ward7 login:"


def test_wireshark_reads_what_windows_is_asked_for(tmp_path: Path) -> None:
    said = b"\xff\xfa\x25" + telnet._NEGOTIATE + b"\xff\xf0"
    (tmp_path / "said").write_text(f"0000 {said.hex(' ')}\n", encoding="ascii")
    recorded = str(tmp_path / "said.pcap")
    said_by("text2pcap", "-q", "-T", "4000,23", str(tmp_path / "said"), recorded)
    fields = ("telnet.auth.cmd", "telnet.auth.type", "telnet.auth.mod.enc", "_ws.malformed")
    named = [option for field in fields for option in ("-e", field)]
    assert said_by("tshark", "-r", recorded, "-T", "fields", *named).split("\t")[:3] == ["0", "15", "0"]


@pytest.mark.parametrize(
    ("settings", "security"),
    [("None", ("none",)), ("VncAuth,TLSVnc", ("vnc", "vencrypt")), ("Plain", ("vencrypt",))],
)
def test_tigervnc_says_what_it_wants(settings: str, security: tuple[str, ...]) -> None:
    with xvnc("-SecurityTypes", settings, "-PasswordFile", "/dev/null") as port:
        met = drive(vnc.PROBE, HOST, port)
    assert met.error is None
    assert met.evidence["vnc.version"] == "3.8"
    assert set(met.evidence["vnc.security"]) == set(security)


def test_tigervnc_that_refuses_an_address_says_no_version_of_its_own() -> None:
    with xvnc("-SecurityTypes", "None") as port:
        visits = [drive(vnc.PROBE, HOST, port) for _ in range(6)]
    assert [visit.evidence.get("vnc.version") for visit in visits] == ["3.8"] * 5 + [None]
    assert not any(isinstance(visit.error, LimitError) for visit in visits)
