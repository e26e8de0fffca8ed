"""Other people's servers, each started for one test, with its files in the test's folder, and ended by it."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

SAMBA_FOLDERS = ("lock", "state", "cache", "private", "pid", "ncalrpc")
SAMBA = {
    "netbios name": "LOCALSAMBA",
    "workgroup": "WARD",
    "server role": "standalone server",
    "map to guest": "Never",
    "bind interfaces only": "yes",
    "load printers": "no",
    "printing": "bsd",
    "disable spoolss": "yes",
    "mdns name": "mdns",
    "multicast dns register": "no",
}

_IMPACKET = """
import sys
import time
from impacket.smbserver import SimpleSMBServer
server = SimpleSMBServer(sys.argv[1], int(sys.argv[2]))
server.setSMB2Support(sys.argv[3] == "yes")
print("ready", flush=True)
server.start()
"""


def free_port(address: str = "127.0.0.1") -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((address, 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def ended(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """A process that ends with this context, politely if it can."""
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate(timeout=10)


@contextmanager
def samba(
    folder: Path, address: str, ports: Sequence[int], settings: Mapping[str, str], prefix: Sequence[str] = ()
) -> Iterator[None]:
    """Debian's smbd in the foreground, under a configuration of the test's own."""
    for name in SAMBA_FOLDERS:
        (folder / name).mkdir(parents=True)
    # One name is a part of another: "private dir" alone is not called a directory.
    paths = {
        f"{name} {'dir' if name in {'private', 'ncalrpc'} else 'directory'}": str(folder / name)
        for name in SAMBA_FOLDERS
    }
    where = {"interfaces": f"{address}/32", "smb ports": " ".join(map(str, ports))}
    configuration = {**SAMBA, **paths, **where, **settings}
    file = folder / "smb.conf"
    lines = [f"{key} = {value}" for key, value in configuration.items()]
    file.write_text("\n".join(["[global]", *lines, ""]), encoding="utf-8")
    process = subprocess.Popen(
        [
            *prefix,
            "smbd",
            "--foreground",
            "--no-process-group",
            "--debug-stdout",
            "-s",
            str(file),
            "-l",
            str(folder),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    with ended(process):
        wait_for(process, [(address, port) for port in ports], prefix)
        yield


@contextmanager
def impacket(address: str, port: int, *, smb2: bool, prefix: Sequence[str] = ()) -> Iterator[None]:
    """Impacket's SMB server, with SMB 2 or without."""
    process = subprocess.Popen(
        [
            *prefix,
            sys.executable,
            "-W",
            "ignore",
            "-c",
            _IMPACKET,
            address,
            str(port),
            "yes" if smb2 else "no",
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with ended(process):
        wait_for(process, [(address, port)], prefix)
        yield


def wait_for(
    process: subprocess.Popen[str], where: Sequence[tuple[str, int]], prefix: Sequence[str] = ()
) -> None:
    """Wait until a server listens there, without calling it: some count their callers."""
    wanted = {f"{address}:{port}" for address, port in where}
    patience = time.monotonic() + 60
    while True:
        listed = subprocess.run([*prefix, "ss", "-Hltn"], capture_output=True, text=True, check=True).stdout
        if wanted <= {line.split()[3] for line in listed.splitlines()}:
            return
        if process.poll() is not None or time.monotonic() > patience:
            process.kill()
            raise AssertionError(f"nobody listens at {wanted}: {process.communicate()[0]}")
        time.sleep(0.05)
