"""The file of the schedules: whole at any time, for its owner alone, and nothing else is believed."""

from __future__ import annotations

import os
import resource
import stat
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from scanner.errors import VetusteError
from scanner.schedule.entries import KEPT_RUNS, Run, Schedule
from scanner.schedule.state import changing, schedules_in, state_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2027, 3, 1, 12, 0, 0, 123, tzinfo=UTC)
SCHEDULE = Schedule(
    "nuit",
    "daily 22:00",
    "Europe/Paris",
    Path("/etc/vetuste/hôpital d'été.toml"),
    Path("/srv"),
    NOW,
    "inventory.db",
    ("--profile=lab", "--", "Réanimation"),
    (Run(NOW, NOW + timedelta(hours=1), 3, {"seen": 4}, "vetuste: no network"), Run(NOW + timedelta(days=1))),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with changing(tmp_path / "state") as kept:
        kept[SCHEDULE.name] = SCHEDULE
    return tmp_path / "state"


@contextmanager
def full_disk() -> Iterator[None]:
    """No file may grow, the report of the tests included; Python ignores the signal that goes with it."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_what_is_kept_is_read_again(folder: Path) -> None:
    assert schedules_in(folder) == {"nuit": SCHEDULE}


def test_file_and_folder_are_their_owners_alone(folder: Path) -> None:
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}


def test_where_nothing_was_added_there_is_nothing(tmp_path: Path) -> None:
    assert schedules_in(tmp_path) == schedules_in(tmp_path / "nowhere") == {}


def test_an_error_changes_nothing(folder: Path) -> None:
    def fail() -> None:
        with changing(folder) as kept:
            del kept["nuit"]
            raise VetusteError("no")

    with pytest.raises(VetusteError):
        fail()
    assert schedules_in(folder) == {"nuit": SCHEDULE}


def test_a_full_disk_changes_nothing_and_is_told_in_one_line(folder: Path) -> None:
    def add() -> None:
        with changing(folder) as kept:
            kept["more"] = SCHEDULE

    with pytest.raises(VetusteError, match=r"cannot be written: File too large") as caught, full_disk():
        add()
    assert str(caught.value).isprintable()
    assert schedules_in(folder) == {"nuit": SCHEDULE}
    assert sorted(file.name for file in folder.iterdir()) == ["schedules.json", "schedules.json.lock"]


def test_a_damaged_file_is_refused_whole_in_one_line(folder: Path) -> None:
    file = folder / "schedules.json"
    whole = file.read_bytes()
    damaged = [whole[:length] for length in range(0, len(whole) - 2, 7)]
    damaged += [whole.replace(b'"version": 1', b'"version": 2'), b"[]", b"null", b"\xff", b"[" * 100_000]
    damaged += [whole.replace(b"12:00:00.000123Z", b"25:00:00Z"), whole.replace(b'"runs": [', b'"runs": [3,')]
    for content in damaged:
        file.write_bytes(content)
        with pytest.raises(VetusteError, match="is damaged: move it away") as caught:
            schedules_in(folder)
        assert caught.value.exit_code == 3
        assert file.read_bytes() == content


@pytest.mark.parametrize("mode", [0o620, 0o602])
def test_a_file_that_others_may_write_is_not_trusted(folder: Path, mode: int) -> None:
    (folder / "schedules.json").chmod(mode)
    with pytest.raises(VetusteError, match="not trusted"):
        schedules_in(folder)


def test_a_file_of_another_user_is_not_trusted(folder: Path) -> None:
    with pytest.raises(VetusteError, match="not trusted"):
        schedules_in(folder, os.geteuid() + 1)
    assert schedules_in(folder, os.geteuid())


def test_a_state_folder_that_is_a_file_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    def add() -> None:
        with changing(tmp_path / "file"):
            pass

    with pytest.raises(VetusteError, match="cannot be written: File exists"):
        add()
    with pytest.raises(VetusteError, match="cannot be read: Not a directory"):
        schedules_in(tmp_path / "file")


def test_runs_are_bounded_in_number() -> None:
    schedule = SCHEDULE
    for day in range(KEPT_RUNS + 20):
        begun = Run(NOW + timedelta(days=day))
        schedule = schedule.with_run(begun).with_run(Run(begun.begun, begun.begun, 0))
    assert len(schedule.runs) == KEPT_RUNS
    assert [run.code for run in schedule.runs] == [0] * KEPT_RUNS
    assert schedule.last == Run(NOW + timedelta(days=KEPT_RUNS + 19), NOW + timedelta(days=KEPT_RUNS + 19), 0)


def test_what_was_missed_is_due_once() -> None:
    missed = Schedule("a", "daily 22:00", "Europe/Paris", Path("s"), Path("/"), NOW)
    assert missed.due(NOW + timedelta(hours=8)) is None
    late = NOW + timedelta(days=9)
    assert missed.due(late) == datetime(2027, 3, 9, 21, 0, tzinfo=UTC)
    assert missed.with_run(Run(late)).due(late + timedelta(hours=1)) is None


@pytest.mark.parametrize(
    ("environment", "folder"),
    [
        ({"VETUSTE_STATE": "/srv/x"}, Path("/srv/x")),
        ({"VETUSTE_STATE": "x"}, Path.cwd() / "x"),
        ({"XDG_STATE_HOME": "/home/x"}, Path("/home/x/vetuste")),
        ({"XDG_STATE_HOME": "relative"}, Path.home() / ".local/state/vetuste"),
        ({}, Path.home() / ".local/state/vetuste"),
    ],
)
def test_where_the_state_is(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], folder: Path
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert state_folder(environment) == folder
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert state_folder({}) == Path("/var/lib/vetuste")
