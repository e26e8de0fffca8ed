"""Two machines that talk over a hub, and a third one on it that has no address, and is to say nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.namespaces import TIMEOUT, Namespace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).parents[2]
DEVICE = "tap"
"""What the third machine's interface is called, and those of the others as well."""
SEND = """
import json, socket, sys
with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as out:
    out.bind((sys.argv[1], 0))
    for frame in json.load(sys.stdin):
        out.send(bytes.fromhex(frame))
"""
PRODUCT = (sys.executable, "-m", "tests.capture.listener")


@dataclass(frozen=True)
class Hub:
    """Machines on a hub."""

    client: Namespace
    server: Namespace
    ear: Namespace

    def send(self, frames: Sequence[bytes]) -> None:
        """Put frames on the wire, from the client's machine."""
        given = json.dumps([frame.hex() for frame in frames])
        self.client.run(sys.executable, "-c", SEND, DEVICE, stdin=given)

    @contextmanager
    def listening(self, device: str = DEVICE, *before: str) -> Iterator[subprocess.Popen[str]]:
        """A process that listens, and tells what it hears; it is ended if it does not end by itself."""
        command = self.ear.command(*before, *PRODUCT, device)
        process = subprocess.Popen(
            command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        with process:
            try:
                yield process
            finally:
                process.kill()

    def sent_by_the_ear(self) -> int:
        """Packets that have left the third machine."""
        shown = json.loads(self.ear.run("ip", "-j", "-s", "link", "show", DEVICE).stdout)
        return int(shown[0]["stats64"]["tx"]["packets"])


@contextmanager
def hub(label: str) -> Iterator[Hub]:
    """Three machines; no kernel here says anything unless it is asked."""
    names = [f"vt-{label}-{part}{os.getpid()}" for part in ("hub", "client", "server", "ear")]
    middle, *machines = map(Namespace, names)
    made: list[Namespace] = []
    try:
        for namespace in (middle, *machines):
            _ip("netns", "add", namespace.name)
            made.append(namespace)
            namespace.run("sysctl", "-q", "-w", "net.ipv6.conf.all.disable_ipv6=1")
            namespace.run("sysctl", "-q", "-w", "net.ipv6.conf.default.disable_ipv6=1")
            namespace.run("ip", "link", "set", "lo", "up")
        middle.run("ip", "link", "add", "hub", "type", "bridge", "ageing_time", "0", "mcast_snooping", "0")
        middle.run("ip", "link", "set", "hub", "up")
        for number, machine in enumerate(machines, 1):
            port = f"port{number}"
            ends = ("type", "veth", "peer", DEVICE, "netns", machine.name)
            middle.run("ip", "link", "add", port, *ends)
            middle.run("ip", "link", "set", port, "master", "hub", "up")
            machine.run("ip", "link", "set", DEVICE, "address", f"02:66:00:00:00:0{number}", "up")
        for number, machine in enumerate(machines[:2], 1):
            other = ("10.66.0.{0}", "lladdr", "02:66:00:00:00:0{0}")
            machine.run("ip", "address", "add", f"10.66.0.{number}/24", "dev", DEVICE)
            known = (word.format(3 - number) for word in other)
            machine.run("ip", "neighbour", "add", *known, "dev", DEVICE, "nud", "permanent")
        yield Hub(*machines)
    finally:
        for namespace in made:
            _ip("netns", "delete", namespace.name)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=TIMEOUT)
