"""``vetuste import``: files of other scanners, as people and scripts hand them over."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import pty
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from scanner.imports import formats
from tests.cli.conftest import SITE
from tests.cli.process import FRONT, environment, process, run, start
from tests.imports import large
from tests.imports.samples import NMAP, SAMPLES

FORMATS = [form.name for form in formats()]
DAY = "--today=2026-11-23"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one file of each format, and no inventory yet."""
    for name, content in SAMPLES.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


def imported(folder: Path, *arguments: str, stdin: bytes = b"") -> dict[str, Any]:
    code, out, err = run("import", *arguments, "--json", cwd=folder, stdin=stdin)
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert isinstance(found, dict)
    return found


def scans(folder: Path) -> list[tuple[str, ...]]:
    with closing(sqlite3.connect(folder / "inventory.db")) as connection:
        return connection.execute("SELECT profile, scope, state, counts, request FROM scans").fetchall()


@pytest.mark.parametrize("form", FORMATS)
def test_a_file_becomes_machines(form: str, folder: Path) -> None:
    found = imported(folder, form, form)
    keys = ["hosts", "identified", "observations", "outside", "outdated"]
    assert list(found) == ["format", "file", "whole", "wrong", "scan", *keys]
    assert (found["format"], found["file"], found["whole"], found["wrong"]) == (form, form, True, 0)
    assert found["hosts"] == found["observations"] - sum(
        len(seen) - 1 for seen in _observations(folder).values()
    )
    ((profile, scope, state, counts, request),) = scans(folder)
    assert (profile, scope, state) == ("import", f"{form} {form}", "done")
    assert json.loads(counts).items() >= {"hosts": found["hosts"], "wrong": 0, "cut_short": 0}.items()
    content = SAMPLES[form]
    assert json.loads(request) == {
        "import": form,
        "file": form,
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def _observations(folder: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    with closing(sqlite3.connect(folder / "inventory.db")) as connection:
        for address, probe in connection.execute("SELECT address, probe FROM observations"):
            found.setdefault(address, []).append(probe)
    return found


def test_what_it_says_to_people(folder: Path) -> None:
    (folder / "site.toml").write_text(SITE, encoding="utf-8")
    code, out, err = run("import", "nmap", "nmap", cwd=folder)
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "Machines recorded: 4, of which identified: 3. Observations: 12.",
        "Left out, as no ward of the site file has their address: 1.",
    ]


def test_machines_are_counted_in_their_wards_and_nobody_was_asked(folder: Path) -> None:
    (folder / "site.toml").write_text(SITE, encoding="utf-8")
    imported(folder, "nmap", "nmap")
    _, out, _ = run("count", "--os", "Windows XP", "--by", "ward", "--json", DAY, cwd=folder)
    rows = {row["ward"]: row for row in json.loads(out)}
    assert rows["Réanimation"]["certain"] + rows["Réanimation"]["probable"] == 1
    assert (rows["Réanimation"]["seen"], rows["Réanimation"]["never_scanned"]) == (1, 256)
    _, out, _ = run("ledger", "10.20.9.7", "--json", cwd=folder)
    assert json.loads(out) == []
    _, out, _ = run("explain", "POSTE-7", "--json", DAY, cwd=folder)
    detail = json.loads(out)
    assert detail["ledger"] == []
    assert {each["connections"] for each in detail["observations"]} == {0}
    assert "windows-xp-sp3" in {each["release"] for each in detail["candidates"]}


def test_standard_input_and_packed_files(folder: Path) -> None:
    for content in (SAMPLES["nmap"], gzip.compress(SAMPLES["nmap"])):
        found = imported(folder, "nmap", "-", stdin=content)
        assert (found["file"], found["hosts"]) == ("-", 5)
    assert {scope for _, scope, *_ in scans(folder)} == {"nmap stdin"}
    (folder / "packed").write_bytes(gzip.compress(SAMPLES["masscan"]))
    assert imported(folder, "masscan", "packed", "--db", "other.db")["hosts"] == 4


def test_what_was_scanned_before_is_not_lost(hospital: Path) -> None:
    before = json.loads(run("count", "--os", "xp", "--by", "ward", "--json", DAY, cwd=hospital)[1])
    web = {"service_name": "http.server", "banner": "Microsoft-IIS/5.1"}
    record = {"ip": "10.20.0.1", "timestamp": "1795600000", "port": 80, "proto": "tcp", "data": web}
    found = imported(hospital, "masscan", "-", stdin=json.dumps(record).encode())
    assert (found["hosts"], found["identified"], found["outdated"]) == (1, 1, 0)
    assert json.loads(run("count", "--os", "xp", "--by", "ward", "--json", DAY, cwd=hospital)[1]) == before
    detail = json.loads(run("explain", "10.20.0.1", "--json", DAY, cwd=hospital)[1])
    assert detail["evidence"]["http.server"] == ["Microsoft-IIS/5.1"]
    assert detail["evidence"]["smb.native_os"] == ["Windows 5.1"]
    assert json.loads(run("rejudge", "--json", cwd=hospital)[1]) == []


def test_an_interrupted_scan_can_still_be_resumed(hospital: Path) -> None:
    with closing(sqlite3.connect(hospital / "inventory.db")) as connection, connection:
        connection.execute("UPDATE scans SET state = 'interrupted'")
    imported(hospital, "nmap", "-", stdin=SAMPLES["nmap"])
    _, _, err = run("scan", "10.20.0.1", "--plan", cwd=hospital)
    assert "was interrupted: --resume goes on with it" in err


@pytest.mark.parametrize("form", FORMATS)
def test_a_file_that_ends_early_is_taken_and_said_to(form: str, folder: Path) -> None:
    content = SAMPLES[form].rstrip(b"]\n")[:-3]
    code, out, err = run("import", form, "-", "--json", cwd=folder, stdin=content)
    assert code == 0
    assert json.loads(out)["whole"] is False
    assert err.startswith("vetuste: stdin:")
    assert err.count("\n") == 1
    assert json.loads(scans(folder)[0][3])["cut_short"] == 1


def test_a_wrong_line_is_named_and_left_out(folder: Path) -> None:
    lines = SAMPLES["masscan"].splitlines(keepends=True)
    code, out, err = run(
        "import", "masscan", "-", cwd=folder, stdin=b"".join([*lines[:3], b"{]\n", *lines[3:]])
    )
    assert code == 2
    assert err.startswith("vetuste: stdin:4: is no JSON at column 2: ")
    assert "Machines recorded: 4," in out
    assert out.splitlines()[-1] == "Mistakes in the file: 1; what they concern is left out."


def test_many_wrong_lines_are_counted(folder: Path) -> None:
    code, out, err = run("import", "zgrab2", "-", "--json", cwd=folder, stdin=b"x\n" * 5000)
    assert code == 2
    assert json.loads(out)["wrong"] == 5000
    assert len(err.splitlines()) == 21


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b'<!DOCTYPE nmaprun [<!ENTITY a "b">]>\n<nmaprun>&a;</nmaprun>', "stdin:1: is refused: it declares"),
        (b"<nmaprun>\n" + b"<a>" * 200, "stdin:2: is refused: its tags are nested too deeply"),
        (b"", "stdin:1: is no XML of nmap (-oX): no element found"),
        (b"<html>", "stdin:1: is no XML of nmap (-oX): it begins with <html>"),
        (b"\x1b[31m" * 9, "stdin:1: is no XML of nmap"),
    ],
)
def test_a_file_that_is_no_file_of_nmap_leaves_nothing(content: bytes, why: str, folder: Path) -> None:
    before = sorted(folder.iterdir())
    code, out, err = run("import", "nmap", "-", cwd=folder, stdin=content)
    assert (code, out) == (2, "")
    assert err.startswith(f"vetuste: {why}")
    assert err.count("\n") == 1
    assert err.removesuffix("\n").isprintable()
    assert sorted(folder.iterdir()) == before


def test_the_billion_laughs_cost_nothing(folder: Path) -> None:
    lines = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    attack = f'<!DOCTYPE nmaprun [<!ENTITY a0 "ha">{lines}]><nmaprun>&a11;</nmaprun>'
    (folder / "attack.xml").write_text(attack)
    code, out, err = process("import", "nmap", "attack.xml", cwd=folder)
    assert (code, out) == (2, "")
    assert err.startswith("vetuste: attack.xml:1: is refused: it declares entities")
    assert not (folder / "inventory.db").exists()


def test_a_file_that_is_not_there_says_so(folder: Path) -> None:
    code, out, err = run("import", "nmap", "nowhere.xml", cwd=folder)
    assert (code, out) == (2, "")
    assert err.startswith("vetuste: nowhere.xml: cannot be read: ")
    assert run("import", "nmap", ".", cwd=folder)[0] == 2
    assert run("import", "nessus", "x", cwd=folder)[0] == 2


def test_an_inventory_that_cannot_be_used_is_told_before_the_file_is_read(folder: Path) -> None:
    (folder / "inventory.db").write_text("no database")
    code, out, err = run("import", "nmap", "-", cwd=folder, stdin=b"<html>")
    assert (code, out) == (2, "")
    assert "inventory.db" in err


def test_names_of_files_obey_nobody(folder: Path) -> None:
    name = "a\x1b[31m\nb.xml"
    (folder / name).write_bytes(SAMPLES["nmap"][:-400])
    code, _, err = run("import", "nmap", name, cwd=folder)
    assert code == 0
    assert err.removesuffix("\n").isprintable()
    assert all("\x1b" not in text for row in scans(folder) for text in row)


def test_an_interruption_before_anything_is_recorded_leaves_nothing(folder: Path) -> None:
    with start("import", "nmap", "-", "--db", "i.db", cwd=folder) as importing:
        assert importing.stdin is not None
        importing.stdin.write(NMAP.partition("</host>")[0].encode())
        importing.stdin.flush()
        _await_reading(importing)
        importing.send_signal(signal.SIGINT)
        importing.wait(timeout=30)
        assert importing.stderr is not None
        assert importing.stderr.read().startswith(b"vetuste: interrupted")
        importing.stdin.close()
    assert importing.returncode == 130
    assert not (folder / "i.db").exists()


def _await_reading(importing: subprocess.Popen[bytes]) -> None:
    """Wait until it sleeps in a read of its standard input."""
    patience = time.monotonic() + 30
    while time.monotonic() < patience:
        if "pipe" in Path(f"/proc/{importing.pid}/wchan").read_text("ascii"):
            return
        time.sleep(0.05)


def test_on_a_terminal_it_shows_how_far_it_is(folder: Path) -> None:
    leader, follower = pty.openpty()
    command = [sys.executable, str(FRONT), "import", "nmap", "nmap"]
    with subprocess.Popen(command, cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=follower):
        os.close(follower)
    shown = os.read(leader, 1 << 16)
    os.close(leader)
    assert b"MiB read" in shown
    assert shown.endswith(b"\r\x1b[K")


@pytest.mark.parametrize("form", FORMATS)
def test_memory_stays_the_same_however_large_the_file_is(form: str, tmp_path: Path) -> None:
    """What a file of 40 MiB takes at most; ``tests/prove/imports.py`` has 2 GiB, and stays below the same."""
    peak = large.imported(form, 40 << 20, tmp_path)
    assert peak < 192 << 20
