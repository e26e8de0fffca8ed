"""Network namespaces of the tests' own: two machines on one wire, and somebody else who counts.

Needs root (CI is). Nothing leaves the namespaces: they have no route anywhere.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

TIMEOUT = 300
"""Seconds after which anything that a test starts is ended."""


@dataclass(frozen=True)
class Namespace:
    """One network namespace."""

    name: str

    def command(self, *words: str | Path) -> list[str]:
        """A command line that runs inside."""
        return ["ip", "netns", "exec", self.name, *map(str, words)]

    def run(
        self, *words: str | Path, check: bool = True, stdin: str | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command inside and wait for it."""
        done = subprocess.run(
            self.command(*words),
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            input=stdin,
            env={**os.environ, **environment},
            check=False,
        )
        if check and done.returncode:
            raise AssertionError(
                f"{' '.join(map(str, words))}: {done.returncode}\n{done.stdout}\n{done.stderr}"
            )
        return done

    def start(self, *words: str | Path, **options: object) -> subprocess.Popen[str]:
        """Start a command inside; the caller ends it."""
        return subprocess.Popen(self.command(*words), text=True, **options)  # type: ignore[call-overload, no-any-return] # options of Popen

    @contextmanager
    def recording(self, file: Path, *chosen: str) -> Iterator[None]:
        """Record what arrives and leaves, whole, as tcpdump sees it; ``chosen`` is its filter."""
        words = ("tcpdump", "-i", "any", "-n", "--immediate-mode", "-U", "-s", "0", "-w", str(file), *chosen)
        process = self.start(*words, stderr=subprocess.PIPE)
        assert process.stderr is not None
        process.stderr.readline()  # it says that it listens
        try:
            yield
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=30)


@dataclass(frozen=True)
class Wire:
    """A scanner's machine and a machine that plays the hospital, joined by one cable."""

    scanner: Namespace
    hospital: Namespace

    def count(self, rules: Sequence[str]) -> None:
        """Count packets that reach the hospital: nftables rules like ``tcp dport 445 counter name smb``."""
        names = [rule.split()[-1] for rule in rules]
        table = "\n".join(
            [
                "table inet judge {",
                *(f"  counter {name} {{ }}" for name in names),
                "  chain arriving { type filter hook prerouting priority -300;",
                *(f"    {rule}" for rule in rules),
                "  }",
                "}",
            ]
        )
        self.hospital.run("nft", "-f", "-", stdin=table)

    def counted(self) -> dict[str, int]:
        """What the rules counted, by name."""
        listed = json.loads(self.hospital.run("nft", "-j", "list", "counters").stdout)
        return {
            entry["counter"]["name"]: entry["counter"]["packets"]
            for entry in listed["nftables"]
            if "counter" in entry
        }


@contextmanager
def wire(label: str, subnet: str = "10.77.0.0/16") -> Iterator[Wire]:
    """Two namespaces; every address of ``subnet`` is the hospital's own: it can play many machines."""
    scanner, hospital = Namespace(f"vt-{label}-s{os.getpid()}"), Namespace(f"vt-{label}-h{os.getpid()}")
    cable = (f"vt{os.getpid() % 100000}s", f"vt{os.getpid() % 100000}h")
    created = []
    try:
        for namespace in (scanner, hospital):
            _ip("netns", "add", namespace.name)
            created.append(namespace)
            namespace.run("ip", "link", "set", "lo", "up")
        _ip(
            "link",
            "add",
            cable[0],
            "netns",
            scanner.name,
            "type",
            "veth",
            "peer",
            cable[1],
            "netns",
            hospital.name,
        )
        for namespace, device, address in zip(
            (scanner, hospital), cable, ("10.255.0.1/30", "10.255.0.2/30"), strict=True
        ):
            namespace.run("ip", "address", "add", address, "dev", device)
            namespace.run("ip", "link", "set", device, "up")
        scanner.run("ip", "route", "add", subnet, "via", "10.255.0.2")
        hospital.run("ip", "route", "add", "local", subnet, "dev", "lo")
        yield Wire(scanner, hospital)
    finally:
        for namespace in created:
            _ip("netns", "delete", namespace.name)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=TIMEOUT)
