"""Servers of TLS and of remote desktops, each started for one test and ended by it; readers of our words."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.integration.peers import ended, free_port, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


HOST = "127.0.0.1"
EVERYTHING = "ALL:@SECLEVEL=0"


@dataclass(frozen=True)
class Certificate:
    """A certificate and its key, made by OpenSSL's command."""

    file: Path
    key: Path

    @classmethod
    def made(cls, folder: Path, *options: str, subject: str = "/CN=ward") -> Certificate:
        """A new one; the options are those of ``openssl req``."""
        file, key = folder / "certificate.pem", folder / "key.pem"
        words = [
            "openssl",
            "req",
            "-x509",
            "-nodes",
            "-subj",
            subject,
            "-keyout",
            str(key),
            "-out",
            str(file),
        ]
        subprocess.run([*words, *options], check=True, capture_output=True, timeout=60)
        return cls(file, key)

    def told(self) -> dict[str, str]:
        """What OpenSSL's command reads in it, in the words of our evidence."""
        words = ["openssl", "x509", "-in", str(self.file), "-noout", "-fingerprint", "-sha256", "-subject"]
        options = ["-issuer", "-dates", "-dateopt", "iso_8601", "-nameopt", "RFC2253"]
        said = subprocess.run(
            [*words, *options], check=True, capture_output=True, text=True, timeout=60
        ).stdout
        lines = dict(line.partition("=")[::2] for line in said.splitlines())
        found = {
            "tls.certificate": lines["sha256 Fingerprint"].replace(":", "").lower(),
            "tls.subject": lines["subject"],
            "tls.issuer": lines["issuer"],
            "tls.not_before": lines["notBefore"].replace(" ", "T"),
            "tls.not_after": lines["notAfter"].replace(" ", "T"),
        }
        return {key: value for key, value in found.items() if value}


@contextmanager
def _serving(
    words: Sequence[str],
    port: int,
    *,
    address: str = HOST,
    prefix: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
) -> Iterator[int]:
    process = subprocess.Popen(
        [*prefix, *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **(environment or {})},
    )
    with ended(process):
        wait_for(process, [(address, port)], prefix)
        yield port


@contextmanager
def openssl(certificate: Certificate, *options: str) -> Iterator[int]:
    """OpenSSL's test server: its port."""
    port = free_port()
    words = ["openssl", "s_server", "-accept", f"{HOST}:{port}", "-quiet", "-cipher", EVERYTHING]
    files = ["-cert", str(certificate.file), "-key", str(certificate.key)]
    with _serving([*words, *files, *options], port):
        yield port


@contextmanager
def gnutls(certificate: Certificate, priority: str, prefix: Sequence[str]) -> Iterator[int]:
    """GnuTLS' test server, which still has RC4 and 3DES; it listens everywhere in its namespace."""
    words = ["gnutls-serv", "--quiet", "--port", "4433", "--priority", priority]
    files = ["--x509certfile", str(certificate.file), "--x509keyfile", str(certificate.key)]
    everywhere = "0.0.0.0"  # noqa: S104 - of a namespace of its own
    with _serving([*words, *files], 4433, address=everywhere, prefix=prefix):
        yield 4433


@contextmanager
def xrdp(folder: Path, certificate: Certificate, *, layer: str, versions: str) -> Iterator[int]:
    """Debian's xrdp: its port. Nobody can log on: there is no session manager."""
    port = free_port()
    settings = {
        "port": f"tcp://{HOST}:{port}",
        "security_layer": layer,
        "certificate": certificate.file,
        "key_file": certificate.key,
        "ssl_protocols": versions,
        "crypt_level": "high",
        "fork": "true",
    }
    listed = "".join(f"{key}={value}\n" for key, value in settings.items())
    log = f"LogFile={folder / 'xrdp.log'}\nLogLevel=INFO\nEnableSyslog=false\n"
    file = folder / "xrdp.ini"
    file.write_text(f"[Globals]\nini_version=1\n{listed}[Logging]\n{log}", encoding="utf-8")
    with _serving(["xrdp", "--nodaemon", "--config", str(file)], port):
        yield port


SCREENS = Path("/tmp/.X11-unix")  # noqa: S108 - where every X server listens


def _wait_for_screen(socket_file: Path) -> None:
    """Until the screen takes connections."""
    for _ in range(100):
        with socket.socket(socket.AF_UNIX) as asking:
            if asking.connect_ex(str(socket_file)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError(f"no screen at {socket_file}")


@contextmanager
def freerdp(folder: Path, *options: str) -> Iterator[int]:
    """FreeRDP's shadow server over an empty screen: its port. Nobody can log on: it knows no password."""
    port = free_port()
    users = folder / "users"
    users.write_text("nobody:::00000000000000000000000000000000:::\n", encoding="utf-8")
    screen = subprocess.Popen(
        ["Xvfb", "-displayfd", "1", "-noreset", "-screen", "0", "640x480x24", "-nolisten", "tcp"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with ended(screen):
        assert screen.stdout is not None
        display = screen.stdout.readline().strip()
        _wait_for_screen(SCREENS / f"X{display}")
        environment = {"DISPLAY": f":{display}", "HOME": str(folder)}
        words = ["freerdp-shadow-cli", f"/port:{port}", f"/bind-address:{HOST}", f"/sam-file:{users}"]
        with _serving([*words, *options], port, environment=environment):
            yield port


def dissected(folder: Path, said: bytes, port: int, *fields: str) -> dict[str, str]:
    """What tshark reads in a message to a port; every warning that it has is told as ``wrong``."""
    file = folder / "said.pcap"
    frames = [
        _packet(port, 0, 0, 2, b""),
        _packet(port, 1, 1, 0x10, b""),
        _packet(port, 1, 1, 0x18, said),
    ]
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101)  # raw IP
    body = b"".join(
        struct.pack("<IIII", 0, number, len(one), len(one)) + one for number, one in enumerate(frames)
    )
    file.write_bytes(head + body)
    wrong = _tshark(file, "_ws.malformed || (_ws.expert.severity >= 0x00600000 && !tcp.analysis.flags)")
    words = [word for field in fields for word in ("-e", field)]
    (told,) = _tshark(file, "tcp.len > 0", "-T", "fields", *words)
    return {**dict(zip(fields, told.split("\t"), strict=True)), "wrong": "; ".join(wrong)}


def _packet(port: int, sequence: int, acknowledged: int, flags: int, said: bytes) -> bytes:
    tcp = struct.pack(">HHIIBBHHH", 40000, port, sequence, acknowledged, 5 << 4, flags, 65535, 0, 0) + said
    addresses = bytes([192, 0, 2, 1, 192, 0, 2, 2])
    return struct.pack(">BxHHHBBH", 0x45, 20 + len(tcp), 1, 0, 64, 6, 0) + addresses + tcp


def _tshark(file: Path, chosen: str, *options: str) -> list[str]:
    words = ["tshark", "-r", str(file), "-Y", chosen, *options]
    return subprocess.run(words, check=True, capture_output=True, text=True, timeout=60).stdout.splitlines()
