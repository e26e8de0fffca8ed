"""Half-open looks, beside masscan and nmap, among forgers, firewalls and cut cables; others count."""

from __future__ import annotations

import random
import re
import signal
import subprocess
import sys
from collections import Counter
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.captures import busiest_second
from tests.integration.peers import ended
from tests.integration.product import Product
from tests.integration.scenes import hosts, planned, scene, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.scenes import Scene

pytestmark = pytest.mark.namespaces

ROOT = Path(__file__).parents[2]
SYN = ("--profile", "lab", "--sweep", "syn")
PORTS = ("--ports", "22,80,443,445,3389")
FIRST = int(ip_address("10.77.0.0"))
PROBES = ("smb", "ssh", "http", "tls", "rdp")
_LISTENING = """
import socket, sys
held = socket.create_server(("0.0.0.0", 445), backlog=4096)
print("ready", flush=True)
sys.stdin.read()
"""


def living(number: int, among: int, seed: str) -> list[str]:
    """So many addresses of the first ones of the hospital."""
    chosen = random.Random(seed).sample(range(among), number)
    return sorted(str(ip_address(FIRST + each)) for each in chosen)


def lab(stage: Scene, network: str) -> None:
    """Write the site file: a laboratory."""
    stage.site(f'lab = true\nsubnets = ["{network}"]', probes=PROBES)


def found(stage: Scene) -> set[str]:
    return {address for (address,) in stage.product.ask("SELECT address FROM assets")}


def counts(stage: Scene, name: str) -> int:
    (value,) = stage.product.ask(f"SELECT json_extract(counts, '$.{name}') FROM scans ORDER BY id DESC")[0]  # noqa: S608 - names from below
    return int(value)


def test_it_finds_whom_masscan_and_nmap_find(tmp_path: Path) -> None:
    alive = living(150, 1024, "peers")
    with scene("syn", tmp_path, alive) as stage:
        lab(stage, "10.77.0.0/22")
        (plan,) = planned(stage.product, *SYN, *PORTS)
        before = stage.attempts()
        stage.product.run("scan", *SYN, *PORTS)
        assert plan["connections_least"] <= stage.attempts() - before <= plan["connections_most"]
        linked = stage.cable.hospital.run(
            "cat", f"/sys/class/net/{stage.cable.ends[1]}/address"
        ).stdout.strip()
        masscan = ["masscan", "10.77.0.0/22", "-p445", "--rate", "4000", "--wait", "2", "-oL", "-"]
        over = ("-e", stage.cable.ends[0], "--router-mac", linked)
        theirs = stage.cable.scanner.run(*masscan, *over).stdout
        nmap = ("nmap", "-n", "-Pn", "-sS", "-p445", "--open", "--min-rate", "2000", "--max-retries", "1")
        listed = stage.cable.scanner.run(*nmap, "-oG", "-", "10.77.0.0/22").stdout
    assert found(stage) == set(alive)
    heard = set(re.findall(r"^open tcp 445 (\S+)", theirs, re.MULTILINE))
    assert heard <= set(alive)
    assert len(heard) > 0.5 * len(alive), "it loses some of its own answers where a machine is busy"
    assert set(re.findall(r"^Host: (\S+) .*445/open", listed, re.MULTILINE)) == set(alive)
    assert counts(stage, "identified") == len(alive)
    assert counts(stage, "visited") == 1024


def test_what_gets_lost_is_asked_again(tmp_path: Path) -> None:
    """Of a hundred packets five get lost, there and back."""
    alive = living(300, 2048, "loss")
    with scene("lost", tmp_path, alive) as stage:
        stage.cable.hospital.run(
            *("nft", "-f", "-"),
            stdin="""add rule inet judge arriving numgen random mod 100 < 5 drop
            add chain inet judge leaving { type filter hook output priority -300; }
            add rule inet judge leaving numgen random mod 100 < 5 drop""",
        )
        lab(stage, "10.77.0.0/21")
        stage.product.run("scan", *SYN, *PORTS)
    assert found(stage) == set(alive)


@pytest.mark.parametrize(("profile", "rate"), [("lab", 3000), ("office", 500)])
def test_the_pace_is_kept(tmp_path: Path, profile: str, rate: int) -> None:
    network = "10.77.0.0/21" if profile == "lab" else "10.77.0.0/26"
    with scene("pace", tmp_path, hosts("10.77.0.9", 20)) as stage:
        lab(stage, network)
        with stage.watched() as capture:
            stage.product.run("scan", "--profile", profile, "--rate", str(rate), "--sweep", "syn", *PORTS)
    sent = capture.syns()
    assert busiest_second(sent) <= rate * 1.1
    if profile == "office":
        each: Counter[str] = Counter(packet.host for packet in sent)
        for host in each:
            assert busiest_second([packet for packet in sent if packet.host == host]) <= 2
    assert found(stage) == set(hosts("10.77.0.9", 20))


@contextmanager
def forging(stage: Scene) -> Iterator[None]:
    """Somebody at the hospital's end of the cable answers what nobody asked."""
    words = (sys.executable, "-m", "tests.integration.forger", stage.cable.ends[1])
    forger = stage.cable.hospital.start(*words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT)
    with ended(forger):
        assert forger.stdout is not None
        assert forger.stdout.readline() == "ready\n"
        yield


def test_who_answers_falsely_is_nobody(tmp_path: Path) -> None:
    alive = hosts("10.77.0.9", 4)
    with scene("forged", tmp_path, alive) as stage:
        lab(stage, "10.77.0.0/24")
        with forging(stage):
            stage.product.run("scan", *SYN, *PORTS)
    assert found(stage) == {*alive, "10.77.0.251"}, "who accepts three times is there once"
    assert counts(stage, "seen") == len(alive) + 1


@pytest.mark.parametrize(
    ("kind", "network", "number"), [("refuses", "10.77.16.0/20", 4096), ("accepts", "10.77.16.0/23", 512)]
)
def test_a_firewall_that_answers_for_a_subnet_adds_no_asset(
    tmp_path: Path, kind: str, network: str, number: int
) -> None:
    """It refuses every port, or accepts one and says nothing."""
    with scene("wall", tmp_path) as stage:
        lab(stage, network)
        held = stage.cable.hospital.start(
            *(sys.executable, "-c", _LISTENING if kind == "accepts" else "import sys; sys.stdin.read()"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        with ended(held):
            assert held.stdout is not None
            assert kind == "refuses" or held.stdout.readline() == "ready\n"
            done = stage.product.run("scan", *SYN, "--ports", "445,3389")
    assert found(stage) == set()
    assert counts(stage, "phantoms") == number
    assert f"{number} addresses are no machines" in done.stderr


def test_a_storm_of_unreachables_makes_no_host(tmp_path: Path) -> None:
    """Twenty ICMP errors for each SYN to a subnet."""
    alive = hosts("10.77.30.9", 4)
    with scene("storm", tmp_path, alive) as stage:
        lab(stage, "10.77.30.0/23")
        with forging(stage):
            stage.product.run("scan", *SYN, "--ports", "445")
        wanted = "SELECT count(DISTINCT address) FROM ledger JOIN ledger_kinds ON id = kind_id"
        (told,) = stage.product.ask(f"{wanted} WHERE outcome = 'unreachable'")[0]
    assert found(stage) == {*alive, "10.77.30.251"}, "and who accepts three times"
    assert told == 256


def raw_parts(parent: int) -> list[Path]:
    """The processes that a scan had started by now to send and to hear raw packets."""
    listed = subprocess.run(
        ["pgrep", "-f", f"syn_raw.py .*parent.: {parent}}}"], capture_output=True, text=True, check=False
    )
    return [Path("/proc", word) for word in listed.stdout.split()]


def test_the_raw_part_has_no_rights_and_ends_with_its_scan(tmp_path: Path) -> None:
    with scene("rights", tmp_path, hosts("10.77.0.9", 2)) as stage:
        lab(stage, "10.77.0.0/20")
        with stage.product.start("scan", *SYN, "--rate", "200", *PORTS) as scan:
            stage.wait_for_attempts(scan, 50)
            parts = raw_parts(scan.pid)
            assert len(parts) == 2
            for part in parts:
                status = (part / "status").read_text()
                assert re.search(r"^Uid:\t65534\t65534\t65534\t65534$", status, re.MULTILINE)
                assert re.search(r"^Groups:\t ?$", status, re.MULTILINE)
                held = re.findall(r"^Cap(?:Inh|Prm|Eff|Bnd|Amb):\t(\w+)$", status, re.MULTILINE)
                assert held == ["0" * 16] * 5
                assert re.search(r"^NoNewPrivs:\t1$", status, re.MULTILINE)
                assert re.search(r"^Seccomp:\t2$", status, re.MULTILINE)
            scan.send_signal(signal.SIGKILL)
            scan.wait(timeout=10)
            until(lambda: not any(part.exists() for part in parts))
        before = stage.attempts()
        done = stage.product.run("scan", "--resume", "--plan", "--json")
        assert stage.attempts() == before
        assert '"addresses": 4096' in done.stdout


def test_a_scan_that_was_killed_is_gone_on_with(tmp_path: Path) -> None:
    alive = living(60, 16384, "killed")
    with scene("gone", tmp_path, alive) as stage:
        lab(stage, "10.77.0.0/18")
        words = (*SYN, "--ports", "445")
        with stage.product.start("scan", *words, "--rate", "4000") as scan:
            stage.wait_for_attempts(scan, 15000)
            scan.send_signal(signal.SIGKILL)
            scan.wait(timeout=10)
        stage.product.run("scan", "--resume")
        assert found(stage) == set(alive)
        assert counts(stage, "visited") == 16384
        ledger = stage.product.ask("SELECT address, count(*) FROM ledger GROUP BY 1")
        dark = [number for address, number in ledger if str(ip_address(address)) not in alive]
        assert max(dark) == 1, "who was done is not asked again"


def test_a_cable_that_is_cut_is_waited_for(tmp_path: Path) -> None:
    alive = living(100, 4096, "cut")
    with scene("cut", tmp_path, alive) as stage:
        lab(stage, "10.77.0.0/20")
        with stage.product.start("scan", *SYN, "--rate", "3000", *PORTS) as scan:
            stage.wait_for_attempts(scan, 6000)
            stage.cable.unplug(0)
            assert scan.stderr is not None
            assert any("the network is away" in line for line in scan.stderr)
            stage.cable.plug(0)
            _, said = scan.communicate(timeout=120)
        assert scan.returncode == 0, said
    assert found(stage) == set(alive)


def test_who_may_not_is_told_so(tmp_path: Path) -> None:
    unable = ("setpriv", "--bounding-set", "-net_raw", "--inh-caps", "-net_raw")
    with scene("may", tmp_path) as stage:
        lab(stage, "10.77.0.0/28")
        outside = Product(tmp_path, (*stage.cable.scanner.command(), *unable))
        done = outside.run("scan", *SYN, *PORTS, expect=2)
        assert done.stderr.splitlines()[-1].startswith("vetuste: This machine may not send raw packets")
        done = stage.product.run("scan", "--sweep", "syn", expect=2)
        assert "not allowed under the profile clinical" in done.stderr
        assert stage.attempts() == 0
