"""``breaker list`` and ``breaker clear``, over a real inventory."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from scanner.config import load_site
from scanner.inventory import Recorder, fragile_rows, open_inventory
from scanner.language import Message
from scanner.model import Trip
from tests.cli.process import run

if TYPE_CHECKING:
    from pathlib import Path

AT = datetime(2026, 12, 1, 23, 5, 7, tzinfo=UTC)
CAUSE = Message("accepted, then silent")
"""Any message that has a translation."""


@pytest.fixture
def tripped(hospital: Path) -> Path:
    with open_inventory(f"sqlite:///{hospital}/inventory.db") as inventory:
        recorder = Recorder(
            inventory,
            load_site(hospital / "site.toml"),
            profile="clinical",
            scope="",
            versions={"data": "test"},
            started=AT,
        )
        recorder.trip(Trip("10.20.9.0/24", "Réanimation", AT, CAUSE, ("10.20.9.7", "10.20.9.8")))
        recorder.trip(Trip("10.20.0.0/24", "Cardiologie", AT, CAUSE))
        recorder.finish("interrupted")
    return hospital


def read(hospital: Path, *arguments: str) -> str:
    code, out, err = run("breaker", *arguments, cwd=hospital)
    assert (code, err) == (0, "")
    return out


def _left(hospital: Path) -> list[int]:
    return [each["id"] for each in json.loads(read(hospital, "list", "--json"))]


def test_what_is_stopped_is_listed(tripped: Path) -> None:
    first, second = json.loads(read(tripped, "list", "--json"))
    assert first == {
        "id": 1,
        "site": "CHU de Démonstration",
        "ward": "Réanimation",
        "subnet": "10.20.9.0/24",
        "at": "2026-12-01T23:05:07Z",
        "cause": CAUSE.text,
        "fallen": ["10.20.9.7", "10.20.9.8"],
        "scan": 2,
    }
    assert (second["id"], second["fallen"]) == (2, [])
    lines = read(tripped, "list").splitlines()
    assert lines[1].split()[:5] == ["1", "10.20.9.0/24", "Réanimation", "2026-12-01", "23:05:07"]
    assert lines[1].endswith("10.20.9.7 10.20.9.8")
    assert lines[-1] == "Breakers: 2."
    assert CAUSE.render("fr") != CAUSE.text
    assert CAUSE.render("fr") in read(tripped, "list", "--lang", "fr")


@pytest.mark.parametrize(
    ("named", "left"), [(["1"], [2]), (["10.20.0.0/24"], [1]), (["2", "10.20.9.0/24"], []), (["--all"], [])]
)
def test_clearing(tripped: Path, named: list[str], left: list[int]) -> None:
    cleared = json.loads(read(tripped, "clear", *named, "--json"))
    assert sorted(each["id"] for each in cleared) == sorted({1, 2} - set(left))
    assert _left(tripped) == left


def test_clearing_says_what_may_be_sent_to_again(tripped: Path) -> None:
    assert read(tripped, "clear", "10.20.9.0/24").splitlines() == [
        "10.20.9.0/24 may be scanned again (Réanimation)",
        "  and so may the hosts that fell silent: 10.20.9.7, 10.20.9.8",
        "Breakers cleared: 1.",
    ]
    with open_inventory(f"sqlite:///{tripped}/inventory.db") as inventory:
        assert fragile_rows(inventory, "CHU de Démonstration") == ()
    assert read(tripped, "clear", "--all").splitlines()[-1] == "Breakers cleared: 1."
    assert read(tripped, "clear", "--all") == "Breakers cleared: 0.\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["1", "7"], "there is no breaker '7'"),
        (["10.20.30.0/24"], "there is no breaker '10.20.30.0/24'"),
        ([], "name breakers by id or subnet, or say --all"),
        (["1", "--all"], "name breakers by id or subnet, or say --all"),
    ],
)
def test_what_is_unclear_clears_nothing(tripped: Path, arguments: list[str], said: str) -> None:
    code, out, err = run("breaker", "clear", *arguments, cwd=tripped)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert said in err
    assert _left(tripped) == [1, 2]


def test_fragile_devices_are_named_with_the_reason(tripped: Path) -> None:
    found = json.loads(read(tripped, "fragile", "--json"))
    assert [row["address"] for row in found] == ["10.20.9.7", "10.20.9.8"]
    assert {row["since"] for row in found} == {"2026-12-01T23:05:07Z"}
    lines = read(tripped, "fragile").splitlines()
    assert lines[0] == "10.20.9.7: fell silent after a probe (breaker 1)"
    assert lines[-1] == "Fragile devices: 2."
    read(tripped, "clear", "--all")
    assert json.loads(read(tripped, "fragile", "--json")) == []
