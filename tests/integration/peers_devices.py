"""Agents, responders, archives and databases of Debian, each started for one test and ended by it."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.integration.peers import ended, free_port, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.namespaces import Namespace, Wire

HOST = "127.0.0.1"
ACCOUNT = "postgres"
"""PostgreSQL refuses to be root."""

AVAHI = """
[server]
host-name={name}
use-ipv6=no
enable-dbus=no
allow-interfaces={interface}
[publish]
publish-workstation=yes
"""
SERVICES = """
<?xml version="1.0" standalone='no'?><!DOCTYPE service-group SYSTEM "avahi-service.dtd">
<service-group><name>{name}</name>{services}</service-group>
"""
SERVICE = "<service><type>{}</type><port>{}</port>{}</service>"


@contextmanager
def _running(
    words: Sequence[str], environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        list(words),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **(environment or {})},
        start_new_session=True,
    )
    with ended(process):
        yield process


def _bound(process: subprocess.Popen[str], port: int, prefix: Sequence[str] = ()) -> None:
    """Wait until a process listens for datagrams on a port."""
    patience = time.monotonic() + 60
    while True:
        listed = subprocess.run([*prefix, "ss", "-Hlun"], capture_output=True, text=True, check=True).stdout
        if any(line.split()[3].endswith(f":{port}") for line in listed.splitlines()):
            return
        if process.poll() is not None or time.monotonic() > patience:
            process.kill()
            raise AssertionError(f"nobody listens on {port}: {process.communicate()[0]}")
        time.sleep(0.05)


def _free_datagram_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def snmpd(folder: Path, *settings: str) -> Iterator[int]:
    """Net-SNMP's agent in the foreground: its port."""
    port = _free_datagram_port()
    with agent(folder, HOST, port, *settings):
        yield port


@contextmanager
def agent(
    folder: Path, address: str, port: int, *settings: str, prefix: Sequence[str] = ()
) -> Iterator[None]:
    """The same at an address, run by ``prefix``, a command line that runs another one."""
    file = folder / f"snmpd-{address}.conf"
    file.write_text("\n".join([*settings, ""]), encoding="utf-8")
    words = [*prefix, "snmpd", "-f", "-Lo", "-C", "-c", str(file), f"udp:{address}:{port}"]
    own = {"MIBS": "", "SNMP_PERSISTENT_DIR": str(folder), "SNMPCONFPATH": str(folder)}
    with _running(words, own) as process:
        _bound(process, port, prefix)
        yield


@contextmanager
def avahi(folder: Path, wire: Wire, name: str, services: Mapping[str, str]) -> Iterator[None]:
    """Avahi at the hospital's end, with services and what their records say; without D-Bus.

    Its folders are those that it was built with: in its namespace, ours are mounted over them.
    """
    listed = [
        SERVICE.format(kind, 0, f"<txt-record>{said}</txt-record>" if said else "")
        for kind, said in services.items()
    ]
    (folder / "services").mkdir()
    (folder / "services" / "ours.service").write_text(
        SERVICES.format(name=name, services="".join(listed)).strip(), encoding="utf-8"
    )
    (folder / "avahi.conf").write_text(AVAHI.format(name=name, interface=wire.ends[1]), encoding="utf-8")
    script = (
        "mount -t tmpfs none /run && mkdir /run/avahi-daemon"
        f" && mount --bind {folder}/services /etc/avahi/services"
        f" && exec avahi-daemon -f {folder}/avahi.conf --no-chroot --no-drop-root --no-proc-title"
    )
    with _running(wire.hospital.command("sh", "-c", script)) as process:
        _said(process, "successfully established")
        yield


def _said(process: subprocess.Popen[str], words: str) -> None:
    """Wait until a process says something."""
    assert process.stdout is not None
    patience = threading.Timer(60, process.kill)
    patience.start()
    heard = []
    for line in process.stdout:
        heard.append(line)
        if words in line:
            patience.cancel()
            return
    raise AssertionError(f"it never said {words!r}: {''.join(heard)}")


@contextmanager
def minissdpd(folder: Path, wire: Wire, server: str) -> Iterator[None]:
    """MiniSSDPd at the hospital's end, answering for one root device that a program told it of."""
    path = folder / "minissdpd.sock"
    words = ["minissdpd", "-d", "-i", wire.ends[1], "-s", str(path), "-p", str(folder / "minissdpd.pid")]
    device = "uuid:1d0a5e5c-0000-4000-8000-00155d000001::upnp:rootdevice"
    told = ("upnp:rootdevice", device, server, "http://10.255.0.2:5000/description.xml")
    with _running(wire.hospital.command(*words)) as process:
        _bound(process, 1900, wire.hospital.command())
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(str(path))
            line.sendall(b"\4" + b"".join(bytes([len(each)]) + each.encode() for each in told))
        _said(process, "location=")
        yield


@contextmanager
def storescp() -> Iterator[int]:
    """DCMTK's storage server, which takes whatever title it is called by: its port."""
    port = free_port()
    with _running(["storescp", "--ignore", str(port)]) as process:
        wait_for(process, [("0.0.0.0", port)])  # noqa: S104 - it listens everywhere, and here it is called
        yield port


@contextmanager
def orthanc(folder: Path, title: str) -> Iterator[int]:
    """An Orthanc that checks by which title it is called: its port."""
    port = free_port()
    settings = {
        "StorageDirectory": str(folder),
        "IndexDirectory": str(folder),
        "HttpServerEnabled": False,
        "DicomAet": title,
        "DicomCheckCalledAet": True,
        "DicomPort": port,
        "Plugins": [],
    }
    file = folder / "orthanc.json"
    file.write_text(json.dumps(settings), encoding="utf-8")
    with _running(["Orthanc", str(file)]) as process:
        wait_for(process, [("0.0.0.0", port)])  # noqa: S104 - the same
        yield port


@contextmanager
def mariadbd(folder: Path, *options: str) -> Iterator[int]:
    """A MariaDB of the test's own, that nobody may log on to from elsewhere: its port."""
    port = free_port()
    user = pwd.getpwuid(os.geteuid()).pw_name
    where = ["--no-defaults", f"--user={user}", f"--datadir={folder}"]
    made = ["mariadb-install-db", *where, "--skip-test-db", "--auth-root-authentication-method=socket"]
    subprocess.run(made, check=True, capture_output=True, timeout=120)
    files = [f"--socket={folder}/sock", f"--pid-file={folder}/pid"]
    with _running(
        ["mariadbd", *where, *files, f"--bind-address={HOST}", f"--port={port}", *options]
    ) as process:
        wait_for(process, [(HOST, port)])
        yield port


@contextmanager
def postgres(folder: Path, *settings: str, files: Sequence[Path] = ()) -> Iterator[int]:
    """A PostgreSQL with settings of its own, ``files`` beside its data: its port."""
    programs = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    port = free_port()
    with ExitStack() as stack:
        prefix: list[str] = []
        if not os.geteuid():
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vetuste-")))
            prefix = ["setpriv", f"--reuid={ACCOUNT}", f"--regid={ACCOUNT}", "--clear-groups"]
        for file in files:
            shutil.copy(file, folder)
            (folder / file.name).chmod(0o600)
        if prefix:
            for path in (folder, *folder.iterdir()):
                shutil.chown(path, ACCOUNT, ACCOUNT)
        data = folder / "data"
        made = [*prefix, str(programs / "initdb"), "--no-sync", "-A", "reject", "-D", str(data)]
        subprocess.run(made, check=True, capture_output=True, timeout=120, cwd=folder)
        options = [f"-clisten_addresses={HOST}", f"-cport={port}", f"-cunix_socket_directories={folder}"]
        chosen = [f"-c{setting.format(folder=folder)}" for setting in settings]
        words = [*prefix, str(programs / "postgres"), "-D", str(data), *options, *chosen]
        process = stack.enter_context(_running(words))
        wait_for(process, [(HOST, port)])
        yield port


def dissected_datagram(folder: Path, said: bytes, port: int, *fields: str) -> dict[str, str]:
    """What tshark reads in a datagram to a port; every warning that it has is told as ``wrong``."""
    file = folder / "said.pcap"
    datagram = struct.pack(">HHHH", 40000, port, 8 + len(said), 0) + said
    addresses = socket.inet_aton("192.0.2.1") + socket.inet_aton("192.0.2.7")
    packet = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(datagram), 1, 0, 64, 17, 0) + addresses + datagram
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101)  # raw IP
    file.write_bytes(head + struct.pack("<IIII", 0, 0, len(packet), len(packet)) + packet)
    words = ["tshark", "-r", str(file)]
    severe = "_ws.malformed || _ws.expert.severity >= 0x00600000"
    wrong = subprocess.run([*words, "-Y", severe], capture_output=True, text=True, check=True).stdout
    options = [word for field in fields for word in ("-e", field)]
    told = subprocess.run(
        [*words, "-T", "fields", *options], capture_output=True, text=True, check=True
    ).stdout
    return {**dict(zip(fields, told.rstrip("\n").split("\t"), strict=True)), "wrong": wrong.strip()}


def address_of(namespace: Namespace) -> str:
    """The address of a namespace's end of the cable."""
    listed = json.loads(namespace.run("ip", "-j", "-4", "address", "show", "scope", "global").stdout)
    address: str = listed[0]["addr_info"][0]["local"]
    return address
