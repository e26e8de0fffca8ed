"""Servers of text protocols, as Debian packages them, each started for one test and ended by it."""

from __future__ import annotations

import getpass
import grp
import os
import socket
import subprocess
import threading
from base64 import b64encode
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tests.integration.peers import ended, free_port, wait_for
from tests.probes import made

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HOST = "127.0.0.1"

EXIM = """
exim_path = /usr/sbin/exim4
spool_directory = {folder}/spool
log_file_path = syslog
primary_hostname = mail.ward.example
keep_environment =
tls_advertise_hosts =
begin authenticators
ntlm:
  driver = spa
  public_name = {mechanism}
  server_password = fail
"""
VSFTPD = """
run_as_launching_user=YES
listen=NO
anonymous_enable=YES
xferlog_enable=NO
ftpd_banner={banner}
"""
DOVECOT = """
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/log
{users}
protocols = imap pop3
listen = {host}
ssl = yes
ssl_cert = <{folder}/cert.pem
ssl_key = <{folder}/key.pem
auth_mechanisms = {mechanisms}
auth_use_winbind = yes
auth_winbind_helper_path = {folder}/helper
passdb {{
  driver = passwd-file
  args = {folder}/nobody
}}
service auth {{
  user = {user}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
"""
LOGIN = """
service {name}-login {{
  chroot =
  inet_listener {name} {{
    port = {clear}
  }}
  inet_listener {name}s {{
    port = {secure}
    ssl = yes
  }}
}}
"""
HELPER = """#!/bin/sh
# Speaks as Samba's ntlm_auth does; the challenge is made in the tests.
while read -r line; do
  case "$line" in "YR "*) echo "TT {challenge}" ;; *) echo "NA nobody" ;; esac
done
"""


def key(folder: Path, kind: str) -> Path:
    """A new host key of OpenSSH's."""
    file = folder / f"host_{kind}"
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", file], check=True)
    return file


@contextmanager
def sshd(folder: Path, keys: Sequence[Path], *settings: str) -> Iterator[int]:
    """Debian's OpenSSH in the foreground, with its own host keys."""
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # its package leaves that to systemd
    port = free_port(HOST)
    lines = [f"Port {port}", f"ListenAddress {HOST}", "PidFile none", *(f"HostKey {file}" for file in keys)]
    (folder / "sshd_config").write_text("\n".join([*lines, *settings, ""]), encoding="utf-8")
    with _running(["/usr/sbin/sshd", "-D", "-e", "-f", str(folder / "sshd_config")], port):
        yield port


@contextmanager
def dropbear(folder: Path, kind: str) -> Iterator[tuple[int, str]]:
    """Dropbear in the foreground, and its host key's hash."""
    file, port = folder / "dropbear", free_port(HOST)
    made = subprocess.run(["dropbearkey", "-t", kind, "-f", file], capture_output=True, text=True, check=True)
    digest = next(line.split()[1] for line in made.stdout.splitlines() if line.startswith("Fingerprint:"))
    with _running(
        ["dropbear", "-F", "-E", "-p", f"{HOST}:{port}", "-r", str(file), "-P", str(folder / "pid")], port
    ):
        yield port, digest


@contextmanager
def xvnc(*settings: str) -> Iterator[int]:
    """TigerVNC's server with a small screen; nobody's display is taken: X chooses a free one."""
    port = free_port(HOST)
    reading, writing = os.pipe()
    command = [
        "Xtigervnc",
        "-displayfd",
        str(writing),
        "-rfbport",
        str(port),
        "-localhost",
        "-geometry",
        "64x48",
    ]
    try:
        with _running([*command, *settings], port, keeps=(writing,)):
            yield port
    finally:
        os.close(reading)
        os.close(writing)


class Ports(NamedTuple):
    """Where Dovecot listens."""

    imap: int
    imaps: int
    pop3: int
    pop3s: int


@contextmanager
def dovecot(folder: Path, mechanisms: str) -> Iterator[Ports]:
    """Dovecot, as whom the tests run, with NTLM from a helper of ours."""
    made_by = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=mail.example",
    ]
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    subprocess.run([*made_by, *files], check=True, capture_output=True)
    helper = folder / "helper"
    helper.write_text(HELPER.format(challenge=b64encode(made.challenge()).decode()), encoding="utf-8")
    helper.chmod(0o755)
    (folder / "nobody").touch()
    user, group = getpass.getuser(), grp.getgrgid(os.getgid()).gr_name
    users = f"default_internal_user = {user}\ndefault_login_user = {user}\ndefault_internal_group = {group}"
    ports = Ports(*(free_port(HOST) for _ in range(4)))
    text = DOVECOT.format(
        folder=folder,
        host=HOST,
        user=user,
        users=users if os.geteuid() else "",  # root has the package's own users
        mechanisms=mechanisms,
    )
    text += LOGIN.format(name="imap", clear=ports.imap, secure=ports.imaps)
    text += LOGIN.format(name="pop3", clear=ports.pop3, secure=ports.pop3s)
    (folder / "dovecot.conf").write_text(text, encoding="utf-8")
    with _running(["dovecot", "-F", "-c", str(folder / "dovecot.conf")], *ports):
        yield ports


@contextmanager
def _running(command: Sequence[str], *ports: int, keeps: Sequence[int] = ()) -> Iterator[None]:
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        pass_fds=keeps,
    )
    with ended(process):
        wait_for(process, [(HOST, port) for port in ports])
        yield


@contextmanager
def inetd(*command: str) -> Iterator[int]:
    """A super server for one call, whose process has the connection for its terminal."""
    started: list[subprocess.Popen[bytes]] = []
    with socket.create_server((HOST, 0)) as listening:

        def accept() -> None:
            with suppress(OSError), listening.accept()[0] as connected:
                number = connected.fileno()
                started.append(
                    subprocess.Popen(command, stdin=number, stdout=number, stderr=subprocess.DEVNULL)
                )

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            with suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)
            thread.join(10)
            for process in started:
                process.kill()
                process.wait(10)
