"""``python -m tests.bench.plan``: a whole address plan, half-open and by connections, beside masscan.

In one run, in network namespaces of its own; needs root. Machines differ and drift: read the ratios.
"""

from __future__ import annotations

import random
import re
import sqlite3
import sys
import threading
import time
from contextlib import closing
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from tests.bench.running import CLI, ratio, say, timed
from tests.integration.crowd import crowd
from tests.namespaces import wire

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench.running import Run
    from tests.namespaces import Wire

PORTS = "22,80,443,445,3389"
PROBES = '["smb", "ssh", "http", "tls", "rdp"]'
SYN = "tcp flags & (syn | ack) == syn counter name attempts"
FIRST = int(ip_address("10.77.0.0"))
ALIVE = 15_000
RATE = 100_000


def living(number: int, first: int, among: int) -> list[str]:
    """So many addresses, at random, the same ones each time."""
    chosen = random.Random("plan").sample(range(among), number)
    return [str(ip_address(first + each)) for each in chosen]


class Counted(threading.Thread):
    """Counts SYNs that arrive, ten times a second."""

    def __init__(self, cable: Wire) -> None:
        super().__init__(daemon=True)
        self.cable, self.over = cable, threading.Event()
        self.counts = [(time.monotonic(), cable.counted()["attempts"])]

    def run(self) -> None:
        while not self.over.wait(0.1):
            self.counts.append((time.monotonic(), self.cable.counted()["attempts"]))

    def pace(self) -> float:
        """SYNs a second, while nine tenths of all addresses and ports were asked for the first time."""
        self.over.set()
        self.join()
        most = 0.9 * (1 << 16) * len(PORTS.split(","))
        before = [at for at, number in self.counts if number - self.counts[0][1] < 0.05 * most]
        after = [at for at, number in self.counts if number - self.counts[0][1] >= 0.95 * most]
        return 0.9 * most / (after[0] - before[-1])


def scan(cable: Wire, folder: Path, subnets: Sequence[str], *words: str) -> Run:
    """One scan of a laboratory, into an inventory of its own."""
    nets = ", ".join(f'"{net}"' for net in subnets)
    ward = f'[[ward]]\nname = "W"\nlab = true\nsubnets = [{nets}]\n'
    text = f'[site]\nname = "Plan"\n[policy]\nprobes = {PROBES}\n{ward}'
    (folder / "site.toml").write_text(text, encoding="utf-8")
    database = folder / "inventory.db"
    for file in folder.glob("inventory.db*"):
        file.unlink()
    asked = ["scan", "--site", str(folder / "site.toml"), "--profile", "lab", "--db", f"sqlite:///{database}"]
    return timed([*cable.scanner.command(), *CLI, *asked, *words])


def found(folder: Path) -> set[str]:
    with closing(sqlite3.connect(folder / "inventory.db")) as inventory:
        return {address for (address,) in inventory.execute("SELECT address FROM assets")}


def first_visit(folder: Path) -> float:
    """Seconds from the beginning of the scan to its first conversation: what was sent before were looks."""
    with closing(sqlite3.connect(folder / "inventory.db")) as inventory:
        wanted = "SELECT min(at) / 1000.0 FROM ledger JOIN ledger_kinds ON id = kind_id WHERE probe <> 'syn'"
        return float(inventory.execute(wanted).fetchone()[0])


def beside_masscan(cable: Wire, folder: Path, alive: set[str]) -> None:
    """The same addresses and ports, without any cap, one after the other."""
    say(f"a /16 of 65,536 addresses, ports {PORTS}, {len(alive)} alive:")
    with crowd(cable.hospital):
        counted = Counted(cable)
        counted.start()
        cap = ("--rate", str(RATE))
        ours = scan(cable, folder, ["10.77.0.0/16"], "--ports", PORTS, "--sweep", "syn", *cap)
        pace = counted.pace()
        looked = first_visit(folder)
        missing = len(alive - found(folder))
        mac = cable.hospital.run("cat", f"/sys/class/net/{cable.ends[1]}/address").stdout.strip()
        counted = Counted(cable)
        counted.start()
        masscan = ["masscan", "10.77.0.0/16", f"-p{PORTS}", *cap, "--wait", "3", "-oL", "-"]
        theirs = timed(cable.scanner.command(*masscan, "-e", cable.ends[0], "--router-mac", mac))
        heard = set(re.findall(r"^open tcp 445 (\S+)", theirs.output, re.MULTILINE))
        their_pace = counted.pace()
    say(f"  ours {pace:.0f} SYNs/s, masscan {their_pace:.0f}/s; masscan heard {len(heard)} of {len(alive)}")
    ratio("pace over masscan's", pace / their_pace, 0.5, at_least=True)
    ratio("seconds until all are discovered", looked, 15)
    ratio("seconds until all are identified", ours.wall, 60)
    ratio("alive and not found", missing, 0)


def by_connections(cable: Wire, folder: Path, alive: set[str]) -> None:
    """The same without any right."""
    with crowd(cable.hospital):
        plain = scan(cable, folder, ["10.77.0.0/16"], "--ports", PORTS)
    ratio("by connections, seconds", plain.wall, 300)
    ratio("by connections, alive and not found", len(alive - found(folder)), 0)


def with_losses(cable: Wire, folder: Path, alive: set[str]) -> None:
    """Five packets of a hundred get lost, there and back."""
    cable.hospital.run(
        *("nft", "-f", "-"),
        stdin="""add rule inet judge arriving numgen random mod 100 < 5 drop
        add chain inet judge leaving { type filter hook output priority -300; }
        add rule inet judge leaving numgen random mod 100 < 5 drop""",
    )
    with crowd(cable.hospital):
        scan(cable, folder, ["10.77.0.0/16"], "--ports", PORTS, "--sweep", "syn")
    ratio("found, where 5 % get lost each way", len(alive & found(folder)) / len(alive), 0.999, at_least=True)


def whole_eight(folder: Path) -> None:
    """A /8, less what the namespaces themselves have of it."""
    say("a /8 of targets, port 445, 1,000 alive:")
    parts = [
        "10.0.0.0/9",
        "10.128.0.0/10",
        "10.192.0.0/11",
        "10.224.0.0/12",
        "10.240.0.0/13",
        "10.248.0.0/14",
    ]
    alive = living(1000, int(ip_address("10.0.0.0")), 1 << 23)
    with wire("eight", "10.0.0.0/9") as cable:
        for part in parts[1:]:
            cable.scanner.run("ip", "route", "add", part, "via", "10.255.0.2")
            cable.hospital.run("ip", "route", "add", "local", part, "dev", "lo")
        cable.count([SYN])
        elements = ", ".join(alive)
        cable.hospital.run(
            *("nft", "-f", "-"),
            stdin=f"""add set inet judge living {{ type ipv4_addr; flags interval; }}
            add element inet judge living {{ {elements} }}
            add rule inet judge arriving iifname {cable.ends[1]} ip daddr != @living drop""",
        )
        with crowd(cable.hospital):
            run = scan(cable, folder, parts, "--ports", "445", "--sweep", "syn")
    say(f"  {run.output.strip().splitlines()[-1] if run.output.strip() else ''} {run.wall:.0f} s")
    ratio("peak memory, MiB", run.peak_mb, 400)
    ratio("alive and not found", len(set(alive) - found(folder)), 0)


def main(parts: Sequence[str]) -> None:
    """All of it, or the parts that are named."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        alive = living(ALIVE, FIRST, 1 << 16)
        if "16" in parts:
            with wire("plan") as cable:
                cable.count([SYN])
                cable.dark_but(alive)
                beside_masscan(cable, folder, set(alive))
                by_connections(cable, folder, set(alive))
                with_losses(cable, folder, set(alive))
        if "8" in parts:
            whole_eight(folder)


if __name__ == "__main__":
    main(sys.argv[1:] or ("16", "8"))
