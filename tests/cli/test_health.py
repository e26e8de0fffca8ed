"""A watchdog sees by the exit code alone whether somebody still looks."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from scanner.inventory import open_inventory
from tests.cli.process import run
from tests.inventory.group import file_of
from tests.inventory.hospital import recorder

if TYPE_CHECKING:
    from pathlib import Path

HOURS = timedelta(hours=1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two sites: one was scanned an hour ago, the other thirty; both are to be scanned every day."""
    with open_inventory(f"sqlite:///{tmp_path}/inventory.db", create=True) as inventory:
        for name, ago in (("Nord", 1 * HOURS), ("Sud", 30 * HOURS)):
            site = file_of(tmp_path, name, "[health]\nlate_after_hours = 26")
            ended = datetime.now(UTC) - ago
            recorder(inventory, site, at=ended - HOURS).finish("done", {}, ended=ended)
        recorder(inventory, site, at=datetime.now(UTC)).finish("interrupted", {})
    return tmp_path


def test_one_late_site_makes_it_red(folder: Path) -> None:
    code, out, err = run("health", cwd=folder)
    assert (code, err) == (1, "")
    nord, sud, why = out.splitlines()
    assert nord.startswith("Nord: in time; the last whole scan ended on 2")
    assert sud.startswith("Sud: late since 2")
    assert "scan 3, begun on 2" in why
    assert "was interrupted: vetuste scan --resume goes on" in why


@pytest.mark.parametrize(
    ("asked", "code", "state"), [("nord", 0, "ok"), ("SUD", 1, "late"), ("nowhere", 1, "never")]
)
def test_one_site_alone(folder: Path, asked: str, code: int, state: str) -> None:
    ended, out, _ = run("health", "--only-site", asked, "--json", cwd=folder)
    (row,) = json.loads(out)
    assert (ended, row["state"]) == (code, state)
    assert list(row) == [
        *("site", "establishment", "group", "state", "last_whole_scan", "late_after_hours", "late_since"),
        "newest_scan",
    ]
    assert (row["late_since"] is not None) == (state == "late")


def test_the_site_file_of_today_says_when_its_site_is_late(folder: Path) -> None:
    file_of(folder, "Sud", "[health]\nlate_after_hours = 48")
    assert run("health", "--site", "Sud.toml", cwd=folder)[0] == 0
    file_of(folder, "Neuf")
    code, out, _ = run("health", "--site", "Neuf.toml", cwd=folder)
    assert code == 1
    assert "Neuf: never scanned as a whole" in out


def test_what_cannot_be_read_is_no_good_news(folder: Path) -> None:
    with (folder / "inventory.db").open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 200_000)
    code, out, err = run("health", cwd=folder)
    assert (code, out) == (3, "")
    assert err.startswith("vetuste: ")
    assert len(err.splitlines()) == 1
    (folder / "inventory.db").unlink()
    assert run("health", cwd=folder)[0] == 2
    assert not (folder / "inventory.db").exists()
