from __future__ import annotations

import json
import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from scanner.cli.checkup import Finding, State, installation, machine, rights
from scanner.cli.terminal.options import Where
from tests.cli.process import run

if TYPE_CHECKING:
    import socket

GOOD, BAD = State.OK, State.FAIL


def powerless(*_: object) -> socket.socket:
    raise PermissionError


@pytest.mark.parametrize(
    ("finding", "state"),
    [
        (machine.python((3, 11, 0)), State.OK),
        (machine.python((3, 10, 14)), State.FAIL),
        (machine.uvloop(there=True), State.OK),
        (machine.uvloop(there=False), State.WARN),
        (machine.descriptors(4096), State.OK),
        (machine.descriptors(-1), State.OK),
        (machine.descriptors(1024), State.WARN),
        (machine.retransmissions(None), State.FAIL),
        (machine.interface(None), State.WARN),
        (machine.echo(powerless), State.WARN),
        (machine.interface(31337), State.WARN),
        (rights.rights(0), State.WARN),
        (rights.rights(1000), State.OK),
        (rights.raw(allowed=True, scapy=True), State.OK),
        (rights.raw(allowed=True, scapy=False), State.WARN),
        (rights.raw(allowed=False), State.WARN),
        (machine.disk(Path("/"), 10 << 30), State.OK),
        (machine.disk(Path("/"), 500 << 20), State.WARN),
        (machine.disk(Path("/"), 1 << 20), State.FAIL),
        (machine.clock(datetime(2027, 1, 1, tzinfo=UTC)), State.OK),
        (machine.clock(datetime(1970, 1, 1, tzinfo=UTC)), State.FAIL),
        (machine.zones(), State.OK),
        (machine.zones("Europe/Atlantis"), State.FAIL),
        (machine.terminal("UTF-8"), State.OK),
        (machine.terminal("ascii"), State.WARN),
        (installation.languages(), State.OK),
        (installation.data(date(2026, 12, 1)), State.OK),
        (installation.data(date(2036, 1, 1)), State.WARN),
    ],
)
def test_each_check_knows_good_from_bad_and_says_how_to_fix_it(finding: Finding, state: State) -> None:
    assert finding.state is state
    assert finding.says.render()
    assert (finding.fix is None) == (state is State.OK)


@pytest.mark.parametrize(
    ("content", "state"),
    [("16384 60999\n", State.OK), ("32768 33000\n", State.WARN), ("odd", State.WARN), (None, State.WARN)],
)
def test_local_ports(content: str | None, state: State, tmp_path: Path) -> None:
    file = tmp_path / "range"
    if content is not None:
        file.write_text(content, encoding="ascii")
    assert machine.ports(file).state is state


@pytest.mark.parametrize(
    ("content", "state"),
    [("16384\n", State.OK), ("1024\n", State.WARN), ("many", State.WARN), (None, State.WARN)],
)
def test_neighbours(content: str | None, state: State, tmp_path: Path) -> None:
    file = tmp_path / "gc_thresh3"
    if content is not None:
        file.write_text(content, encoding="ascii")
    assert machine.neighbours(file).state is state


@pytest.mark.parametrize(
    ("content", "may"),
    [
        ("Name:\tpython\nCapEff:\t0000000000002000\nCapAmb:\t0000000000002000\n", True),
        ("CapEff:\t000001ffffffdfff\nCapAmb:\t000001ffffffdfff\n", False),
        ("CapEff:\todd\n", False),
        (None, False),
    ],
)
def test_the_right_to_raw_sockets_is_one_bit(content: str | None, may: bool, tmp_path: Path) -> None:  # noqa: FBT001 - what is wanted
    file = tmp_path / "status"
    if content is not None:
        file.write_text(content, encoding="ascii")
    assert rights._may_send_raw(file) is may


def test_a_right_that_no_child_would_have_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "status"
    file.write_text("CapEff:\t0000000000002000\nCapAmb:\t0000000000000000\n", encoding="ascii")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert not rights._may_send_raw(file)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert rights._may_send_raw(file)


def test_the_way_to_a_right_is_one_scan_and_takes_every_other_away() -> None:
    fix = rights.raw(allowed=False).fix
    assert fix is not None
    for words in ("AmbientCapabilities=CAP_NET_RAW", "CapabilityBoundingSet=CAP_NET_RAW", "User=vetuste"):
        assert f"-p {words}" in fix.render()
    assert "NoNewPrivileges=yes" in fix.render()


def test_an_interpreter_with_rights_is_warned_of(tmp_path: Path) -> None:
    program = tmp_path / "python"
    program.write_bytes(b"")
    (tmp_path / "link").symlink_to(program)
    assert rights.interpreter(tmp_path / "link").state is State.OK
    program.chmod(0o4755)
    finding = rights.interpreter(tmp_path / "link")
    assert finding.state is State.WARN
    assert str(program) in finding.says.render()
    assert rights.interpreter(tmp_path / "absent").state is State.OK


@pytest.mark.namespaces
def test_an_interpreter_with_a_capability_is_warned_of(tmp_path: Path) -> None:
    program = tmp_path / "python"
    program.write_bytes(b"")
    os.setxattr(program, "security.capability", bytes.fromhex("0100000200200000000000000000000000000000"))
    assert rights.interpreter(program).state is State.WARN


def test_a_sound_hospital(hospital: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(hospital)
    assert installation.site(Where()).state is State.OK
    assert installation.inventory(Where()).state is State.OK
    assert installation.folder_of(Where()).samefile(hospital)


def test_an_inventory_that_others_can_read(hospital: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(hospital)
    (hospital / "inventory.db").chmod(0o644)
    finding = installation.inventory(Where())
    assert finding.state is State.WARN
    assert finding.fix is not None
    assert "chmod 600" in finding.fix.render()


def test_what_is_not_there_yet_is_no_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert installation.site(Where()).state is State.WARN
    assert installation.inventory(Where()).state is State.WARN


def test_what_is_there_and_wrong_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "site.toml").write_text("[site]\nnmae = 'x'\n", encoding="utf-8")
    (tmp_path / "notes.txt").write_text("no database\n" * 100, encoding="utf-8")
    assert installation.site(Where()).state is State.FAIL
    assert installation.site(Where(site_file="absent.toml")).state is State.FAIL
    assert installation.inventory(Where("notes.txt")).state is State.FAIL


def test_the_command_names_every_check_once_and_fails_where_one_does(hospital: Path) -> None:
    code, out, err = run("doctor", "--json", "--today", "2026-12-01", cwd=hospital)
    checks = json.loads(out)
    assert err == ""
    assert len({check["check"] for check in checks}) == len(checks) == 20
    assert code == (3 if any(check["state"] == "fail" for check in checks) else 0)
    (hospital / "site.toml").write_text("[site", encoding="utf-8")
    code, out, _ = run("doctor", cwd=hospital)
    assert code == 3
    assert "site.toml:1:" in out
    assert "to fix it:" in out


def test_the_doctor_speaks_french(hospital: Path) -> None:
    assert "les fuseaux horaires sont connus" in run("doctor", "--lang", "fr", cwd=hospital)[1]
