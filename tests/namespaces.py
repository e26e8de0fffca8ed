"""Network namespaces of the tests' own: two machines on one wire, and somebody else who counts.

Needs root (CI is). Nothing leaves the namespaces: they have no route anywhere.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

TIMEOUT = 300
"""Seconds after which anything that a test starts is ended."""
LONGEST_PACKET = 16384
"""Octets of a packet that a recording keeps; nobody here sends longer ones."""


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
    def recording(self, file: Path, *chosen: str, on: str = "any") -> Iterator[None]:
        """Record what arrives and leaves, whole, as tcpdump sees it; ``chosen`` is its filter.

        A recording from which the kernel dropped packets, or that cut one, proves nothing, and fails.
        With ``--immediate-mode`` every packet takes a place of the longest kept: thousands of short
        places outlast a burst, hundreds of long ones do not.
        """
        places = ("-s", str(LONGEST_PACKET), "-B", "131072")
        words = ("tcpdump", "-i", on, "-n", "--immediate-mode", "-U", *places)
        process = self.start(*words, "-w", str(file), *chosen, stderr=subprocess.PIPE)
        assert process.stderr is not None
        process.stderr.readline()  # it says that it listens
        try:
            yield
        finally:
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=30)
        assert re.search(r"^0 packets dropped by kernel", said, re.MULTILINE), said
        cut = self.run("tcpdump", "-n", "-r", file, "greater", str(LONGEST_PACKET + 1))
        assert cut.stdout == ""


@dataclass(frozen=True)
class Wire:
    """A scanner's machine and a machine that plays the hospital, joined by one cable."""

    scanner: Namespace
    hospital: Namespace
    ends: tuple[str, str] = ("", "")
    """The devices at the scanner's end and at the hospital's."""
    subnet: str = ""
    relay: subprocess.Popen[str] | None = field(default=None, compare=False)

    def rough(self, **orders: float) -> None:
        """What a rough cable does from now on: the fields of ``tests.rough_link.Link``."""
        assert self.relay is not None
        assert self.relay.stdin is not None
        self.relay.stdin.write(json.dumps(orders) + "\n")
        self.relay.stdin.flush()

    def unplug(self, end: int) -> None:
        """Take one end's device down: 0 is the scanner's."""
        (self.scanner, self.hospital)[end].run("ip", "link", "set", self.ends[end], "down")

    def plug(self, end: int) -> None:
        """Take it up again, with the scanner's way to the hospital."""
        (self.scanner, self.hospital)[end].run("ip", "link", "set", self.ends[end], "up")
        self.scanner.run("ip", "route", "replace", self.subnet, "via", "10.255.0.2")

    def adjoin(self, network: str, living: Iterable[str] | None = None) -> str:
        """Make a part of the hospital this machine's neighbour, without a router in between; its MAC address.

        Where some are named, nobody but these has an address of the hospital's.
        """
        self.scanner.run("ip", "route", "replace", network, "dev", self.ends[0])
        if living is not None:
            self.hospital.run("ip", "route", "delete", "local", self.subnet, "dev", "lo")
            for address in living:
                self.hospital.run("ip", "route", "add", "local", address, "dev", "lo")
        shown = json.loads(self.hospital.run("ip", "-j", "link", "show", self.ends[1]).stdout)
        return str(shown[0]["address"])

    def rule(self, *rules: str) -> None:
        """Append rules to what :meth:`count` made: what comes first is counted before it is dropped."""
        text = "\n".join(f"add rule inet judge arriving {rule}" for rule in rules)
        self.hospital.run("nft", "-f", "-", stdin=text)

    def dark_but(self, living: Iterable[str]) -> None:
        """Let only these addresses of the hospital answer; nothing comes from the others."""
        elements = ", ".join(living)
        self.hospital.run(
            *("nft", "-f", "-"),
            stdin=f"""add set inet judge living {{ type ipv4_addr; flags interval; }}
            add element inet judge living {{ {elements} }}
            add rule inet judge arriving ip daddr {self.subnet} ip daddr != @living drop""",
        )

    def fall(self, *networks: str) -> None:
        """From now on nothing reaches these networks or addresses, and nothing comes from them."""
        self.hospital.run(
            *("nft", "-f", "-"),
            stdin=f"""add set inet judge fallen {{ type ipv4_addr; flags interval; auto-merge; }}
            add element inet judge fallen {{ {", ".join(networks)} }}
            add rule inet judge arriving ip daddr @fallen drop
            add chain inet judge leaving {{ type filter hook output priority -300; }}
            add rule inet judge leaving ip saddr @fallen drop""",
        )

    def rise(self) -> None:
        """What fell is there again."""
        self.hospital.run("nft", "flush", "set", "inet", "judge", "fallen")

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
def wire(label: str, subnet: str = "10.77.0.0/16", *, seed: str = "") -> Iterator[Wire]:
    """Two namespaces; every address of ``subnet`` is the hospital's own: it can play many machines.

    With a seed, the cable is a rough one, that does nothing to the packets until it is told to.
    """
    scanner, hospital = Namespace(f"vt-{label}-s{os.getpid()}"), Namespace(f"vt-{label}-h{os.getpid()}")
    cable = (f"vt{os.getpid() % 100000}s", f"vt{os.getpid() % 100000}h")
    created: list[Namespace] = []
    relay = None
    try:
        for namespace in (scanner, hospital):
            _ip("netns", "add", namespace.name)
            created.append(namespace)
            namespace.run("ip", "link", "set", "lo", "up")
        if seed:
            relay = rough((scanner, hospital), cable, seed)
        else:
            smooth((scanner, hospital), cable)
        for namespace, device, address in zip(
            (scanner, hospital), cable, ("10.255.0.1/30", "10.255.0.2/30"), strict=True
        ):
            namespace.run("ip", "address", "add", address, "dev", device)
            namespace.run("ip", "link", "set", device, "up")
        scanner.run("ip", "route", "add", subnet, "via", "10.255.0.2")
        hospital.run("ip", "route", "add", "local", subnet, "dev", "lo")
        yield Wire(scanner, hospital, cable, subnet, relay)
    finally:
        if relay is not None:
            relay.communicate(timeout=30)
        for namespace in created:
            _ip("netns", "delete", namespace.name)


def smooth(machines: Sequence[Namespace], cable: tuple[str, str]) -> None:
    """A cable that carries every packet at once."""
    near, far = (namespace.name for namespace in machines)
    _ip("link", "add", cable[0], "netns", near, "type", "veth", "peer", cable[1], "netns", far)


def rough(machines: Sequence[Namespace], cable: tuple[str, str], seed: str) -> subprocess.Popen[str]:
    """A cable that is a process, which ends with its standard input."""
    ends = [f"{namespace.name}={device}" for namespace, device in zip(machines, cable, strict=True)]
    relay = subprocess.Popen(
        [sys.executable, "-m", "tests.rough_link", *ends, seed],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[1],
    )
    assert relay.stdout is not None
    assert relay.stdout.readline() == "ready\n"
    for namespace, device in zip(machines, cable, strict=True):
        namespace.run("ip", "link", "set", device, "txqueuelen", "10000")
    return relay


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=TIMEOUT)
