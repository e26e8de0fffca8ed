"""A machine of its own, with servers on its loopback, on which every packet is recorded."""

from __future__ import annotations

import os
import re
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.integration.captures import LOGS_ON, lines
from tests.namespaces import Namespace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OUTSIDE = "away0"
_FIELDS = ("ip.dst", "tcp.srcport", "tcp.dstport", "tcp.flags.syn", "tcp.flags.ack", "tcp.len", "udp.dstport")


@dataclass(frozen=True)
class Packet:
    """One packet, as it left."""

    to: str
    port: int
    source: int
    opens: bool
    """Whether it is the first of a connection."""
    size: int
    """Bytes of payload."""


@contextmanager
def island(label: str) -> Iterator[Namespace]:
    """A namespace with a loopback, and a way out on which nobody is: what tries to leave is counted."""
    namespace = Namespace(f"vt-{label}-{os.getpid()}")
    _ip("netns", "add", namespace.name)
    try:
        namespace.run("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1")
        namespace.run("ip", "link", "set", "lo", "up")
        namespace.run("ip", "link", "add", OUTSIDE, "type", "veth", "peer", "name", "away1")
        namespace.run("ip", "address", "add", "192.0.2.1/24", "dev", OUTSIDE)
        for device in (OUTSIDE, "away1"):
            namespace.run("ip", "link", "set", device, "up")
        namespace.run("ip", "route", "add", "default", "dev", OUTSIDE)
        yield namespace
    finally:
        _ip("netns", "delete", namespace.name)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=60)


def sent(file: Path) -> list[Packet]:
    """Every packet of a recording; tcpdump shows those of a loopback once, as they arrive."""
    words = [word for field in _FIELDS for word in ("-e", field)]
    found = []
    for line in lines("tshark", "-n", "-r", file, "-T", "fields", *words):
        to, source, port, syn, ack, size, datagram = line.split("\t")
        opens = (syn, ack) in {("1", "0"), ("True", "False")}
        found.append(Packet(to, int(port or datagram or 0), int(source or 0), opens, int(size or 0)))
    return found


def logs_on(file: Path) -> bool:
    """Whether a recording has an NTLM AUTHENTICATE message, in any guise that is not encrypted."""
    raw = file.read_bytes()
    return LOGS_ON in raw or re.search(rb"TlRMTVNTUAAD", raw) is not None
