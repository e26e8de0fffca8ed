"""What goes wrong on the scanner's own side: disks, locks, other people's files, signals, kills."""

from __future__ import annotations

import hashlib
import json
import random
import signal
import sqlite3
import subprocess
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.disks import make_room, short_files, small_disk
from tests.integration.killing import lasting, victim
from tests.integration.product import Product
from tests.simulator.process import running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.integration.killing import Victim
    from tests.simulator.process import Running

MACHINES = 240
HOSPITAL = ("--hosts", str(MACHINES), "--wards", "1", "--mix", "xp=120,w7=40,w10=40,samba=20,2003=20")
STEADY = ("scan", "--profile", "office", "--rate", "80")
"""Slow enough that something can happen in mid-scan."""

LOCKED = "another program holds the inventory"


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("hospital"), *HOSPITAL) as simulated:
        yield simulated


@pytest.fixture
def product(hospital: Running, tmp_path: Path) -> Product:
    """A folder with the hospital's site file and no inventory yet."""
    (tmp_path / "site.toml").write_bytes(hospital.site_file.read_bytes())
    return Product(tmp_path)


def demand_one_line(complaint: str, about: str) -> None:
    lines = complaint.strip().splitlines()
    assert [line for line in lines if line.startswith("vetuste: ")] == lines[-1:]
    assert about in lines[-1]
    assert "Traceback" not in complaint


def seen(product: Product) -> int:
    return sum(row["seen"] for row in product.counted())


def kept(product: Product) -> int:
    """Machines of an inventory after something went wrong: it opens, and every command reads it."""
    lines = product.run("export", "jsonl", "--out", "-").stdout.splitlines()
    assert len(lines) == seen(product)
    product.run("db", "check")
    return len(lines)


def test_a_disk_that_fills_up(product: Product, tmp_path: Path) -> None:
    """No file may grow beyond a size: the scan ends with one line, and what was recorded is readable."""
    short = short_files(tmp_path, 600_000)
    ended = short.run(*STEADY, expect=3)
    demand_one_line(ended.stderr, "what was recorded before is kept")
    before = kept(product)
    assert 0 < before < MACHINES
    product.run("scan")
    assert seen(product) == MACHINES


@pytest.mark.namespaces
def test_a_full_disk(product: Product, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    with small_disk(disk, "832k") as full:
        place = ("--site", str(product.folder / "site.toml"))
        ended = full.run(*STEADY, *place, expect=3)
        demand_one_line(ended.stderr, "the disk is full")
        before = seen(full)
        assert 0 < before < MACHINES
        make_room(full, "32m")
        assert kept(full) == before
        full.run("scan", *place)
        assert seen(full) == MACHINES
    assert not list(disk.iterdir()), "nobody else saw that disk"


@pytest.mark.namespaces
def test_a_disk_that_is_full_before_the_inventory_is_whole(product: Product, tmp_path: Path) -> None:
    """Nothing is left that looks like an inventory and is none."""
    disk = tmp_path / "disk"
    disk.mkdir()
    with small_disk(disk, "448k") as full:
        place = ("--site", str(product.folder / "site.toml"))
        ended = full.run(*STEADY, *place, expect=3)
        demand_one_line(ended.stderr, "the disk is full")
        make_room(full, "32m")
        full.run("scan", *place)
        assert seen(full) == MACHINES
        full.run("db", "check")


@contextmanager
def locked(inventory: Path) -> Iterator[None]:
    """Another program holds the inventory."""
    with closing(sqlite3.connect(inventory, isolation_level=None, timeout=30)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield
        connection.execute("ROLLBACK")


def test_a_lock_that_goes_is_waited_for(product: Product) -> None:
    process = product.start(*STEADY)
    with process:
        product.wait_for(process, 20)
        with locked(product.inventory):
            before = product.recorded()
            waiting = product.start("count")
            assert waiting.communicate(timeout=60)[1] == "", "readers never wait"
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(timeout=2)
            assert product.recorded() == before
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, ""), err
    assert seen(product) == MACHINES


def test_a_lock_that_stays_ends_scans_in_one_line(product: Product) -> None:
    """The one under way, and one that begins."""
    with product.start(*STEADY, "--rate", "12") as process:
        product.wait_for(process, 10)
        with locked(product.inventory), product.start("scan") as late:
            before = product.recorded()
            for ended in (process, late):
                _, complaint = ended.communicate(timeout=60)
                assert ended.returncode == 3
                demand_one_line(complaint, LOCKED)
    assert kept(product) == before
    product.run("scan")
    assert seen(product) == MACHINES


def another_database(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE patients (name TEXT)")
        connection.execute("INSERT INTO patients VALUES ('nobody')")
        connection.commit()


FOREIGN: dict[str, Callable[[Path], object]] = {
    "another program's database": another_database,
    "a text": lambda file: file.write_text("name;ip\nPC-1;10.0.0.1\n" * 20, encoding="utf-8"),
    "half a header": lambda file: file.write_bytes(b"SQLite format 3\0" + bytes(20)),
    "noise": lambda file: file.write_bytes(bytes(range(256)) * 40),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_foreign_file_is_left_as_it_is(product: Product, kind: str) -> None:
    FOREIGN[kind](product.inventory)
    before = hashlib.sha256(product.inventory.read_bytes()).digest()
    commands = [["scan"], ["count"], ["assets"], ["rejudge"], ["db", "upgrade"], ["db", "check"]]
    for words in [*commands, ["export", "csv", "--out", "x.csv"], ["explain", "127.32.0.1"]]:
        ended = product.run(*words, expect=2)
        demand_one_line(ended.stderr, "inventory.db")
        assert ended.stdout == ""
    assert hashlib.sha256(product.inventory.read_bytes()).digest() == before
    assert {file.name for file in product.folder.iterdir()} == {"site.toml", "inventory.db"}


@pytest.mark.parametrize(("number", "times"), [(signal.SIGINT, 1), (signal.SIGINT, 3), (signal.SIGTERM, 1)])
def test_an_interrupted_scan_keeps_everything(
    product: Product, hospital: Running, number: signal.Signals, times: int
) -> None:
    process = product.start(*STEADY, "--json")
    with process:
        product.wait_for(process, 30)
        for _ in range(times):
            process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    rows = lasting({row["ip"]: row for row in _exported(product)})
    truth = {row["address"]: row["product"] for row in hospital.truth}
    assert 30 <= len(rows) < MACHINES
    assert product.ask("SELECT state, ended IS NOT NULL FROM scans") == [("interrupted", 1)]
    (tally,) = json.loads(out)
    assert tally["seen"] == len(rows), "what it says it saw is what is there"
    for address, row in rows.items():
        if row["evidence"]:
            assert any(each["product"] == truth[address] for each in row["candidates"]), address
    product.run("scan")
    assert seen(product) == MACHINES


def _exported(product: Product) -> list[dict[str, Any]]:
    return [json.loads(line) for line in product.run("export", "jsonl", "--out", "-").stdout.splitlines()]


def test_an_interrupted_scan_that_cannot_write_says_so(product: Product) -> None:
    """Ctrl-C while another program holds the inventory: the last batch is waited for, but not for ever."""
    with product.start(*STEADY) as process:
        product.wait_for(process, 30)
        with locked(product.inventory):
            before = product.recorded()
            for _ in range(2):
                process.send_signal(signal.SIGINT)
                with pytest.raises(subprocess.TimeoutExpired):
                    process.wait(timeout=1)
            _, complaint = process.communicate(timeout=60)
    assert process.returncode == 3
    demand_one_line(complaint, LOCKED)
    assert kept(product) == before


@pytest.fixture(scope="module")
def prey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victim]:
    with victim(tmp_path_factory.mktemp("victim")) as made:
        yield made


@pytest.mark.parametrize("number", range(8))
def test_a_killed_scan_is_gone_on_with(prey: Victim, number: int) -> None:
    """The short form of the proof by hundreds of kills (`make prove`)."""
    prey.kill((number + random.Random(f"kill {number}").random()) / 8)
