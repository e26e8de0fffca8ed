"""Web servers, a print server, a printer and a directory, each started for one test and ended by it.

Two are ours, for what no package has: a web server that asks for NTLM, and a WinRM service. Their words are
after the specifications; what they make of our NTLM and SPNEGO is impacket's.
"""

from __future__ import annotations

import os
import subprocess
import threading
import time
from base64 import b64decode, b64encode
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from impacket import ntlm  # type: ignore[import-untyped]  # it has no stubs
from impacket.spnego import (  # type: ignore[import-untyped]  # the same
    SPNEGO_NegTokenInit,
    SPNEGO_NegTokenResp,
    TypesMech,
)

from tests.integration.peers import ended, free_port, wait_for
from tests.probes.made import challenge

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

ADDRESS = "127.0.0.1"
ICON = b"\0\0\1\0 not quite an icon"
PAGE = "<!DOCTYPE html><html><head><title>Laboratoire &amp; pharmacie</title></head><body>x</body></html>"

NGINX = """
daemon off; master_process off; worker_processes 1; pid {folder}/pid; error_log stderr;
events {{ worker_connections 32; }}
http {{
  access_log {folder}/access.log;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{ listen {address}:{port}; {plain} root {folder}/site; }}
  server {{ listen {address}:{tls} ssl; {secure}
    ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem; root {folder}/site; }}
}}
"""
APACHE = """
ServerRoot {folder}
ServerName ward.example
PidFile {folder}/pid
DefaultRuntimeDir {folder}
ErrorLog {folder}/error.log
Listen {address}:{port}
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule dir_module /usr/lib/apache2/modules/mod_dir.so
LoadModule alias_module /usr/lib/apache2/modules/mod_alias.so
DocumentRoot {folder}/site
DirectoryIndex index.html
ServerTokens OS
{more}
"""
CUPSD = """
Listen {address}:{port}
ServerName {address}
WebInterface Yes
DefaultAuthType None
<Location />
  Order allow,deny
  Allow from {address}
</Location>
<Policy default>
  <Limit All>
    Order deny,allow
  </Limit>
</Policy>
"""
CUPS_FILES = """
ServerRoot {folder}/root
DataDir /usr/share/cups
DocumentRoot {folder}/site
ServerBin /usr/lib/cups
CacheDir {folder}/cache
StateDir {folder}/state
RequestRoot {folder}/spool
TempDir {folder}/spool
AccessLog {folder}/access.log
ErrorLog {folder}/error.log
PageLog {folder}/page.log
User lp
Group lp
SystemGroup root
"""
BUS = """
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path={folder}/bus</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/> <allow own="*"/> <allow send_destination="*"/> <allow receive_sender="*"/>
  </policy>
</busconfig>
"""
AVAHI = """
[server]
use-ipv4=yes
use-ipv6=no
allow-interfaces=none
"""
SLAPD = """
include /etc/ldap/schema/core.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {folder}/pid
argsfile {folder}/args
database mdb
suffix "dc=ward,dc=example"
rootdn "cn=nobody,dc=ward,dc=example"
directory {folder}/data
"""


@contextmanager
def running(
    command: Sequence[str], *ports: int, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """A server in the foreground, from when it listens to the end of the context."""
    process = subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    with ended(process):
        wait_for(process, [(ADDRESS, port) for port in ports])
        yield process


def site(folder: Path) -> None:
    """A page, another one, and an icon."""
    (folder / "site").mkdir()
    (folder / "site" / "index.html").write_text(PAGE, encoding="utf-8")
    (folder / "site" / "start.html").write_text(PAGE.replace("pharmacie", "urgences"), encoding="utf-8")
    (folder / "site" / "favicon.ico").write_bytes(ICON)


def certificate(folder: Path) -> None:
    """A certificate that nobody signed."""
    subject = ("-subj", "/O=Ward/CN=ward.example", "-days", "2")
    files = ("-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem"))
    command = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes")
    subprocess.run([*command, *subject, *files], check=True, capture_output=True)


@contextmanager
def nginx(folder: Path, plain: str = "", secure: str = "") -> Iterator[tuple[int, int]]:
    """Debian's nginx: a port without TLS, and one with it."""
    site(folder)
    certificate(folder)
    port, tls = free_port(), free_port()
    words = {"folder": folder, "address": ADDRESS, "port": port, "tls": tls, "plain": plain, "secure": secure}
    (folder / "nginx.conf").write_text(NGINX.format(**words), encoding="utf-8")
    with running(["nginx", "-c", str(folder / "nginx.conf"), "-e", "stderr"], port, tls):
        yield port, tls


@contextmanager
def apache(folder: Path, more: str = "") -> Iterator[int]:
    """Debian's Apache."""
    site(folder)
    port = free_port()
    words = {"folder": folder, "address": ADDRESS, "port": port, "more": more}
    (folder / "apache.conf").write_text(APACHE.format(**words), encoding="utf-8")
    with running(["apache2", "-D", "FOREGROUND", "-f", str(folder / "apache.conf")], port):
        yield port


@contextmanager
def cupsd(folder: Path) -> Iterator[int]:
    """Debian's print server, without a printer."""
    for name in ("root", "site", "cache", "state", "spool"):
        (folder / name).mkdir()
    port = free_port()
    (folder / "cupsd.conf").write_text(CUPSD.format(address=ADDRESS, port=port), encoding="utf-8")
    (folder / "cups-files.conf").write_text(CUPS_FILES.format(folder=folder), encoding="utf-8")
    files = ("-c", str(folder / "cupsd.conf"), "-s", str(folder / "cups-files.conf"))
    with running(["cupsd", "-f", *files], port):
        yield port


@contextmanager
def slapd(folder: Path) -> Iterator[int]:
    """OpenLDAP's directory server."""
    (folder / "data").mkdir()
    (folder / "slapd.conf").write_text(SLAPD.format(folder=folder), encoding="utf-8")
    port = free_port()
    command = ("slapd", "-d", "0", "-f", str(folder / "slapd.conf"), "-h", f"ldap://{ADDRESS}:{port}")
    with running(command, port):
        yield port


@contextmanager
def printer(folder: Path, make: str, model: str) -> Iterator[int]:
    """CUPS' printer without paper. It wants a name server of the local link: one that serves no interface.

    That one keeps its files in /run, of which it gets one of its own.
    """
    (folder / "bus.conf").write_text(BUS.format(folder=folder), encoding="utf-8")
    (folder / "avahi.conf").write_text(AVAHI, encoding="utf-8")
    (folder / "spool").mkdir()
    environment = {**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={folder}/bus"}
    bus = ("dbus-daemon", f"--config-file={folder}/bus.conf", "--nofork", "--nopidfile")
    alone = ("unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /run && exec "$@"', "sh")
    options = ("--no-chroot", "--no-drop-root", "--no-rlimits", "-f", str(folder / "avahi.conf"))
    port = free_port()
    about = ("-M", make, "-m", model, "-d", str(folder / "spool"), "-f", "application/pdf", "-r", "off")
    command = ("ippeveprinter", "-n", "localhost", "-p", str(port), *about, "Ward")
    with running(bus, environment=environment):
        _wait_for_file(folder / "bus")
        with running((*alone, "avahi-daemon", *options), environment=environment) as avahi:
            assert avahi.stdout is not None
            assert any("startup complete" in line for line in avahi.stdout), "there is no name server"
            with running(command, port, environment=environment):
                yield port


def _wait_for_file(file: Path) -> None:
    patience = time.monotonic() + 30
    while not file.exists():
        assert time.monotonic() < patience, f"there is no {file.name}"
        time.sleep(0.05)


class NtlmHandler(BaseHTTPRequestHandler):
    """Refuses everybody; who begins NTLM, with SPNEGO or without, gets a challenge of Windows XP."""

    protocol_version = "HTTP/1.1"
    scheme = "NTLM"

    def version_string(self) -> str:
        return "Microsoft-IIS/5.1"

    def do_GET(self) -> None:
        kind, _, token = self.headers.get("Authorization", "").partition(" ")
        said = f"{kind} {_challenged(kind, b64decode(token))}" if kind == self.scheme else self.scheme
        self.answer(401, b"<title>Pharmacie</title>", **{"WWW-Authenticate": said})

    def answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: the test's output is not theirs."""


class SpnegoHandler(NtlmHandler):
    """The same, with Negotiate alone."""

    scheme = "Negotiate"


class WinRmHandler(SpnegoHandler):
    """[MS-WSMV] 3.1.4.1.23: Identify without authentication; anything else is refused."""

    def version_string(self) -> str:
        return "Microsoft-HTTPAPI/2.0"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert self.path == "/wsman"
        if self.headers.get("WSMANIDENTIFY") == "unauthenticated" and b":Identify/>" in body:
            vendor = b"<i:ProductVendor>Microsoft Corporation</i:ProductVendor>"
            version = b"<i:ProductVersion>OS: 0.0.0 SP: 0.0 Stack: 3.0</i:ProductVersion>"
            self.answer(200, vendor + version, **{"Content-Type": "application/soap+xml;charset=UTF-8"})
        else:
            self.do_GET()


def _challenged(kind: str, blob: bytes) -> str:
    """What impacket makes of our first message, and a challenge in the same form."""
    token: Any = ntlm.NTLMAuthNegotiate()
    if kind == "NTLM":
        token.fromString(blob)
        said = challenge()
    else:
        offer: Any = SPNEGO_NegTokenInit(blob)
        assert offer["MechTypes"] == [TypesMech["NTLMSSP - Microsoft NTLM Security Support Provider"]]
        token.fromString(offer["MechToken"])
        answer: Any = SPNEGO_NegTokenResp()
        answer["NegState"] = b"\x01"
        answer["SupportedMech"] = offer["MechTypes"][0]
        answer["ResponseToken"] = challenge()
        said = answer.getData()
    assert token["message_type"] == 1
    return b64encode(said).decode()


@contextmanager
def served(handler: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    """A web server of ours, in a thread of the test's."""
    with ThreadingHTTPServer((ADDRESS, 0), handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()
