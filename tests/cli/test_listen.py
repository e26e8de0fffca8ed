"""``vetuste listen``: captures, as the network team hands them over, and an interface."""

from __future__ import annotations

import gzip
import json
import os
import signal
import sqlite3
import struct
import time
from contextlib import closing
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.conftest import SITE
from tests.cli.process import process, run, start
from tests.corpus import CORPUS

if TYPE_CHECKING:
    from pathlib import Path

DAY = "--today=2026-11-23"
THEN = 1_795_000_000
"""2026-11-18T11:06:40Z."""
DEBIAN = b"SSH-2.0-OpenSSH_6.0p1 Debian-4+deb7u2\r\n"
HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)


def segment(source: str, target: str, ports: tuple[int, int], payload: bytes, flags: int = 0x18) -> bytes:
    """One TCP segment in an Ethernet frame; its checksums are not looked at."""
    tcp = struct.pack(">HHIIBBHHH", *ports, 1000, 0, 5 << 4, flags, 5792, 0, 0) + payload
    ends = IPv4Address(source).packed + IPv4Address(target).packed
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp), 1, 0x4000, 64, 6, 0) + ends
    return bytes.fromhex("001b78000001001b780000020800") + ip + tcp


def capture(*frames: bytes, at: int = THEN) -> bytes:
    """A capture of these frames, a second each."""
    records = (struct.pack("<IIII", at + place, 0, len(f), len(f)) + f for place, f in enumerate(frames))
    return HEADER + b"".join(records)


def banners(*servers: str) -> bytes:
    return capture(*(segment(server, "10.20.0.200", (22, 40000), DEBIAN) for server in servers))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.pcap").write_bytes(banners("10.20.0.1", "10.20.9.7", "192.0.2.1"))
    return tmp_path


def rows(folder: Path, statement: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(folder / "inventory.db")) as connection:
        return connection.execute(statement).fetchall()


def test_a_line_a_machine_in_the_form_of_classify_and_nothing_is_left_behind(folder: Path) -> None:
    code, out, err = run("listen", "--jsonl", DAY, "--pcap", "a.pcap", cwd=folder)
    assert (code, err) == (0, "")
    found = [json.loads(line) for line in out.splitlines()]
    assert [each["host"] for each in found] == ["10.20.0.1", "10.20.9.7", "192.0.2.1"]
    evidence = {
        "ip.ttl": ["64"],
        "ssh.protocol": ["2.0"],
        "ssh.banner": ["OpenSSH_6.0p1 Debian-4+deb7u2"],
    }
    line = json.dumps({"host": "10.20.0.1", "evidence": evidence}).encode()
    _, classified, _ = run("classify", "-", DAY, cwd=folder, stdin=line)
    times = {"first_heard": "2026-11-18T11:06:40Z", "last_heard": "2026-11-18T11:06:40Z"}
    assert found[0] == {**json.loads(classified), "evidence": evidence, **times}
    assert list(found[0])[:2] == ["host", "status"]
    assert os.listdir(folder) == ["a.pcap"]  # noqa: PTH208 - names are wanted


def test_machines_are_recorded_in_their_wards_and_nobody_was_asked(folder: Path) -> None:
    site = SITE.replace('subnets = ["10.20.9.0/24"]', 'passive_only = true\nsubnets = ["10.20.9.0/24"]')
    (folder / "site.toml").write_text(site, encoding="utf-8")
    code, out, err = run("listen", DAY, "--pcap", "a.pcap", cwd=folder)
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "Machines heard: 2, of which identified: 2, unsupported: 2.",
        "heard by  machines",
        "ssh              2",
        "ttl              2",
        "Left out, as no ward of the site file has their address: 1.",
    ]
    _, out, _ = run("count", "--os", "Debian", "--by", "ward", "--json", DAY, cwd=folder)
    found = {row["ward"]: row for row in json.loads(out)}
    assert [found["Réanimation"][name] for name in ("seen", "never_scanned")] == [1, 256]
    _, out, _ = run("coverage", "--by", "ward", "--json", cwd=folder)
    (passive,) = (row for row in json.loads(out) if row["ward"] == "Réanimation")
    assert (passive["seen"], passive["passive"] + passive["seen"] >= 256) == (1, True)
    _, out, _ = run("assets", "--json", DAY, cwd=folder)
    assert {(each["ip"], each["ward"]) for each in json.loads(out)} == {
        ("10.20.0.1", "Cardiologie"),
        ("10.20.9.7", "Réanimation"),
    }
    _, out, _ = run("ledger", "10.20.9.7", "--json", cwd=folder)
    assert json.loads(out) == []
    ((profile, scope, state, request),) = rows(folder, "SELECT profile, scope, state, request FROM scans")
    assert (profile, scope, state) == ("import", "listen a.pcap", "done")
    assert json.loads(request) == {"listen": ["a.pcap"]}


def test_what_programs_are_told_of_a_recording(folder: Path) -> None:
    code, out, err = run("listen", "--json", DAY, "--pcap", "a.pcap", cwd=folder)
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert (
        found.items()
        >= {"scan": 1, "packets": 3, "lost": 0, "damaged": 0, "hosts": 3, "identified": 3}.items()
    )
    assert (found["statuses"]["unsupported"], found["sources"]) == (3, {"ssh": 3, "ttl": 3})


def test_several_files_folders_and_standard_input(folder: Path) -> None:
    (folder / "more").mkdir()
    (folder / "more" / "b.pcap.gz").write_bytes(gzip.compress(banners("10.20.0.2")))
    (folder / "c.pcap").write_bytes(banners("10.20.0.3"))
    words = ("listen", "--jsonl", DAY, "--pcap", "a.pcap", "c.pcap", "--pcap", "more", "-")
    code, out, err = run(*words, cwd=folder, stdin=banners("10.20.0.4"))
    assert (code, err) == (0, "")
    hosts = [json.loads(line)["host"] for line in out.splitlines()]
    assert hosts == [*(f"10.20.0.{last}" for last in (1, 2, 3, 4)), "10.20.9.7", "192.0.2.1"]


def test_a_damaged_file_tells_what_stood_before_in_one_line(folder: Path) -> None:
    whole = (folder / "a.pcap").read_bytes()
    (folder / "cut.pcap").write_bytes(whole[:-30])
    code, out, err = run("listen", "--jsonl", "--pcap", "cut.pcap", cwd=folder)
    assert (code, err.count("\n"), err.startswith("vetuste: cut.pcap: ")) == (0, 1, True)
    assert [json.loads(line)["host"] for line in out.splitlines()] == ["10.20.0.1", "10.20.9.7"]


@pytest.mark.parametrize("content", [b"", b"no capture at all", HEADER[:10]])
def test_where_nothing_can_be_read_nothing_is_recorded(content: bytes, folder: Path) -> None:
    (folder / "odd").write_bytes(content)
    code, out, err = run("listen", "--pcap", "odd", cwd=folder)
    assert (code, out, err.count("\n")) == (3, "", 1)
    assert not (folder / "inventory.db").exists()


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ((), "either captures"),
        (("--pcap", "a.pcap", "--interface", "lo"), "either captures"),
        (("--pcap", "a.pcap", "--for", "1h"), "--for is for an --interface"),
        (("--interface", "lo", "--for", "soon"), "'soon' is no time"),
        (("--pcap", "nowhere.pcap"), "nowhere.pcap"),
        (("--pcap", "a.pcap", "--fail-on", "old"), "--fail-on"),
        (("--interface", "no-such-interface"), "no-such-interface"),
    ],
)
def test_mistakes_of_use(words: tuple[str, ...], named: str, folder: Path) -> None:
    code, out, err = run("listen", *words, cwd=folder)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert named in err
    assert not (folder / "inventory.db").exists()


@pytest.mark.parametrize(("status", "code"), [("unsupported", 1), ("supported", 0)])
@pytest.mark.parametrize("form", ["--jsonl", "--json", "--format=table"])
def test_a_status_that_fails(status: str, code: int, form: str, folder: Path) -> None:
    assert run("listen", form, DAY, "--fail-on", status, "--pcap", "a.pcap", cwd=folder)[0] == code


def test_a_reader_that_leaves_ends_it_quietly(folder: Path) -> None:
    servers = (f"10.20.{third}.{last}" for third in range(8) for last in range(1, 250))
    (folder / "many.pcap").write_bytes(banners(*servers))
    with start("listen", "--jsonl", "--pcap", "many.pcap", cwd=folder) as listening:
        assert listening.stdout is not None
        assert listening.stdout.readline().startswith(b'{"host": "10.20.0.1"')
        listening.stdout.close()
        assert listening.wait(60) == 0
        assert listening.stderr is not None
        assert listening.stderr.read() == b""


def test_ctrl_c_keeps_what_was_read_from_a_stream_without_an_end(folder: Path) -> None:
    with start("listen", "--pcap", "-", cwd=folder) as listening:
        assert listening.stdin is not None
        listening.stdin.write(banners("10.20.0.5"))
        listening.stdin.flush()
        _wait_until_read(listening.pid)
        listening.send_signal(signal.SIGINT)
        out, err = listening.communicate(timeout=60)
    assert listening.returncode == 130, err
    assert b"Machines heard: 1" in out
    assert b"interrupted" in err
    assert rows(folder, "SELECT state FROM scans") == [("interrupted",)]


def _wait_until_read(pid: int) -> None:
    """Wait until a process has taken what was written to it, and waits for more."""
    taken = False
    while not taken:
        time.sleep(0.05)
        with open(f"/proc/{pid}/syscall", encoding="ascii") as call:  # noqa: PTH123 - no file of ours
            taken = call.read().split()[:2] == ["0", "0x0"]


def test_the_same_capture_twice_is_no_second_machine(folder: Path) -> None:
    for _ in range(2):
        assert run("listen", "--pcap", "a.pcap", cwd=folder)[0] == 0
    assert rows(folder, "SELECT count(*) FROM assets") == [(3,)]


if CORPUS is not None:

    def test_every_capture_of_the_corpus_is_heard_without_an_inventory(tmp_path: Path) -> None:
        assert CORPUS is not None
        code, out, _ = process("listen", "--jsonl", DAY, "--pcap", str(CORPUS / "pcap"), cwd=tmp_path)
        assert code == 0
        found = [json.loads(line) for line in out.splitlines()]
        assert len(found) > 100
        assert all(each["evidence"] for each in found)
        assert os.listdir(tmp_path) == []  # noqa: PTH208 - as above
