"""``make bench``: this scanner, nmap and a bare loop on the same hosts, and what the product is held to.

Everything is measured in one run, since machines differ and drift: read the ratios. Parts that need root
(namespaces for nmap, whose SMB scripts run on port 445 only) say so where there is none.
"""

from __future__ import annotations

import csv
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from scanner.fingerprints import load_fingerprints
from tests.bench.judging import data_loaded, million_classified, million_rejudged
from tests.bench.running import CLI, ROOT, Run, ratio, say, timed
from tests.namespaces import Namespace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

QUIRKS = {
    *("silent", "tarpit", "noise", "reset", "endless", "drip", "gigantic"),
    *("ubuntu", "laserjet", "catalyst"),
}
"""Personalities that no exchange over SMB can be completed with."""


@contextmanager
def hospital(
    folder: Path, hosts: int, wards: int, ports: str, *, prefix: Sequence[str] = ()
) -> Iterator[list[dict[str, str]]]:
    """A simulated hospital as a process of its own; the truth about its machines."""
    words = ["-m", "scanner.simulator", "--hosts", str(hosts), "--wards", str(wards), "--ports", ports]
    files = ["--site-file", str(folder / "site.toml"), "--truth", str(folder / "truth.csv")]
    command = [*prefix, sys.executable, *words, *files]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        if not process.stdout.readline():
            raise SystemExit("the simulator did not start")
        try:
            with (folder / "truth.csv").open(encoding="utf-8") as truth:
                yield list(csv.DictReader(truth))
        finally:
            process.stdin.close()
            process.wait(timeout=30)


def speakers(truth: list[dict[str, str]]) -> list[str]:
    return [row["address"] for row in truth if row["listening"] == "yes" and row["personality"] not in QUIRKS]


def scan_of(folder: Path, targets: Sequence[str], prefix: Sequence[str] = ()) -> Run:
    """One scan of these addresses into an inventory of its own."""
    database = folder / "inventory.db"
    for file in folder.glob("inventory.db*"):
        file.unlink()
    (folder / "targets").write_text("\n".join(targets), encoding="utf-8")
    chosen = [f"@{folder / 'targets'}"] if targets else []
    words = ["scan", *chosen, "--site", str(folder / "site.toml"), "--profile", "lab", "--db", str(database)]
    return timed([*prefix, *CLI, *words])


def against_the_bare_loop(folder: Path) -> None:
    """Processor time a host, classification and storage included, over the same exchange with fixed bytes."""
    say("3,000 speaking hosts on loopback, five times each, in turn:")
    with hospital(folder, 3400, 28, "14450,11390") as truth:
        hosts = speakers(truth)[:3000]
        idle = scan_of(folder, hosts[:1])
        ours, bare = [], []
        for _ in range(5):
            scan = scan_of(folder, hosts)
            loop = json.loads(
                timed([sys.executable, "-m", "tests.bench.bare_loop", "14450"], "\n".join(hosts)).output
            )
            ours.append((scan.cpu - idle.cpu) / len(hosts) * 1e6)
            bare.append(loop["cpu"] / len(hosts) * 1e6)
            if loop["answered"] < len(hosts) * 0.99:
                raise SystemExit(f"void: the bare loop got {loop['answered']} answers of {len(hosts)}")
    say(f"  ours {statistics.median(ours):.0f} µs a host, bare loop {statistics.median(bare):.0f} µs a host")
    pairs = [one / other for one, other in zip(ours, bare, strict=True)]
    ratio("processor time over the bare loop's, median of pairs", statistics.median(pairs), 4)


def every_probe(folder: Path) -> None:
    """What all probes cost beside SMB alone, on the same hosts, whose other ports are open where they are."""
    say("2,000 speaking hosts on loopback, every probe and SMB alone, three times each, in turn:")
    with hospital(folder, 2300, 19, "14450,11390") as truth:
        hosts = speakers(truth)[:2000]
        site = folder / "site.toml"
        every = site.read_text(encoding="utf-8")
        alone = re.sub(r"(?m)^probes = .*$", 'probes = ["smb"]', every)
        pairs = []
        for _ in range(3):
            costs = []
            for text in (every, alone):
                site.write_text(text, encoding="utf-8")
                costs.append(scan_of(folder, hosts).cpu - scan_of(folder, hosts[:1]).cpu)
            pairs.append(costs[0] / costs[1])
    ratio("processor time of every probe over SMB's, median of pairs", statistics.median(pairs), 3)


def against_nmap(folder: Path) -> None:
    """Hosts a second, beside nmap's SMB scripts, in a namespace where port 445 is the simulator's.

    All machines of a small hospital, tarpits and silent ones included: they are where time goes.
    """
    say("500 hosts in a namespace, port 445 (nmap takes some minutes):")
    if os.geteuid():
        say("  not measured: namespaces need root")
        return
    room = Namespace(f"vt-bench-{os.getpid()}")
    subprocess.run(["ip", "netns", "add", room.name], check=True)
    try:
        room.run("ip", "link", "set", "lo", "up")
        with hospital(folder, 500, 5, "445,139", prefix=room.command()) as truth:
            hosts = [row["address"] for row in truth]
            (folder / "hosts").write_text("\n".join(hosts), encoding="utf-8")
            scripts = "smb-os-discovery,smb-protocols"
            words = ["nmap", "-n", "-Pn", "-p445", "--script", scripts, "-iL", str(folder / "hosts")]
            nmap = timed(room.command(*words))
            answers = len(re.findall(r"^\| smb-(?:os-discovery|protocols):", nmap.output, re.MULTILINE))
            if answers < len(speakers(truth)):
                raise SystemExit(f"void: nmap's scripts printed {answers} answers for {len(hosts)} hosts")
            ours = scan_of(folder, hosts, room.command())
    finally:
        subprocess.run(["ip", "netns", "delete", room.name], check=True)
    say(f"  nmap {len(hosts) / nmap.wall:.1f} hosts/s, ours {len(hosts) / ours.wall:.1f}, start-up included")
    ratio("hosts a second over nmap's", nmap.wall / ours.wall, 50, at_least=True)


def whole_hospital(folder: Path) -> None:
    """15,000 hosts among 32,000 addresses; then what people ask of that inventory."""
    say("15,000 hosts among 32,000 addresses on loopback:")
    with hospital(folder, 15_000, 125, "14450,11390"):
        run = scan_of(folder, ())
    say(f"  {run.output.strip().splitlines()[-1]}")
    ratio("seconds", run.wall, 30)
    ratio("peak memory, MB", run.peak_mb, 300)
    database = str(folder / "inventory.db")
    counts = [timed([*CLI, "count", "--by", "ward", "--os", "xp", "--db", database]).wall for _ in range(7)]
    ratio("count --by ward, seconds, start-up included, median of 7", statistics.median(counts), 0.5)


def start_up() -> None:
    say("start-up:")
    helps = [timed([*CLI, "--help"]).wall for _ in range(9)]
    ratio("vetuste --help, milliseconds, median of 9", statistics.median(helps) * 1000, 200)


def worst_pattern() -> None:
    """The slowest pattern on what an ill-meaning host may say: beginnings of what it wants, then rubbish."""
    say("patterns on hostile values of 256 characters:")
    slowest = (0.0, "", "")
    for key, fingerprints in load_fingerprints().by_key.items():
        for one in fingerprints:
            for example, _ in one.examples:
                for rubbish in ("0", "A", " ", ".", "9.", example):
                    hostile = (example[: len(example) // 2 + 1] + rubbish * 256)[:255] + "\x00"
                    times = []
                    for _ in range(3):
                        started = time.perf_counter()
                        one.pattern.fullmatch(hostile)
                        times.append(time.perf_counter() - started)
                    slowest = max(slowest, (min(times), key, one.name))
    say(f"  {slowest[0] * 1e6:.0f} µs: {slowest[2]} ({slowest[1]})")


def main() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    say(f"open files: {soft} raised to {hard}; load before: {os.getloadavg()[0]:.2f}")
    with tempfile.TemporaryDirectory(prefix="vetuste-bench-") as name:
        folder = Path(name)
        start_up()
        data_loaded(folder)
        million_classified(folder)
        million_rejudged(folder)
        worst_pattern()
        against_the_bare_loop(folder)
        every_probe(folder)
        against_nmap(folder)
        whole_hospital(folder)


if __name__ == "__main__":
    main()
