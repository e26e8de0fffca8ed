"""Units as systemd itself understands them."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from scanner.errors import ConfigError
from scanner.schedule.entries import Schedule
from scanner.schedule.times import parse_times
from scanner.schedule.units import Setting, alerts_service, alerts_timer, calendar, service, timer

if TYPE_CHECKING:
    from pathlib import Path

NEW_YEAR = datetime(2027, 1, 1, tzinfo=UTC)
_BASE = f"{NEW_YEAR:%Y-%m-%d %H:%M:%S} UTC"
ZONES = ("Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Indian/Reunion", "UTC")


def analyze(*arguments: str) -> str:
    done = subprocess.run(
        ["systemd-analyze", *arguments], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


def made(folder: Path, *arguments: str, every: str = "daily 02:30") -> Schedule:
    site = folder / "site.toml"
    return Schedule("nuit", every, "Europe/Paris", site, folder, NEW_YEAR, "", arguments)


def setting(folder: Path, user: str | None = "root") -> Setting:
    return Setting((sys.executable, str(folder / "vetuste")), folder / "state", (folder,), user)


def written(folder: Path, schedule: Schedule, place: Setting) -> Path:
    (folder / "vetuste-nuit.service").write_text(service(schedule, place), encoding="utf-8")
    (folder / "vetuste-nuit.timer").write_text(timer(schedule, NEW_YEAR.date()), encoding="utf-8")
    return folder / "vetuste-nuit.service"


@pytest.mark.parametrize("every", ["daily 02:30", "tue,thu 22:00", "mon-fri 22:00,03:00", "monthly 1 02:30"])
def test_systemd_finds_no_fault(tmp_path: Path, every: str) -> None:
    unit = written(tmp_path, made(tmp_path, "--sweep=syn", every=every), setting(tmp_path, "daemon"))
    assert analyze("verify", str(unit), str(unit.with_suffix(".timer"))) == ""


@pytest.mark.parametrize(
    "name", ["a b", "100%h", "$HOME", 'quo"te', "back\\slash", "hôpital", "semi;colon", "'"]
)
def test_odd_folders_reach_systemd_as_they_are(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    front = tmp_path / "a %h vetuste"
    front.write_text("#!/bin/sh\n", encoding="utf-8")
    front.chmod(0o755)
    place = Setting((str(front), str(folder / "cli.py")), folder / "state", (folder,), "root")
    unit = written(tmp_path, made(folder), place)
    assert analyze("verify", str(unit)) == ""  # it looks whether the program and the folder are there


def test_what_systemd_would_misread_is_refused(tmp_path: Path) -> None:
    odd = [
        setting(tmp_path / "a\nExecStartPre=x"),
        *(Setting((f"/a{sign}b",), tmp_path) for sign in "\"'\\$"),
    ]
    for place in odd:
        with pytest.raises(ConfigError, match="cannot stand in a unit"):
            service(made(tmp_path), place)
    with pytest.raises(ConfigError, match="cannot stand in a unit"):
        service(made(tmp_path / "a\nExecStartPre=x"), setting(tmp_path))


@pytest.mark.parametrize(
    ("arguments", "user", "least"),
    [((), "root", 20), ((), "daemon", 16), (("--sweep=arp",), "daemon", 20), (("--sweep=arp",), "root", 25)],
)
def test_what_is_exposed_is_little(tmp_path: Path, arguments: tuple[str, ...], user: str, least: int) -> None:
    unit = written(tmp_path, made(tmp_path, *arguments), setting(tmp_path, user))
    said = analyze("security", "--offline=true", f"--threshold={least}", "--no-pager", str(unit))
    assert "Overall exposure level" in said


def test_alerts_are_sent_between_two_runs_as_carefully(tmp_path: Path) -> None:
    (tmp_path / "vetuste").write_text("", encoding="utf-8")
    unit = tmp_path / "vetuste-nuit-alerts.service"
    unit.write_text(alerts_service(made(tmp_path), setting(tmp_path, "daemon")), encoding="utf-8")
    unit.with_suffix(".timer").write_text(alerts_timer(made(tmp_path)), encoding="utf-8")
    assert analyze("verify", str(unit), str(unit.with_suffix(".timer"))) == ""
    analyze("security", "--offline=true", "--threshold=16", "--no-pager", str(unit))


def test_raw_sockets_are_for_the_sweeps_that_need_them(tmp_path: Path) -> None:
    plain, raw = (
        service(made(tmp_path, *more), setting(tmp_path, "daemon")) for more in ((), ("--sweep=syn",))
    )
    assert "CAP_" not in plain
    assert "AF_PACKET" not in plain
    assert re.findall("CAP_[A-Z_]+", raw) == ["CAP_NET_RAW"] * 2
    assert "AF_INET6 AF_NETLINK AF_PACKET\n" in raw


def test_a_unit_of_a_user_asks_for_nothing_that_its_manager_cannot_give(tmp_path: Path) -> None:
    text = service(made(tmp_path), setting(tmp_path, None))
    assert not re.search(r"User=|Capabilit|Protect|Private|ReadWrite|network-online", text)
    assert "NoNewPrivileges=yes\n" in text


def test_a_run_is_bounded_in_time_and_its_scan_may_write_what_it_learnt(tmp_path: Path) -> None:
    lines = service(made(tmp_path), setting(tmp_path)).splitlines()
    assert {"Type=exec", "RuntimeMaxSec=72h", "KillMode=mixed", "TimeoutStopSec=2min"} <= set(lines)
    (command,) = (line.partition("=")[2] for line in lines if line.startswith("ExecStart="))
    assert shlex.split(command)[2:] == ["schedule", "run", "nuit", "--wait"]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(
    "every", ["daily 02:30", "daily 02:15,03:00", "mon,sun 01:30,22:00", "monthly 28 02:30", "daily 00:00"]
)
def test_systemd_comes_when_we_say_so_the_whole_year(every: str, zone: str) -> None:
    times = parse_times(every, zone)
    ours, moment = [], NEW_YEAR
    while (moment := times.next_after(moment)) < NEW_YEAR + timedelta(days=366):
        ours.append(moment)
    assert systemd_fires(calendar(times, NEW_YEAR.date()), len(ours)) == ours


def systemd_fires(expressions: list[str], number: int) -> list[datetime]:
    """The first so many times in UTC at which a timer of all these expressions elapses."""
    said = subprocess.run(
        ["systemd-analyze", "calendar", f"--iterations={number}", f"--base-time={_BASE}", *expressions],
        env={"TZ": "UTC", "PATH": "/usr/bin:/bin", "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout
    found = re.findall(r"(?:Next elapse|Iter\. #\d+): \w+ ([-0-9]+ [:0-9]+) UTC", said)
    return sorted({datetime.strptime(each, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC) for each in found})[
        :number
    ]
