"""Recordings of the wire, read by tcpdump and tshark; each of them must be clean."""

from __future__ import annotations

import re
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from tests.namespaces import Namespace

SCANNER = "10.255.0.1"
SYN = "tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn"
LOGS_ON = b"NTLMSSP\0\3\0\0\0"
"""How an NTLM AUTHENTICATE message begins ([MS-NLMP] 2.2.1.3)."""
_WRONG = (
    f"ip.src == {SCANNER} && (_ws.malformed || "
    "(_ws.expert.severity >= 0x00600000 && !tcp.connection.rst && "
    "!tcp.analysis.flags && !tcp.options.sack.dsack))"
)
"""Warnings and errors in what the scanner sent; resets and losses are facts of a network."""
_LINE = re.compile(r"(?P<at>\d+\.\d+) .* > (?P<host>\d+\.\d+\.\d+\.\d+)(?:\.(?P<port>\d+))?:")


@dataclass(frozen=True)
class Sent:
    """One packet that the scanner sent."""

    at: float
    host: str
    port: int


@dataclass(frozen=True)
class Capture:
    """One recording."""

    file: Path

    def syns(self, *networks: str) -> list[Sent]:
        """The connection attempts, all or those to some networks, in time's order."""
        return self.packets(*networks, kind=SYN)

    def packets(self, *networks: str, kind: str = "ip") -> list[Sent]:
        """What the scanner sent, all or to some networks, in time's order."""
        towards = " or ".join(f"dst net {network}" for network in networks or ("0.0.0.0/0",))
        chosen = f"src host {SCANNER} and ({towards}) and {kind}"
        found = map(_LINE.match, lines("tcpdump", "-tt", "-n", "-r", self.file, chosen))
        sent = (Sent(float(line["at"]), line["host"], int(line["port"] or 0)) for line in found if line)
        return sorted(sent, key=lambda packet: packet.at)

    def hosts(self, *networks: str) -> dict[str, float]:
        """Every host that was sent anything, and when that was first."""
        first: dict[str, float] = {}
        for packet in self.packets(*networks):
            first.setdefault(packet.host, packet.at)
        return first

    def messages(self) -> dict[str, list[float]]:
        """When each host was said something: packets with a payload; a look has none."""
        found: dict[str, list[float]] = {}
        for packet in self.packets(kind="tcp[tcpflags] & tcp-push != 0"):
            found.setdefault(packet.host, []).append(packet.at)
        return found

    def demand_clean(self) -> None:
        """Nothing in it logs on, and tshark finds nothing malformed in what the scanner sent."""
        assert LOGS_ON not in self.file.read_bytes()
        words = ("tshark", "-n", "-r", self.file, "-Y", _WRONG, "-T", "fields", "-e", "_ws.expert.message")
        assert lines(*words) == []


@contextmanager
def watched(namespace: Namespace, file: Path, *chosen: str) -> Iterator[Capture]:
    """Record what goes on, whole or what tcpdump's filter chooses; afterwards the recording must be clean."""
    capture = Capture(file)
    with namespace.recording(file, *chosen):
        yield capture
    capture.demand_clean()


def lines(*words: str | Path) -> list[str]:
    """What a reader prints."""
    done = subprocess.run([*map(str, words)], capture_output=True, text=True, check=True, timeout=120)
    return done.stdout.splitlines()


def busiest_second(packets: Iterable[Sent]) -> int:
    """The most packets that fall into any window of one second."""
    times = [packet.at for packet in packets]
    most = start = 0
    for end, moment in enumerate(times):
        while moment - times[start] >= 1:
            start += 1
        most = max(most, end - start + 1)
    return most
