"""Every script that may be run, on the wire, against real servers: what it sends, to whom, how often.

What counts is not what we say but what tcpdump records, what a program in nmap's place was told, and what
servers heard inside of TLS.
"""

from __future__ import annotations

import os
import re
import shutil
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from scanner.deep import allowed, nmap
from scanner.transport.limits import PROFILES, REFUSED_PORTS
from tests.deep.asking import Asked, ask
from tests.deep.island import OUTSIDE, island, logs_on, sent
from tests.deep.pretenders import Pretender, rdp, web
from tests.integration import peers, peers_http_ldap, peers_text, peers_tls_rdp
from tests.integration.peers_microsoft import inside
from tests.integration.peers_tls_rdp import Certificate

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.namespaces import Namespace

SCRIPTS = Path("/usr/share/nmap/scripts")
WRAPPER = '#!/bin/sh\nprintf "%s\\n" "$@" >> {log}\nexec {nmap} "$@"\n'
HARMFUL = ("auth", "brute", "dos", "exploit", "external", "fuzzer", "intrusive", "malware", "vuln")
FORBIDDEN = ("smb-os-discovery", "snmp-", "ldap-", "ms-sql-", "nbstat", "-brute", "-vuln", "-enum")


class Scene(NamedTuple):
    """A server, the registered port that it stands for, and what the script must tell of it."""

    start: Callable[[ExitStack, Path], int]
    service: int
    tells: dict[str, str]


def xrdp(stack: ExitStack, folder: Path) -> int:
    certificate = Certificate.made(folder, "-newkey", "rsa:2048", "-days", "2")
    return stack.enter_context(
        peers_tls_rdp.xrdp(folder, certificate, layer="tls", versions="TLSv1.2, TLSv1.3")
    )


def freerdp(stack: ExitStack, folder: Path) -> int:
    return stack.enter_context(peers_tls_rdp.freerdp(folder, "/sec:nla"))


def nginx(stack: ExitStack, folder: Path) -> int:
    return stack.enter_context(peers_http_ldap.nginx(folder))[0]


def nginx_tls(stack: ExitStack, folder: Path) -> int:
    return stack.enter_context(peers_http_ldap.nginx(folder))[1]


def dovecot_imap(stack: ExitStack, folder: Path) -> int:
    return stack.enter_context(peers_text.dovecot(folder, "plain ntlm")).imap


def dovecot_imaps(stack: ExitStack, folder: Path) -> int:
    return stack.enter_context(peers_text.dovecot(folder, "plain ntlm")).imaps


def dovecot_pop3s(stack: ExitStack, folder: Path) -> int:
    return stack.enter_context(peers_text.dovecot(folder, "plain ntlm")).pop3s


def samba(stack: ExitStack, folder: Path) -> int:
    port = peers.free_port()
    stack.enter_context(peers.samba(folder / "samba", "127.0.0.1", [port], {"server min protocol": "NT1"}))
    return port


def pretending_web(stack: ExitStack, folder: Path) -> int:
    return stack.enter_context(Pretender(web, folder)).port


def pretending_rdp(stack: ExitStack, folder: Path) -> int:
    return stack.enter_context(Pretender(rdp, folder)).port


NTLM = {"ntlm.version": "5.1.2600", "ntlm.netbios_name": "ward-pc-07"}
SCENES = {
    ("rdp-ntlm-info", "FreeRDP"): Scene(freerdp, 3389, {"ntlm.version": "6.1.7601"}),
    ("rdp-ntlm-info", "pretender"): Scene(pretending_rdp, 3389, NTLM),
    ("rdp-ntlm-info", "xrdp"): Scene(xrdp, 3389, {}),
    ("http-ntlm-info", "pretender"): Scene(pretending_web, 80, NTLM),
    ("http-ntlm-info", "pretender, TLS"): Scene(pretending_web, 443, NTLM),
    ("http-ntlm-info", "nginx"): Scene(nginx, 80, {}),
    ("imap-ntlm-info", "Dovecot"): Scene(dovecot_imap, 143, NTLM),
    ("imap-ntlm-info", "Dovecot, TLS"): Scene(dovecot_imaps, 993, NTLM),
    ("pop3-ntlm-info", "Dovecot, TLS"): Scene(dovecot_pop3s, 995, NTLM),
    ("http-server-header", "nginx"): Scene(nginx, 80, {"http.server": "nginx/1.22.1"}),
    ("http-server-header", "nginx, TLS"): Scene(nginx_tls, 443, {"http.server": "nginx/1.22.1"}),
    ("ssl-cert", "nginx, TLS"): Scene(nginx_tls, 443, {"tls.subject": "CN=ward.example,O=Ward"}),
    ("smb2-security-mode", "Samba"): Scene(samba, 445, {"smb.dialect": "3.1.1", "smb.signing": "enabled"}),
    ("smb-protocols", "Samba"): Scene(samba, 445, {"smb.dialect": "3.1.1", "smb.smb1": "yes"}),
}


def test_every_script_is_seen_here() -> None:
    assert {name for name, _ in SCENES} == {script.name for script in allowed.scripts().scripts}


@pytest.mark.parametrize("script", allowed.scripts().scripts, ids=lambda script: script.name)
def test_what_may_be_run_keeps_the_rules(script: allowed.Allowed) -> None:
    """Names of scripts, not of categories or patterns; of such that nmap's authors call safe."""
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", script.name)
    assert not any(word in script.name for word in FORBIDDEN)
    text = (SCRIPTS / f"{script.name}.nse").read_text(encoding="utf-8")
    categories = re.search(r"^categories\s*=\s*\{([^}]*)\}", text, re.MULTILINE)
    assert categories
    assert not any(f'"{word}"' in categories[1] for word in HARMFUL)
    assert not set(script.ports) & REFUSED_PORTS
    assert set(script.ports) <= allowed.scripts().names.keys()
    assert 1 <= script.connections < PROFILES["office"].connections
    assert 0 < script.bytes <= 4096
    assert not script.logs_on


@pytest.mark.namespaces
@pytest.mark.parametrize(("script", "server"), SCENES, ids=[" ".join(key) for key in SCENES])
def test_what_a_script_sends(tmp_path: Path, script: str, server: str) -> None:
    scene = SCENES[script, server]
    log = tmp_path / "bin" / "words"
    _wrapper(log)
    with island("deep") as namespace, ExitStack() as stack:
        port = inside(namespace, lambda: scene.start(stack, tmp_path))
        file = tmp_path / "all.pcap"
        with namespace.recording(file):
            path = f"{log.parent}:{os.environ['PATH']}"
            asked = ask(namespace, "nmap", {port: scene.service}, script, path=path)
        _demand_nothing_outside(namespace)
    told = {key: values[0] for key, values in asked.evidence.items()}
    assert told.items() >= scene.tells.items()
    assert scene.tells or not told
    relay = _demand_words(log, script)
    _demand_packets(file, asked, port, relay, script)


def _wrapper(log: Path) -> None:
    """A program in nmap's place that keeps what it is told, and lets nmap do it."""
    log.parent.mkdir()
    file = log.with_name("nmap")
    file.write_text(WRAPPER.format(log=log, nmap=shutil.which("nmap")), encoding="utf-8")
    file.chmod(0o755)


def _demand_words(log: Path, script: str) -> int:
    """The command line that was executed; the port that it has."""
    version, *words = log.read_text(encoding="utf-8").splitlines()
    assert version == "-V"
    word = next(each.word for each in allowed.scripts().scripts if each.name == script)
    port = words[words.index("-p") + 1]
    head = ["-oX", "-", "127.0.0.1", "-p", port]
    options = [*nmap.OPTIONS, "--script", word, "--script-args", f"smbport={port}", "--datadir"]
    assert words[:-1] == [*head, *options]
    return int(port)


def _demand_nothing_outside(namespace: Namespace) -> None:
    counted = namespace.run("cat", f"/sys/class/net/{OUTSIDE}/statistics/tx_packets").stdout
    assert counted.strip() == "0"


def _demand_packets(file: Path, asked: Asked, port: int, relay: int, script: str) -> None:
    """To the server and to the relay's port alone; as many connections and bytes as the ledger has."""
    assert not logs_on(file)
    packets = sent(file)
    assert {packet.to for packet in packets} == {"127.0.0.1"}
    assert all({packet.port, packet.source} & {port, relay} for packet in packets)
    (limits,) = (each for each in allowed.scripts().scripts if each.name == script)
    opened = [packet for packet in packets if packet.port == port and packet.opens]
    assert len(opened) == len(asked.attempts) == asked.connections <= limits.connections
    assert sum(packet.size for packet in packets if packet.port == port) == sum(
        attempt["sent"] for attempt in asked.attempts
    )
    assert len([packet for packet in packets if packet.port == port]) <= limits.packets
    assert max(attempt["sent"] for attempt in asked.attempts) <= limits.bytes
    times = [attempt["at"] for attempt in asked.attempts]
    assert all(after - before > 0.5 for before, after in pairwise(times)), "two a second, as everything else"


@pytest.mark.namespaces
@pytest.mark.parametrize(
    ("serve", "service", "scripts"),
    [(rdp, 3389, ()), (web, 80, ()), (web, 443, ())],
    ids=["RDP", "HTTP", "HTTPS"],
)
def test_inside_of_tls_nothing_logs_on_either(
    tmp_path: Path,
    serve: Callable[..., None],
    service: int,
    scripts: tuple[str, ...],
) -> None:
    """All that may be run there, heard by a server that has the key."""
    with island("deep") as namespace, ExitStack() as stack:
        pretender = inside(namespace, lambda: stack.enter_context(Pretender(serve, tmp_path)))
        asked = ask(namespace, "nmap", {pretender.port: service}, *scripts)
        heard = b"\n".join(pretender.heard)
    assert asked.evidence["ntlm.version"] == ("5.1.2600",)
    assert b"NTLMSSP\0\1\0\0\0" in heard or b"TlRMTVNTUAAB" in heard
    assert b"NTLMSSP\0\3" not in heard
    assert b"TlRMTVNTUAAD" not in heard


@pytest.mark.namespaces
def test_a_script_that_logs_on_is_held_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """smb-os-discovery would; should anybody ever allow it, what logs on does not leave."""
    wicked = tmp_path / "scripts.toml"
    text = Path(allowed.__file__).with_name("scripts.toml").read_text(encoding="utf-8")
    limits = "connections = 4\npackets = 64\nbytes = 4096\nlogs_on = true"
    more = f'[[script]]\nname = "smb-os-discovery"\nports = [445]\n{limits}\n'
    wicked.write_text(f"{text}\n{more}", encoding="utf-8")
    monkeypatch.setenv("VETUSTE_TEST_SCRIPTS", str(wicked))
    with island("deep") as namespace, ExitStack() as stack:
        port = inside(namespace, lambda: samba(stack, tmp_path))
        file = tmp_path / "all.pcap"
        with namespace.recording(file, "tcp", "port", str(port)):
            asked = ask(namespace, "nmap", {port: 445}, "smb-os-discovery")
    assert asked.outcomes == ["withheld"]
    assert asked.details == ["an NTLM AUTHENTICATE message was held back"]
    assert len(sent(file)) > 4
    assert not logs_on(file)
