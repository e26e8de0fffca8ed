"""Runs as processes: real scans of loopback addresses, that are stopped, killed, and run into each other."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from scanner.schedule.holding import holder
from scanner.schedule.running import carry_out
from tests.cli.process import process, run, start

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator

SITE = """
[site]
name = "Hôpital d'essai"
[[ward]]
name = "Labo"
profile = "lab"
lab = true
subnets = ["127.83.0.0/29"]
"""
ADD = ("schedule", "add", "nuit", "--every", "daily 22:00", "--tz", "Europe/Paris", "--ports", "445")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VETUSTE_STATE", str(tmp_path / "state"))
    (tmp_path / "site.toml").write_text(SITE, encoding="utf-8")
    return tmp_path


@pytest.fixture
def slow(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A run that takes a quarter of an hour, and has begun to scan."""
    code, _, err = run(*ADD, "--rate", "0.01", cwd=folder)
    assert code == 0, err
    with start("schedule", "run", "nuit", cwd=folder) as running:
        until(lambda: scanning(folder))
        yield running
        if running.poll() is None:
            running.terminate()
        running.communicate(timeout=30)


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def scans(folder: Path) -> list[str]:
    """The states of the inventory's scans."""
    if not (folder / "inventory.db").exists():
        return []
    with closing(sqlite3.connect(folder / "inventory.db")) as connection:
        try:
            return [state for (state,) in connection.execute("SELECT state FROM scans ORDER BY id")]
        except sqlite3.OperationalError:  # it is being made
            return []


def scanning(folder: Path) -> bool:
    """Whether a scan goes on, and would end as it should if it were told to: proc(5), SigCgt."""
    running = holder(folder / "state")
    if running is None or "running" not in scans(folder):
        return False
    status = Path(f"/proc/{running.process}/status").read_text(encoding="ascii")
    caught = next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(int(caught, 16) & 1 << (signal.SIGTERM - 1))


def shown(folder: Path) -> dict[str, Any]:
    code, out, err = run("schedule", "show", "nuit", "--json", cwd=folder)
    assert (code, err) == (0, "")
    found: dict[str, Any] = json.loads(out)
    return found


def test_a_run_keeps_begin_end_counts_and_exit_code(folder: Path) -> None:
    assert run(*ADD, cwd=folder)[0] == 0
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    code, out, err = process("schedule", "run", "nuit", cwd=elsewhere)
    assert (code, out) == (0, "")
    assert err.splitlines()[-1].startswith("the schedule nuit ended with exit code 0: ")
    (kept,) = shown(folder)["runs"]
    assert kept["begun"] <= kept["ended"]
    assert (kept["code"], kept["running"], kept["says"]) == (0, False, "")
    assert kept["counts"]["visited"] == kept["counts"]["addresses"] == 8
    assert kept["counts"]["attempts"] > 0
    assert scans(folder) == ["done"]
    assert not list(elsewhere.iterdir())


def test_alerts_are_sent_after_a_run_and_their_failure_is_kept_with_it(folder: Path) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and does not listen
        url = f"tcp://127.0.0.1:{nobody.getsockname()[1]}"
        channel = f'[[notify]]\nname = "siem"\nkind = "syslog"\naddress = "{url}"\n'
        rule = '[[alert]]\non = "ward-not-scanned"\ndays = 1\nto = ["siem"]\n'
        ward = '[[ward]]\nname = "Vide"\nsubnets = ["10.83.0.0/30"]\n'
        text = f'{SITE}{ward}{rule}{channel}[policy]\nexclude = ["10.83.0.0/30"]\n'
        (folder / "site.toml").write_text(text, encoding="utf-8")
        assert run(*ADD, cwd=folder)[0] == 0
        assert process("schedule", "run", "nuit", cwd=folder)[0] == 0
        with closing(sqlite3.connect(folder / "inventory.db")) as connection, connection:
            connection.execute("UPDATE scans SET started = '2026-01-01T00:00:00.000000Z'")
        code, _, err = process("schedule", "run", "nuit", cwd=folder)
    assert code == 0, err
    kept = max(shown(folder)["runs"], key=lambda each: str(each["begun"]))
    assert kept["code"] == 0
    assert "siem" in kept["says"], err
    (alarm,) = json.loads(run("alert", "list", "--json", "--site", "site.toml", cwd=folder)[1])
    assert "Vide" in json.dumps(alarm, ensure_ascii=False)


def test_what_went_wrong_is_kept_in_its_own_words(folder: Path) -> None:
    assert run(*ADD, cwd=folder)[0] == 0
    (folder / "site.toml").write_text("[site", encoding="utf-8")
    code, _, err = process("schedule", "run", "nuit", cwd=folder)
    assert code == 2
    (kept,) = shown(folder)["runs"]
    assert (kept["code"], kept["counts"]) == (2, {})
    assert kept["says"].startswith(f"vetuste: {folder}/site.toml:1: is no TOML")
    assert kept["says"] in err


def test_while_a_run_or_its_scan_goes_on_a_second_names_it_and_does_nothing(
    folder: Path, slow: subprocess.Popen[bytes]
) -> None:
    kept = (folder / "state" / "schedules.json").read_bytes()
    running = holder(folder / "state")
    assert running is not None
    refused = (
        f"vetuste: the schedule nuit is running since {running.since:%Y-%m-%d %H:%M:%S} UTC "
        f"(process {running.process}): nothing was done\n"
    )
    assert run("schedule", "run", "nuit", cwd=folder) == (3, "", refused)
    assert [each["running"] for each in shown(folder)["runs"]] == [True]
    slow.kill()
    slow.wait(timeout=30)
    assert run("schedule", "run", "nuit", cwd=folder) == (3, "", refused)
    assert run("schedule", "run", "--due", cwd=folder) == (0, "", "")
    assert (folder / "state" / "schedules.json").read_bytes() == kept
    assert scans(folder) == ["running"]
    os.kill(running.process, signal.SIGTERM)
    until(lambda: holder(folder / "state") is None)
    assert scans(folder) == ["interrupted"]
    assert "broken off: killed, or the machine went off" in run("schedule", "list", cwd=folder)[1]


def test_sigterm_is_passed_on_and_the_next_run_goes_on_with_the_scan(
    folder: Path, slow: subprocess.Popen[bytes]
) -> None:
    slow.send_signal(signal.SIGTERM)
    assert slow.wait(timeout=30) == 130
    assert scans(folder) == ["interrupted"]
    (kept,) = shown(folder)["runs"]
    assert kept["code"] == 130
    assert kept["counts"]["addresses"] == 8
    again(folder, ["running"])
    assert scans(folder) == ["interrupted"]  # one scan, gone on with: none was begun beside it
    (folder / "site.toml").write_text(SITE.replace("/29", "/30"), encoding="utf-8")
    again(folder, ["interrupted", "running"])  # it cannot be gone on with: a new one is begun


def again(folder: Path, states: list[str]) -> None:
    """Run it, look at the states of its scans, and end it."""
    with start("schedule", "run", "nuit", cwd=folder) as running:
        until(lambda: scanning(folder) and scans(folder) == states)
        running.send_signal(signal.SIGTERM)
        assert running.wait(timeout=30) == 130


def test_a_run_that_waits_begins_when_the_other_ends(folder: Path, slow: subprocess.Popen[bytes]) -> None:
    with start("schedule", "run", "nuit", "--wait", cwd=folder) as waiting:
        until(lambda: blocked(waiting.pid))
        slow.send_signal(signal.SIGTERM)
        slow.wait(timeout=30)
        until(lambda: len(shown(folder)["runs"]) == 2)
        until(lambda: scanning(folder))
        waiting.send_signal(signal.SIGTERM)
        assert waiting.wait(timeout=30) == 130


def blocked(process: int) -> bool:
    """Whether a process waits for a lock: proc(5), an arrow in ``/proc/locks``."""
    with open("/proc/locks", encoding="ascii") as locks:  # noqa: PTH123 - no path of ours
        return any("->" in line and str(process) in line.split() for line in locks)


def test_what_was_missed_is_run_once(folder: Path) -> None:
    assert run(*ADD, cwd=folder)[0] == 0
    assert process("schedule", "run", "--due", cwd=folder) == (
        0,
        "",
        "",
    )  # nothing was due since it was added
    file = folder / "state" / "schedules.json"
    kept = json.loads(file.read_text(encoding="utf-8"))
    kept["schedules"][0]["added"] = "2026-01-01T00:00:00.000000Z"
    file.write_text(json.dumps(kept), encoding="utf-8")
    assert process("schedule", "run", "--due", cwd=folder)[0] == 0
    assert process("schedule", "run", "--due", cwd=folder) == (0, "", "")
    assert len(shown(folder)["runs"]) == 1


def test_what_follows_a_scan_is_told_its_site_and_inventory_and_its_failure_is_kept(folder: Path) -> None:
    assert run(*ADD, "--db", "other.db", cwd=folder)[0] == 0
    program = folder / "program.py"
    program.write_text(
        "import sys\n"
        "if sys.argv[1] == 'scan':\n"
        "    print('[{\"seen\": 3}]')\n"
        "else:\n"
        "    sys.exit(f'vetuste: {sys.argv[1:]}')\n",
        encoding="utf-8",
    )
    heard: list[str] = []
    front, state = (sys.executable, str(program)), folder / "state"
    ended = carry_out(state, "nuit", front, heard.append, ("alert", "send"))
    says = f"vetuste: ['alert', 'send', '--site={folder}/site.toml', '--db=other.db']"
    assert heard == [f"{says}\n"]
    assert (ended.code, ended.counts, ended.says) == (0, {"seen": 3}, says)
    assert shown(folder)["runs"][0]["says"] == says
    program.unlink()
    failed = carry_out(state, "nuit", front, heard.append, ("alert", "send"))
    assert failed.code == 2
    assert "No such file" in failed.says
