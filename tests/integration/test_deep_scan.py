"""``scan --deep``: second opinions of a real server, whose verdict stays open, and of nobody else."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.peers import free_port, samba
from tests.integration.product import Product
from tests.integration.scenes import until
from tests.integration.test_stop import machine, on

if TYPE_CHECKING:
    from collections.abc import Iterator


HOST = "127.0.0.1"


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    found = free_port(HOST)
    with samba(tmp_path_factory.mktemp("samba"), HOST, [found], {"server min protocol": "NT1"}):
        yield found


def site(folder: Path, port: int, profile: str) -> Product:
    product = Product(folder)
    (folder / "site.toml").write_text(
        f'[site]\nname = "Test"\n[policy]\nprofile = "{profile}"\nprobes = ["smb"]\n'
        f'[ports]\nsmb = [{port}]\n[[ward]]\nname = "Ward"\nsubnets = ["{HOST}/32"]\n',
        encoding="utf-8",
    )
    return product


def test_others_are_asked_and_everything_is_accounted_for(tmp_path: Path, port: int) -> None:
    product = site(tmp_path, port, "office")
    plan = product.run("scan", "--deep", "--plan", "--json").stdout
    product.run("scan", "--deep")
    known = product.explain(HOST)
    assert known["status"] == "depends", "only then are they asked"
    opinions = [seen for seen in known["observations"] if seen["probe"] == "deep.nmap"]
    assert [seen["outcome"] for seen in opinions] == ["answered"]
    assert "smb.dialect" in opinions[0]["evidence"]
    ledger = Counter(line["probe"] for line in known["ledger"])
    assert ledger["deep.nmap"] == opinions[0]["connections"] > 0
    assert all(line["bytes_sent"] for line in known["ledger"] if line["probe"] == "deep.nmap")
    (row,) = json.loads(plan)
    assert sum(ledger.values()) <= row["connections_most"]


def test_without_being_asked_nobody_has_a_second_look(tmp_path: Path, port: int) -> None:
    product = site(tmp_path, port, "office")
    product.run("scan")
    assert {line["probe"] for line in product.explain(HOST)["ledger"]} <= {"smb", "look"}


def test_under_clinical_they_are_refused_before_anything_is_sent(tmp_path: Path, port: int) -> None:
    product = site(tmp_path, port, "clinical")
    said = product.run("scan", "--deep", expect=2).stderr
    assert said.startswith("vetuste: second opinions are never had under the clinical profile")
    assert not product.inventory.exists()


def test_without_nmap_they_are_refused(tmp_path: Path, port: int) -> None:
    product = site(tmp_path, port, "office")
    said = product.run("scan", "--deep", expect=2, PATH=str(tmp_path)).stderr
    assert "lack nmap" in said
    assert "vetuste doctor" in said
    assert not product.inventory.exists()


def others(scan: int) -> set[Path]:
    """The processes of somebody else's program that a scan has started."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, IndexError):  # it ended meanwhile
            if b"smbport=" in (process / "cmdline").read_bytes() and scan in ancestors(process):
                found.add(process)
    return found


def ancestors(process: Path) -> Iterator[int]:
    """The processes that started it, and that started these (proc(5), stat)."""
    while (parent := int((process / "stat").read_text().rpartition(")")[2].split()[1])) > 1:
        yield parent
        process = Path("/proc", str(parent))


def demand_gone(started: set[Path]) -> None:
    """They end, and soon."""
    assert started
    until(lambda: not any(process.exists() for process in started))


def test_what_kills_a_scan_ends_others_too(tmp_path: Path, port: int) -> None:
    with site(tmp_path, port, "office").start("scan", "--deep") as scan:
        until(lambda: bool(others(scan.pid)), scan)
        started = others(scan.pid)
        scan.kill()
        scan.communicate(timeout=30)
    demand_gone(started)
    assert scan.returncode == -9


@pytest.mark.namespaces
def test_what_stops_a_scan_ends_others_too(tmp_path: Path, port: int) -> None:
    site(tmp_path, port, "office")
    with machine() as place:
        product = on(place, tmp_path)
        with product.start("scan", "--deep") as scan:
            until(lambda: bool(others(scan.pid)), scan)
            started = others(scan.pid)
            product.run("stop")
            scan.communicate(timeout=30)
        demand_gone(started)
    assert scan.returncode == 130
