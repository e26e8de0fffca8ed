"""What others read of the simulated machines: nmap, smbclient and impacket, each over all of them."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from scanner.simulator.personalities import personalities
from scanner.simulator.plan import Hospital
from tests.namespaces import Namespace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EVERY = tuple(key for key, kind in personalities().items() if not kind.behaviour)
HONEST = tuple(key for key in EVERY if personalities()[key].smb)
PORTS = [445, 139, 3389, 137, 135, 161, 22, 80]
"""The registered ports, in the order of the simulator's option."""
NETBIOS_ONLY = {key for key, kind in personalities().items() if kind.netbios_only}

IMPACKET = """
import json, sys
from impacket.smbconnection import SMBConnection
read = {}
for address, port in json.load(sys.stdin):
    connection = SMBConnection("*SMBSERVER", address, sess_port=port, timeout=10)
    connection.login("", "")
    read[address] = {
        "dialect": connection.getDialect(),
        "os": connection.getServerOS(),
        "name": connection.getServerName(),
        "domain": connection.getServerDomain(),
        "dns_domain": connection.getServerDNSDomainName(),
        "signing": connection.isSigningRequired(),
    }
json.dump(read, sys.stdout)
"""


@dataclass
class Readings:
    """What each judge says of each personality."""

    names: dict[str, str] = field(default_factory=dict)
    nmap: dict[str, dict[str, Any]] = field(default_factory=dict)
    smbclient: dict[str, str] = field(default_factory=dict)
    impacket: dict[str, dict[str, Any]] = field(default_factory=dict)


@contextmanager
def hospital(truth: Path) -> Iterator[Namespace]:
    """One machine of each well-behaved kind on the registered ports, in a namespace of its own."""
    namespace = Namespace(f"vt-judged-{os.getpid()}")
    subprocess.run(["ip", "netns", "add", namespace.name], check=True, capture_output=True)
    process = None
    try:
        namespace.run("ip", "link", "set", "lo", "up")
        mix = ",".join(f"{key}=1" for key in EVERY)
        process = namespace.start(
            *[sys.executable, "-m", "scanner.simulator", "--hosts", str(len(EVERY)), "--wards", "1"],
            *["--mix", mix, "--ports", ",".join(map(str, PORTS)), "--truth", str(truth)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert process.stdout
        assert list(chain.from_iterable(json.loads(process.stdout.readline())["ports"].values())) == PORTS
        yield namespace
    finally:
        if process is not None:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=10)
        subprocess.run(["ip", "netns", "delete", namespace.name], check=True, capture_output=True)


def read_all(folder: Path) -> Readings:
    """Let every judge look at every machine."""
    truth = folder / "truth.csv"
    readings = Readings()
    with hospital(truth) as namespace, truth.open() as file:
        rows = {row["personality"]: row["address"] for row in csv.DictReader(file)}
        where = {key: rows[key] for key in HONEST}
        of = {address: key for key, address in where.items()}
        planned = Hospital(len(EVERY), 1, mix=dict.fromkeys(EVERY, 1))
        readings.names = {key: planned.places[address].name for key, address in where.items()}
        for ports, keys in (("445,139", set(HONEST) - NETBIOS_ONLY), ("139", NETBIOS_ONLY)):
            read = _nmap(namespace, ports, [where[key] for key in keys])
            readings.nmap.update({of[address]: said for address, said in read.items()})
        asked = [(address, 139 if key in NETBIOS_ONLY else 445) for key, address in where.items()]
        for address, port in asked:
            readings.smbclient[of[address]] = _smbclient(namespace, address, port)
        said = namespace.run(sys.executable, "-c", IMPACKET, stdin=json.dumps(asked)).stdout
        readings.impacket = {of[address]: found for address, found in json.loads(said).items()}
    return readings


def _nmap(namespace: Namespace, ports: str, addresses: list[str]) -> dict[str, dict[str, Any]]:
    scripts = ["--script", "smb-os-discovery,smb-protocols"]
    words = ["nmap", "-n", "-Pn", "-sT", f"-p{ports}", *scripts, "-oX", "-", *addresses]
    read: dict[str, dict[str, Any]] = {}
    for host in ET.fromstring(namespace.run(*words).stdout).iter("host"):  # noqa: S314 - as above
        address = host.find("address")
        assert address is not None
        said: dict[str, Any] = {"dialects": []}
        for script in host.iter("script"):
            if script.get("id") == "smb-protocols":
                said["dialects"] = [entry.text for entry in script.iter("elem")]
            else:
                said.update({entry.attrib["key"]: entry.text for entry in script.findall("elem")})
        read[address.attrib["addr"]] = said
    return read


def _smbclient(namespace: Namespace, address: str, port: int) -> str:
    words = [
        "smbclient",
        "-L",
        f"//{address}",
        "-N",
        "-p",
        str(port),
        "--option=client min protocol=NT1",
        "-d10",
    ]
    done = subprocess.run(namespace.command(*words), capture_output=True, timeout=60, check=False)
    return (done.stdout + done.stderr).decode("latin-1")


def negotiated(text: str) -> str:
    """The dialect that smbclient agreed on."""
    found = re.search(r"negotiated dialect\[(\w+)\]", text)
    return found[1] if found else ""


_NUMBER = r"Product{}Version +: \w+ \((\w+)\)"


def challenge(text: str) -> tuple[int, int, int] | None:
    """The version that smbclient saw in the challenge; nothing where there was none."""
    start = text.find("CHALLENGE_MESSAGE")
    if start < 0:
        return None
    numbers = rf"{_NUMBER.format('Major')}.*?{_NUMBER.format('Minor')}.*?ProductBuild +: \w+ \((\d+)\)"
    found = re.search(numbers, text[start : text.find("AUTHENTICATE_MESSAGE", start)], re.DOTALL)
    return (int(found[1], 0), int(found[2], 0), int(found[3])) if found else None
