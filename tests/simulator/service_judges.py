"""What others read of the simulated machines beside SMB: nmap, impacket, ssh-keyscan, http.client."""

from __future__ import annotations

import csv
import json
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from scanner.simulator.personalities import personality
from scanner.simulator.plan import Hospital
from tests.simulator.judges import EVERY, hospital
from tests.simulator.machines import service

if TYPE_CHECKING:
    from pathlib import Path

    from scanner.simulator.machine import Machine
    from tests.namespaces import Namespace

SCRIPTS = (
    ("rdp", "rdp-enum-encryption"),
    ("rdp", "rdp-ntlm-info"),
    ("netbios", "nbstat"),
    ("snmp", "snmp-sysdescr,snmp-info"),
    ("ssh", "ssh2-enum-algos"),
    ("http", "http-title,http-server-header,http-ntlm-info"),
)
OLD_TLS = """
openssl_conf = all
[all]
ssl_conf = ssl
[ssl]
system_default = old
[old]
MinProtocol = TLSv1
CipherString = ALL:@SECLEVEL=0
"""
"""A configuration of OpenSSL with which nmap speaks what old machines speak."""

IMPACKET = """
import json, sys
from impacket.dcerpc.v5 import epm, transport
from impacket.dcerpc.v5.dcomrt import IObjectExporter
from impacket.dcerpc.v5.rpcrt import DCERPCException
read = {}
def connected(address):
    return transport.DCERPCTransportFactory(f"ncacn_ip_tcp:{address}[135]").get_dce_rpc()
def tried(what):
    try:
        return what()
    except DCERPCException as error:
        return error.get_error_code() or str(error)
def endpoints(address):
    found = epm.hept_lookup(address)
    return [epm.PrintStringBinding(entry["tower"]["Floors"]) for entry in found]
def bindings(address):
    return [binding["aNetworkAddr"] for binding in IObjectExporter(connected(address)).ServerAlive2()]
def x64(address):
    rpc = connected(address)
    rpc.connect()
    rpc.bind(epm.MSRPC_UUID_PORTMAP, transfer_syntax=("71710533-BEBA-4937-8319-B5DBEF9CCC36", "1.0"))
    return True
for address in json.load(sys.stdin):
    read[address] = {name: tried(lambda: what(address)) for name, what in
                     (("endpoints", endpoints), ("bindings", bindings), ("x64", x64))}
json.dump(read, sys.stdout)
"""

HTTP = """
import http.client, json, sys
read = {}
for address in json.load(sys.stdin):
    client = http.client.HTTPConnection(address, timeout=10)
    client.request("GET", "/favicon.ico")
    answer = client.getresponse()
    read[address] = [answer.status, answer.getheader("Server"), answer.read().hex()]
json.dump(read, sys.stdout)
"""


@dataclass
class ServiceReadings:
    """What each judge says of each personality, and what is planned."""

    machines: dict[str, Machine] = field(default_factory=dict)
    nmap: dict[str, dict[str, Any]] = field(default_factory=dict)
    impacket: dict[str, dict[str, Any]] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    http: dict[str, list[Any]] = field(default_factory=dict)


def having(probe: str) -> list[str]:
    """The personalities that have a service."""
    return [key for key in EVERY if service(probe).spoken(personality(key))]


def read_services(folder: Path) -> ServiceReadings:
    """Let every judge look at every machine that has its service."""
    readings, truth = ServiceReadings(), folder / "truth.csv"
    (folder / "openssl.cnf").write_text(OLD_TLS)
    with hospital(truth) as namespace, truth.open() as file:
        where = {row["personality"]: row["address"] for row in csv.DictReader(file)}
        of = {address: key for key, address in where.items()}
        planned = Hospital(len(EVERY), 1, mix=dict.fromkeys(EVERY, 1))
        found = {key: planned.machine(address) for key, address in where.items()}
        readings.machines = {key: machine for key, machine in found.items() if machine}
        for probe, scripts in SCRIPTS:
            # A TLS that fails disturbs nmap's other connections: what speaks none is left out.
            keys = [
                key
                for key in having(probe)
                if scripts != "rdp-ntlm-info" or personality(key).rdp != "classic"
            ]
            read = _nmap(namespace, probe, scripts, [where[key] for key in keys], folder / "openssl.cnf")
            for address, said in read.items():
                readings.nmap.setdefault(of[address], {}).update(said)
        for probe, script, into in (
            ("msrpc", IMPACKET, readings.impacket),
            ("http", HTTP, readings.http),
        ):
            asked = json.dumps([where[key] for key in having(probe)])
            answered = namespace.run(sys.executable, "-c", script, stdin=asked).stdout
            into.update({of[address]: said for address, said in json.loads(answered).items()})
        scanned = [where[key] for key in having("ssh")]
        for line in namespace.run("ssh-keyscan", "-t", "rsa,ed25519", *scanned).stdout.splitlines():
            address, _, key = line.split()
            readings.keys[of[address]] = key
    return readings


def _nmap(
    namespace: Namespace, probe: str, scripts: str, addresses: list[str], openssl: Path
) -> dict[str, dict[str, Any]]:
    kind = service(probe)
    words = [
        "nmap",
        "-n",
        "-Pn",
        "-sU" if kind.answer else "-sT",
        f"-p{kind.port}",
        "--script",
        scripts,
    ]
    done = namespace.run(*words, "-v", "-oX", "-", *addresses, OPENSSL_CONF=str(openssl))
    read: dict[str, dict[str, Any]] = {}
    for host in ET.fromstring(done.stdout).iter("host"):  # noqa: S314 - nmap is ours
        address = host.find("address")
        assert address is not None
        said: dict[str, Any] = {}
        for script in host.iter("script"):
            named = {entry.get("key"): entry.text for entry in script.findall("elem")}
            said[script.attrib["id"]] = {"": script.attrib["output"], **named}
        read[address.attrib["addr"]] = said
    return read
