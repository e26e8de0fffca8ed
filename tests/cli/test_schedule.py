"""``vetuste schedule``: what is checked when a schedule is added, and what is printed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from scanner.schedule.state import schedules_in
from tests.audit.signing import Hospital
from tests.cli.process import run

if TYPE_CHECKING:
    from pathlib import Path

WHEN = ("--every", "tue,thu 22:00", "--tz", "Europe/Paris")


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VETUSTE_STATE", str(tmp_path / "state"))
    return tmp_path / "state"


def test_what_is_added_is_listed_shown_and_removed(hospital: Path, state: Path) -> None:
    more = ("--exclude", "10.20.0.4", "--exclude", "10.20.0.5", "--target", "Cardiologie", "--passive-first")
    code, out, err = run("schedule", "add", *WHEN, *more, "--rate", "2", cwd=hospital)
    assert (code, err) == (0, "")
    assert out.startswith("The schedule site is due tue,thu 22:00, Europe/Paris; next at 20")
    _, out, _ = run("schedule", "list", "--json", cwd=hospital)
    (listed,) = json.loads(out)
    assert listed["arguments"] == [
        *("--exclude=10.20.0.4", "--exclude=10.20.0.5", "--passive-first", "--rate=2.0"),
        *("--", "Cardiologie"),
    ]
    assert listed["site"] == str(hospital / "site.toml")
    _, out, _ = run("schedule", "show", "site", cwd=hospital)
    assert f"It runs: vetuste scan --site={hospital}/site.toml --exclude=10.20.0.4" in out
    assert run("schedule", "remove", "site", cwd=hospital)[0] == 0
    assert schedules_in(state) == {}


def test_the_next_times_of_all_come_in_their_order(hospital: Path) -> None:
    for name, every in (("a", "daily 22:00"), ("b", "daily 21:00")):
        added = run("schedule", "add", name, "--every", every, "--tz", "UTC", cwd=hospital)
        assert added[0] == 0, added
    _, out, _ = run("schedule", "next", "-n", "5", "--json", cwd=hospital)
    coming = json.loads(out)
    assert [each["at"] for each in coming] == sorted(each["at"] for each in coming)
    assert len(coming) == 5
    assert {each["name"] for each in coming[:2]} == {"a", "b"}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--every", "mardi 22:00", "--tz", "Europe/Paris"), "is no schedule"),
        (("--every", "tue 22:00", "--tz", "Paris"), "is no time zone"),
        (("--every", "tue 22:00"), "Missing option '--tz'"),
        ((*WHEN, "--site", "nowhere.toml"), "no such site file"),
        ((*WHEN, "--target", "Cardiologi"), "Cardiologi"),
        ((*WHEN, "--target", "192.168.7.1"), "192.168.7.1"),
        ((*WHEN, "--profile", "lab"), "lab"),
        ((*WHEN, "--ports", "x"), "are no ports"),
        ((*WHEN, "--db", "mysql://u:secret@h/x"), "has a password"),
        ((*WHEN, "--db", "postgresql://h/x?password=secret"), "has a password"),
        ((*WHEN, "--db", "mysql://h/x"), "SQLite file or a PostgreSQL database"),
        (("a b", *WHEN), "cannot be the name"),
        (("../x", *WHEN), "cannot be the name"),
        (("-x", *WHEN), "No such option"),
        (("été", *WHEN), "cannot be the name"),
        (("x" * 41, *WHEN), "cannot be the name"),
        (("", *WHEN), "cannot be the name"),
    ],
)
def test_what_is_wrong_is_told_at_once_and_nothing_is_kept(
    hospital: Path, state: Path, arguments: tuple[str, ...], says: str
) -> None:
    code, out, err = run("schedule", "add", *arguments, cwd=hospital)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert says in err
    assert "secret" not in err
    assert not state.exists()


def test_a_password_in_the_environment_is_refused_too(hospital: Path, state: Path) -> None:
    code, _, err = run("schedule", "add", *WHEN, cwd=hospital, VETUSTE_DB="postgresql://u:secret@h/x")
    assert (code, "PGPASSFILE" in err, "secret" in err) == (2, True, False)
    assert not state.exists()


def test_a_scope_that_must_be_signed_is_signed_first(tmp_path: Path, state: Path) -> None:
    folder = Hospital(tmp_path / "signers").site.parent
    code, _, err = run("schedule", "add", *WHEN, cwd=folder)
    assert (code, "sign" in err) == (2, True)
    assert not state.exists()


def test_one_name_is_one_schedule(hospital: Path) -> None:
    assert run("schedule", "add", *WHEN, cwd=hospital)[0] == 0
    code, _, err = run("schedule", "add", *WHEN, cwd=hospital)
    assert (code, "there is a schedule site" in err) == (2, True)


def test_a_time_that_the_clocks_skip_is_warned_of_when_it_is_added_and_installed(hospital: Path) -> None:
    arguments = ("--every", "daily 02:30", "--tz", "Europe/Paris")
    code, _, err = run("schedule", "add", *arguments, cwd=hospital)
    assert (code, "skip 02:30 on 20" in err, "site is due at 03:30" in err) == (0, True, True)
    code, out, err = run("schedule", "install", "--out", "units", cwd=hospital)
    assert (code, "skip 02:30 on 20" in err) == (0, True)
    assert sorted(file.name for file in (hospital / "units").iterdir()) == [
        "vetuste-site.service",
        "vetuste-site.timer",
    ]
    assert out.count(" was written.") == 2
    code, out, _ = run("schedule", "uninstall", "site", "--out", "units", cwd=hospital)
    assert (code, out.count(" was removed.")) == (0, 2)
    assert not list((hospital / "units").iterdir())


def test_units_of_a_user_are_where_its_manager_reads_them(hospital: Path) -> None:
    assert run("schedule", "add", *WHEN, cwd=hospital)[0] == 0
    home = str(hospital / "config")
    code, _, err = run("schedule", "install", "--user", cwd=hospital, XDG_CONFIG_HOME=home)
    assert (code, err) == (
        0,
        "now: systemctl --user daemon-reload && systemctl --user enable --now vetuste-site.timer\n",
    )
    assert (hospital / "config" / "systemd" / "user" / "vetuste-site.timer").is_file()


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "x"),
        ("run",),
        ("run", "x", "--due"),
        ("show", "x"),
        ("remove", "x"),
        ("install",),
        ("install", "x"),
        ("uninstall", "x", "--out", "."),
        ("uninstall", "../x", "--out", "."),
        ("next", "-n", "0"),
    ],
)
def test_what_is_not_there_is_told_in_one_line(hospital: Path, arguments: tuple[str, ...]) -> None:
    code, out, err = run("schedule", *arguments, cwd=hospital)
    assert (code, out, err.count("\n")) == (2, "", 1)
