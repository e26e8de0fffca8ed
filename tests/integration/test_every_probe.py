"""A scan with every probe of the simulated machines, at their registered ports, counted on the wire.

What tshark reads of the recording is held against what each probe declares, what the profile allows, and what
the ledger says.
"""

from __future__ import annotations

import csv
import json
import subprocess
from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from scanner.probes import probes
from scanner.transport.limits import PROFILES
from tests.integration.captures import LOGS_ON
from tests.integration.product import Product
from tests.simulator.judges import EVERY, hospital

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.namespaces

RATE = 60
SPOKEN = ("smb", "rdp", "netbios", "msrpc", "snmp", "ssh", "http")
BY_SERVICE = {
    (probe.transport.value, port): probe for probe in probes() if probe.name in SPOKEN for port in probe.ports
}
ANY_TLS = 4
"""Messages of ours that TLS adds to a conversation: two flights, an alert, its end."""


@dataclass(frozen=True)
class Packet:
    """One packet that the scanner sent."""

    at: float
    host: str
    transport: str
    port: int
    stream: str
    syn: bool
    payload: int


@dataclass(frozen=True)
class Recorded:
    """One office scan of one machine of each kind."""

    product: Product
    file: Path
    packets: list[Packet]
    where: dict[str, str]

    def attempts(self) -> list[Packet]:
        """What counts as an attempt: each SYN and each datagram."""
        return [packet for packet in self.packets if packet.syn or packet.transport == "udp"]


def read(file: Path) -> list[Packet]:
    fields = [*("frame.time_epoch", "ip.dst", "tcp.dstport", "udp.dstport", "tcp.stream", "udp.stream")]
    fields += ["tcp.flags", "tcp.len", "udp.length"]
    shown = [word for name in fields for word in ("-e", name)]
    chosen = "ip.src == 127.0.0.1 && ip.dst != 127.0.0.1 && !icmp"
    words = ["tshark", "-n", "-r", str(file), "-Y", chosen, "-T", "fields", *shown]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=120)
    found = []
    for line in done.stdout.splitlines():
        at, host, tcp, udp, tcp_stream, udp_stream, flags, tcp_size, udp_size = line.split("\t")
        syn = bool(flags) and int(flags, 16) & 0x12 == 0x02
        size = int(tcp_size) if tcp else int(udp_size) - 8
        transport = "tcp" if tcp else "udp"
        found.append(Packet(float(at), host, transport, int(tcp or udp), tcp_stream or udp_stream, syn, size))
    return found


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    folder = tmp_path_factory.mktemp("every")
    truth = folder / "truth.csv"
    with hospital(truth) as namespace:
        with truth.open(encoding="utf-8") as file:
            where = {row["personality"]: row["address"] for row in csv.DictReader(file)}
        product = Product(folder, tuple(namespace.command()))
        wards = "\n".join(f'[[ward]]\nname = "{key}"\nsubnets = ["{at}/32"]' for key, at in where.items())
        head = f'[site]\nname = "Test"\n[policy]\nprofile = "office"\nprobes = {json.dumps(SPOKEN)}\n'
        snmp = '[snmp]\ncommunity_env = ["VETUSTE_SNMP"]\n'
        (folder / "site.toml").write_text(head + snmp + wards, encoding="utf-8")
        with namespace.recording(folder / "scan.pcap", on="lo"):
            product.run("scan", "--rate", str(RATE), VETUSTE_SNMP="public")
    return Recorded(Product(folder), folder / "scan.pcap", read(folder / "scan.pcap"), where)


def test_the_pace_holds_over_all_probes_together(recorded: Recorded) -> None:
    times = [packet.at for packet in recorded.attempts()]
    busiest = max(sum(start <= at < start + 1 for at in times) for start in times)
    assert busiest <= RATE + max(1, RATE // 10)
    by_host = defaultdict(list)
    for packet in recorded.attempts():
        by_host[packet.host].append(packet.at)
    for times in by_host.values():
        assert len(times) <= PROFILES["office"].connections + 12, "and twelve looks at most"
        assert all(later - at >= 0.5 for at, later in zip(times, times[2:], strict=False))


def test_one_conversation_at_a_time_with_a_host(recorded: Recorded) -> None:
    spans: dict[str, dict[tuple[str, str], tuple[float, float]]] = defaultdict(dict)
    for packet in recorded.packets:
        if packet.payload:
            key = packet.transport, packet.stream
            first, _ = spans[packet.host].get(key, (packet.at, packet.at))
            spans[packet.host][key] = first, packet.at
    for conversations in spans.values():
        ordered = sorted(conversations.values())
        for (_, ended), (begun, _) in pairwise(ordered):
            assert begun >= ended - 0.05, "what says farewell may overlap"


def test_each_probe_keeps_to_what_it_declares(recorded: Recorded) -> None:
    said: dict[tuple[str, str], list[int]] = defaultdict(list)
    connections: Counter[tuple[str, str, int]] = Counter()
    for packet in recorded.packets:
        probe = BY_SERVICE[packet.transport, packet.port]
        if packet.payload:
            said[packet.transport, packet.stream].append(packet.payload)
        connections[packet.host, packet.transport, packet.port] += packet.syn
    for packet in recorded.packets:
        probe = BY_SERVICE[packet.transport, packet.port]
        assert connections[packet.host, packet.transport, packet.port] <= probe.connections + 1 + 12
        assert len(said[packet.transport, packet.stream]) <= probe.exchanges + ANY_TLS
    assert {BY_SERVICE[packet.transport, packet.port].name for packet in recorded.packets} == set(SPOKEN)


def test_the_ledger_has_every_attempt_and_every_byte(recorded: Recorded) -> None:
    lines = [json.loads(line) for line in recorded.product.run("ledger", "--jsonl").stdout.splitlines()]
    ledger = Counter((line["address"], line["transport"], line["port"]) for line in lines)
    assert ledger == Counter((each.host, each.transport, each.port) for each in recorded.attempts())
    written, sent = Counter[str](), Counter[str]()
    for line in lines:
        written[line["address"]] += line["bytes_sent"]
    for packet in recorded.packets:
        sent[packet.host] += packet.payload
    assert written == sent


def test_nothing_of_ours_is_malformed_and_nobody_logs_on(recorded: Recorded) -> None:
    assert LOGS_ON not in recorded.file.read_bytes()
    wrong = (
        "ip.src == 127.0.0.1 && ip.dst != 127.0.0.1 && (_ws.malformed || _ws.expert.severity >= 0x00600000)"
    )
    fine = " && !tcp.analysis.flags && !tcp.connection.rst"
    words = ["tshark", "-n", "-r", str(recorded.file), "-Y", wrong + fine, "-T", "fields", "-e"]
    done = subprocess.run([*words, "_ws.expert.message"], capture_output=True, text=True, check=True)
    assert done.stdout == ""


def known(recorded: Recorded, key: str) -> dict[str, Any]:
    return recorded.product.explain(recorded.where[key])


def test_a_settled_machine_was_asked_once_and_that_is_said(recorded: Recorded) -> None:
    told = known(recorded, "xp")
    assert {line["probe"] for line in told["ledger"]} <= {"smb", "look"}
    assert told["status"] == "unsupported"
    assert "settles its verdict" in told["not_asked"]["rdp"]
    assert told["not_asked"]["ftp"] == "the site file does not name it among the probes"


@pytest.mark.parametrize(
    ("key", "evidence"),
    [
        ("w10", {"rdp.nla", "netbios.mac", "msrpc.ndr64", "ntlm.version", "tls.subject"}),
        ("nt4", {"netbios.name", "smb.native_os"}),
        ("2019", {"snmp.sysdescr", "rdp.negotiation", "http.server", "msrpc.endpoints"}),
        ("samba", {"ssh.banner", "snmp.sysdescr", "http.server", "netbios.services"}),
        ("catalyst", {"snmp.sysobjectid", "ssh.banner"}),
        ("laserjet", {"snmp.sysdescr", "http.title"}),
    ],
)
def test_what_is_open_is_asked_and_learnt(recorded: Recorded, key: str, evidence: set[str]) -> None:
    told = known(recorded, key)
    settled = any("settles" in why for why in told["not_asked"].values())
    assert settled or evidence <= set(told["evidence"]), (told["not_asked"], sorted(told["evidence"]))


def test_every_kind_was_visited(recorded: Recorded) -> None:
    assert set(recorded.where) == set(EVERY)
    assert {packet.host for packet in recorded.packets} == set(recorded.where.values())
