"""A small fleet on real ports, scanned over a wire as wards are, while tcpdump records every packet."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from collections import Counter, defaultdict
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.corpus import CORPUS
from tests.integration.peers import ended, impacket, samba, wait_for
from tests.integration.product import Product
from tests.integration.recordings import host, replayed
from tests.namespaces import Namespace, Wire, wire

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.namespaces
__test__ = CORPUS is not None

TODAY = ("--today", "2026-11-23")
SCANNER = "10.255.0.1"
SUBNET = "10.77.0.0/26"
SAMBA, SAMBA_STRICT, IMPACKET = "10.77.0.10", "10.77.0.11", "10.77.0.12"
REPLAYED = {
    "10.77.0.20": "filecontainer-smb 192.168.24.100",
    "10.77.0.21": "EIP-IPAddressChangeAttempt",
    "10.77.0.22": "negotiateflags 192.168.199.133",
    "10.77.0.23": "EIP-RemoteModeChangeAttempt",
    "10.77.0.24": "smb1_osx",
}
TARPIT, SILENT = "10.77.0.30", "10.77.0.31"
KNOWN = {
    SAMBA: ("Samba", "certain", "yes", "enabled"),
    SAMBA_STRICT: ("Samba", "certain", "no", "required"),
    IMPACKET: ("Decoy", "certain", "yes", "enabled"),
    "10.77.0.20": ("Windows XP", "certain", "yes", "disabled"),
    "10.77.0.21": ("Windows XP", "certain", "yes", "disabled"),
    "10.77.0.22": ("Windows 10", "certain", "no", "enabled"),
    "10.77.0.23": ("Windows Server 2003 R2", "certain", "yes", "disabled"),
    "10.77.0.24": ("Samba", "certain", "yes", "disabled"),
}
"""Every host that answers: its system, how surely, whether SMB 1 is on, and signing."""

_TARPIT = """
import socket, sys, time
listening = socket.create_server((sys.argv[1], 445))
time.sleep(600)
"""


@contextmanager
def fleet(hospital: Namespace, folder: Path) -> Iterator[None]:
    """Everything that listens in the hospital."""
    inside = tuple(hospital.command())
    smb1 = {"server min protocol": "NT1"}
    strict = {"server min protocol": "SMB2_02", "server signing": "mandatory"}
    for address in (SAMBA, SAMBA_STRICT):  # smbd binds to what it finds on an interface
        hospital.run("ip", "address", "add", f"{address}/32", "dev", "lo")
    hospital.run("nft", "add", "rule", "inet", "judge", "arriving", "ip", "daddr", SILENT, "drop")
    rows = [recorded.row(address, recorded.service) for address, recorded in _recorded()]
    with ExitStack() as running:
        running.enter_context(samba(folder / "samba", SAMBA, [445, 139], smb1, inside))
        running.enter_context(samba(folder / "strict", SAMBA_STRICT, [445, 139], strict, inside))
        running.enter_context(impacket(IMPACKET, 445, smb2=True, prefix=inside))
        running.enter_context(replayed(rows, inside))
        tarpit = hospital.start(sys.executable, "-c", _TARPIT, TARPIT, stdout=subprocess.PIPE)
        running.enter_context(ended(tarpit))
        wait_for(tarpit, [(TARPIT, 445)], inside)
        yield


def _recorded() -> Iterator[tuple[str, Any]]:
    for address, part in REPLAYED.items():
        yield address, host(part)


@dataclass(frozen=True)
class Visit:
    """One clinical scan of the fleet, and the recording of it."""

    product: Product
    capture: Path
    known: dict[str, dict[str, Any]]

    def packets(self, condition: str, *fields: str) -> list[list[str]]:
        """What tshark reads of the packets of a kind, a list a packet."""
        shown = [word for field in fields or ("frame.number",) for word in ("-e", field)]
        words = ["tshark", "-n", "-r", str(self.capture), "-Y", condition, "-T", "fields", *shown]
        done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=120)
        return [line.split("\t") for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def visit(tmp_path_factory: pytest.TempPathFactory) -> Visit:
    folder = tmp_path_factory.mktemp("fleet")
    capture = folder / "scan.pcap"
    with wire("fleet") as cable:
        product = _scan(cable, folder, capture)
    return Visit(product, capture, product.exported(*TODAY))


def _scan(cable: Wire, folder: Path, capture: Path) -> Product:
    cable.count(["tcp dport 445 counter name smb"])
    outside = Product(folder, tuple(cable.scanner.command()))
    outside.site([SUBNET])
    with fleet(cable.hospital, folder), cable.scanner.recording(capture):
        outside.run("scan", "--profile", "clinical")
    return Product(folder)


@pytest.mark.parametrize("address", KNOWN)
def test_each_host_is_known_for_what_it_is(visit: Visit, address: str) -> None:
    known = visit.known[address]
    evidence = known["evidence"]
    said = (known["os"], known["certainty"], evidence["smb.smb1"][0], evidence["smb.signing"][0])
    assert said == KNOWN[address]


def test_who_does_not_answer_is_told_apart(visit: Visit) -> None:
    assert SILENT not in visit.known, "an address where nothing answers is no machine"
    closed = set(visit.known) - set(KNOWN) - {TARPIT}
    assert len(closed) == 64 - len(KNOWN) - 2, "a host that refuses is there"
    outcomes = {seen["endpoint"]: seen["outcome"] for seen in visit.product.explain(TARPIT)["observations"]}
    assert outcomes == {f"{TARPIT}:445/tcp": "stalled"}, "who does not answer in time is left alone"
    for address in sorted(closed)[:3]:
        heard = visit.product.explain(address)["observations"]
        assert [seen["outcome"] for seen in heard] == ["refused", "refused"]
    (row,) = visit.product.counted(*TODAY)
    assert (row["seen"], row["scope"], row["never_scanned"]) == (63, 64, 0)


def test_count_export_and_explain_agree(visit: Visit) -> None:
    rows = visit.product.counted("--by", "os,status", *TODAY)
    counted = {
        (row["os"] or None, row["status"]): row["certain"] + row["probable"] + row["to_verify"]
        for row in rows
    }
    exported = Counter((known["os"], known["status"]) for known in visit.known.values())
    assert {key: number for key, number in counted.items() if number} == exported
    (xp,) = visit.product.counted("--os", "Windows XP", *TODAY)
    assert (xp["certain"], xp["probable"], xp["to_verify"]) == (2, 0, 0)
    for address in (SAMBA, IMPACKET, *REPLAYED)[:4]:
        explained = visit.product.explain(address)
        shared = ("id", "site", "ward", "ip", "name", "domain", "certainty", "os", "candidates", "evidence")
        for key in shared:
            assert explained[key] == visit.known[address][key], (address, key)


def test_the_spreadsheet_agrees(visit: Visit) -> None:
    words = ("export", "csv", "--dialect", "rfc4180", "--lang", "en", "--out", "-", *TODAY)
    rows = {row["ip"]: row for row in csv.DictReader(io.StringIO(visit.product.run(*words).stdout))}
    assert set(rows) == set(visit.known)
    for address, (system, _, smb1, signing) in KNOWN.items():
        names = [candidate["name"] for candidate in visit.known[address]["candidates"]]
        assert rows[address]["os_name"] == (names[0] if len(names) == 1 else system)
        assert rows[address]["possible_editions"] == " / ".join(names)
        assert rows[address]["smb1"] == smb1
        assert rows[address]["smb_signing"] == signing
        assert rows[address]["support_status"] == visit.known[address]["status"]


def test_no_message_that_logs_on_is_sent(visit: Visit) -> None:
    assert b"NTLMSSP\0\3" not in visit.capture.read_bytes()
    kinds = Counter(kind for (kind,) in visit.packets("ntlmssp", "ntlmssp.messagetype"))
    assert set(kinds) == {"0x00000001", "0x00000002"}, "an offer and a challenge, and no third message"
    assert kinds["0x00000001"] >= len(KNOWN)


def test_nothing_that_is_sent_is_malformed(visit: Visit) -> None:
    sent = f"ip.src == {SCANNER}"
    assert len(visit.packets(f"{sent} && (smb || smb2 || nbss)")) > 2 * len(KNOWN)
    assert visit.packets(f"{sent} && _ws.malformed") == []
    assert visit.packets(f"{sent} && _ws.expert.severity >= 0x00600000", "_ws.expert.message") == []


def test_nothing_else_is_sent(visit: Visit) -> None:
    sent = f"ip.src == {SCANNER}"
    assert visit.packets(f"{sent} && !tcp") == []
    assert visit.packets(f"{sent} && !(tcp.dstport in {{445, 139}})") == []
    condition = f"{sent} && tcp.flags.syn == 1"
    attempts = Counter(address for (address,) in visit.packets(condition, "ip.dst"))
    assert len(attempts) == 64
    assert max(attempts.values()) <= 4


def test_conversations_end_politely(visit: Visit) -> None:
    """A connection on which anything was said is closed with a FIN, never reset; the tarpit's too."""
    said: Counter[str] = Counter()
    ends: dict[str, set[str]] = defaultdict(set)
    fields = ("tcp.stream", "tcp.len", "tcp.flags.fin", "tcp.flags.reset")
    for stream, length, fin, reset in visit.packets(f"ip.src == {SCANNER} && tcp", *fields):
        said[stream] += int(length)
        ends[stream] |= {name for name, flag in (("fin", fin), ("reset", reset)) if flag in {"1", "True"}}
    spoken = {stream for stream, length in said.items() if length}
    assert len(spoken) >= len(KNOWN) + 1
    for stream in spoken:
        assert ends[stream] == {"fin"}, stream
