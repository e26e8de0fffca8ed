"""What nmap and masscan write of real servers, imported, beside what our own probes learn of the same."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from scanner.probes import http, smb, ssh, tls
from tests.cli.process import run
from tests.imports.samples import heard
from tests.integration.driving import drive
from tests.integration.peers import ended, free_port, samba, wait_for
from tests.integration.peers_http_ldap import nginx
from tests.integration.peers_microsoft import inside
from tests.integration.peers_text import key, sshd
from tests.namespaces import wire

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scanner.probes import Probe
    from tests.integration.driving import Driven
    from tests.namespaces import Namespace, Wire

HOST = "127.0.0.1"
SMB1 = {"server min protocol": "NT1", "client min protocol": "NT1"}


def nmap(*ports: int, scripts: str, arguments: str = "x=1") -> bytes:
    """nmap's XML of ports of this machine; nothing is guessed, and no version is asked for."""
    asked = ("-p", ",".join(map(str, ports)), "--script", scripts, "--script-args", arguments)
    return subprocess.run(
        ["nmap", "-n", "-Pn", "-sT", *asked, "-oX", "-", HOST], capture_output=True, check=True, timeout=120
    ).stdout


def agreed(imported: dict[str, tuple[str, ...]], driven: Driven) -> set[str]:
    """The keys that were imported, each of which our own probe found to be the same."""
    own = {
        key: (values,) if isinstance(values, str) else tuple(values)
        for key, values in driven.evidence.items()
    }
    assert imported == {key: own.get(key) for key in imported}
    return set(imported)


def by_probe(content: bytes, form: str = "nmap") -> dict[str, dict[str, tuple[str, ...]]]:
    """The evidence by probe; each has one endpoint."""
    said = {name.rpartition(" ")[2]: words for name, words in heard(form, content).items() if words}
    assert not {"nmap", "masscan"} & said.keys()
    return said


# --- nmap


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (SMB1, {"smb.dialect": ("3.1.1",), "smb.signing": ("enabled",), "smb.smb1": ("yes",)}),
        (
            {
                "server min protocol": "SMB2_02",
                "server max protocol": "SMB2_10",
                "server signing": "mandatory",
            },
            {"smb.dialect": ("2.1",), "smb.signing": ("required",)},
        ),
    ],
    ids=["SMB 1 and up", "SMB 2 alone, signed"],
)
def test_nmap_of_samba(
    tmp_path: Path, settings: dict[str, str], expected: dict[str, tuple[str, ...]]
) -> None:
    port = free_port()
    with samba(tmp_path, HOST, [port], settings):
        scripts = "smb-protocols,smb2-security-mode,smb-security-mode,smb2-time"
        content = nmap(port, scripts=scripts, arguments=f"smbport={port}")
        driven = drive(smb.PROBE, HOST, port, service=445)
    said = by_probe(content)
    assert said == {"smb": expected}
    agreed(said["smb"], driven)


def test_nmap_of_nginx(tmp_path: Path) -> None:
    with nginx(tmp_path) as (port, secure):
        content = nmap(port, secure, scripts="+http-title,+http-server-header,+http-headers,+ssl-cert")
        driven = {"http": drive(http.PROBE, HOST, port, service=80), "tls": drive(tls.PROBE, HOST, secure)}
    found = heard("nmap", content)
    assert agreed(found[f"{HOST}:{port}/tcp http"], driven["http"]) >= {"http.server", "http.title"}
    assert agreed(found[f"{HOST}:{secure}/tcp tls"], driven["tls"]) >= {"tls.subject", "tls.issuer"}


def test_nmap_of_openssh(tmp_path: Path) -> None:
    with sshd(tmp_path, [key(tmp_path, "ed25519")]) as port:
        said = by_probe(nmap(port, scripts="+banner"))
        driven = drive(ssh.PROBE, HOST, port)
    assert said.keys() == {"ssh"}
    assert agreed(said["ssh"], driven) == {"ssh.protocol", "ssh.banner"}


def test_what_nmap_found_is_counted_and_explained(tmp_path: Path) -> None:
    port = free_port()
    with samba(tmp_path / "samba", HOST, [port], SMB1):
        content = nmap(port, scripts="smb-protocols,smb2-security-mode", arguments=f"smbport={port}")
    (tmp_path / "scan.xml").write_bytes(content)
    assert run("import", "nmap", "scan.xml", cwd=tmp_path)[0] == 0
    code, out, err = run("explain", HOST, "--json", cwd=tmp_path)
    assert (code, err) == (0, "")
    assert '"smb.smb1"' in out
    assert run("count", "--json", cwd=tmp_path)[0] == 0


# --- masscan


@pytest.fixture(scope="module")
def cable() -> Iterator[Wire]:
    with wire("imports") as made:
        yield made


FAR = "10.255.0.2"
OWN_PORTS = "61000-61255"
"""masscan's: it has a TCP of its own, of which the kernel must not know."""


TRIES = 8
"""It asks each port once, and on a busy machine its own TCP misses an answer now and then."""
BANNERS = 2


def masscan(cable: Wire, option: str, file: Path, ports: str) -> bytes:
    """masscan's banners of the machine at the other end."""
    shown = cable.hospital.run("ip", "-o", "link", "show", cable.ends[1]).stdout.split()
    mac = shown[shown.index("link/ether") + 1]
    asked = ("--rate", "200", "--wait", "6", "--source-port", OWN_PORTS, "-e", cable.ends[0])
    words = ("masscan", FAR, "-p", ports, "--banners", *asked, "--router-mac", mac, option, str(file))
    for _ in range(TRIES):
        cable.scanner.run(*words)
        content = file.read_bytes()
        if len(heard("masscan", content)) == BANNERS:
            break
    return content


@contextmanager
def web(folder: Path, namespace: Namespace) -> Iterator[None]:
    """Python's web server with a page."""
    (folder / "index.html").write_text("<html><title>Salle 3 &amp; 4</title></html>", encoding="utf-8")
    words = (sys.executable, "-m", "http.server", "80", "--bind", FAR, "--directory", str(folder))
    quiet = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with ended(namespace.start(*words, **quiet)) as process:
        wait_for(process, [(FAR, 80)], namespace.command())
        yield


def driven_from(cable: Wire, probe: Probe, port: int) -> Driven:
    return inside(cable.scanner, lambda: drive(probe, FAR, port))


@pytest.mark.namespaces
@pytest.mark.parametrize("option", ["-oD", "-oJ"])
def test_masscan_of_samba_and_a_web_server(option: str, tmp_path: Path, cable: Wire) -> None:
    rules = "table inet own { chain arriving { type filter hook input priority 0;\n"
    cable.scanner.run("nft", "-f", "-", stdin=f"{rules}tcp dport {OWN_PORTS} drop\n}}\n}}\n")
    with samba(tmp_path / "s", FAR, [445], SMB1, cable.hospital.command()), web(tmp_path, cable.hospital):
        content = masscan(cable, option, tmp_path / "out", "80,81,445")
        driven = {probe.name: driven_from(cable, probe, probe.ports[0]) for probe in (smb.PROBE, http.PROBE)}
    found = heard("masscan", content)
    assert found.keys() == {f"{FAR}:80/tcp http", f"{FAR}:445/tcp smb"}
    assert agreed(found[f"{FAR}:80/tcp http"], driven["http"]) == {"http.status", "http.server", "http.title"}
    keys = agreed(found[f"{FAR}:445/tcp smb"], driven["smb"])
    assert keys >= {"ntlm.version", "ntlm.netbios_name", "ntlm.netbios_domain", "ntlm.challenge"}
