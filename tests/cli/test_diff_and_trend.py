"""The commands about the past, as processes over a real inventory."""

from __future__ import annotations

import csv
import io
import json
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from scanner.addresses import number_of
from scanner.cli.terminal.pivot import pivoted, sparkline
from scanner.config import load_site
from scanner.errors import ConfigError
from scanner.inventory import Recorder, open_inventory
from scanner.inventory.campaigns.closing import begin_closing, seal
from tests.cli.conftest import CARD, SAMBA, _host
from tests.cli.process import run

if TYPE_CHECKING:
    from pathlib import Path

LATER = datetime(2026, 12, 4, 21, tzinfo=UTC)


@pytest.fixture
def twice(hospital: Path) -> Path:
    """A second scan, of one ward: one machine is another system now, one is new, the others are gone."""
    with open_inventory(f"sqlite:///{hospital / 'inventory.db'}") as inventory:
        site = load_site(hospital / "site.toml")
        versions = {"data": "test"}
        second = Recorder(
            inventory, site, profile="clinical", scope="Cardiologie", versions=versions, started=LATER
        )
        with second:
            for last in range(256):
                second.visited(number_of(f"10.20.0.{last}"))
            second.record(_host("10.20.0.1", "Cardiologie", {**SAMBA, **CARD}, "PC-CARDIO-1", 20_000))
            second.record(_host("10.20.0.77", "Cardiologie", SAMBA, "=NEW", 20_000))
    return hospital


def _read(folder: Path, *arguments: str) -> str:
    code, out, err = run(*arguments, cwd=folder)
    assert (code, err) == (0, "")
    return out


def test_a_diff_of_scans_in_every_format(twice: Path) -> None:
    found = json.loads(_read(twice, "diff", "1", "2", "--json"))
    kinds = {(change["before"] or change["after"])["ip"]: change["kinds"] for change in found}
    assert kinds == {
        "10.20.0.1": ["upgraded"],
        "10.20.0.2": ["gone"],
        "10.20.0.3": ["gone"],
        "10.20.0.77": ["new"],
    }
    assert list(found[0]) == ["asset", "name", "kinds", "before", "after", "looked"]
    lines = _read(twice, "diff", "1", "2", "--jsonl").splitlines()
    assert [json.loads(line) for line in lines] == found
    text = _read(twice, "diff", "1", "2", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["kinds"] for row in rows] == [" ".join(change["kinds"]) for change in found]
    assert [row["after_ip"] for row in rows] == [(change["after"] or {}).get("ip", "") for change in found]
    assert next(row["name"] for row in rows if row["kinds"] == "new") == "'=NEW"
    table = _read(twice, "diff", "1", "2")
    assert table.splitlines()[-3:] == ["new: 1", "gone: 2", "upgraded: 1"]


def test_what_nobody_looked_at_is_told_where_it_is_asked_for(twice: Path) -> None:
    found = json.loads(_read(twice, "diff", "1", "2", "--kind", "unseen", "--json"))
    assert {change["before"]["ward"] for change in found} == {"Réanimation"}
    assert len(found) == 3
    assert json.loads(_read(twice, "diff", "1", "2", "--ward", "réa*", "--json")) == []
    assert "Nothing is different." in _read(twice, "diff", "2", "2")


def test_a_diff_of_days(twice: Path) -> None:
    found = json.loads(_read(twice, "diff", "2026-11-20", "2026-12-04", "--json"))
    assert sorted(kind for change in found for kind in change["kinds"]) == ["gone", "gone", "new", "upgraded"]
    code, out, err = run("diff", "1", "yesterday", cwd=twice)
    assert (code, out) == (2, "")
    assert "no scan, no day and no closed campaign" in err


def test_a_trend_in_every_format_agrees_with_count(twice: Path) -> None:
    asked = ("--by", "ward", "--today", "2026-12-10")
    rows = json.loads(_read(twice, "trend", *asked, "--json"))
    assert {row["day"] for row in rows} == {"2026-11-30", "2026-12-10"}
    counted = json.loads(_read(twice, "count", *asked, "--json"))
    told = {row["ward"]: row["certain"] + row["probable"] + row["to_verify"] for row in counted}
    text = _read(twice, "trend", *asked, "--format", "csv")
    wide = list(csv.DictReader(io.StringIO(text, newline="")))
    assert {row["ward"]: int(row["2026-12-10"]) for row in wide} == {
        ward: number for ward, number in told.items() if number
    }
    table = _read(twice, "trend", *asked).splitlines()
    assert table[0].split() == ["ward", "2026-11-30", "2026-12-10", "trend"]
    assert next(line for line in table if line.startswith("Cardiologie")).split()[1:3] == ["3", "4"]


def test_a_trend_begins_where_a_campaign_began(twice: Path) -> None:
    assert run("campaign", "open", "winter", "--from", "2026-12-01", cwd=twice)[0] == 0
    asked = ("trend", "--today", "2026-12-10", "--json", "--since")
    assert "no closed campaign" in run(*asked, "winter", cwd=twice)[2]
    with open_inventory(f"sqlite:///{twice / 'inventory.db'}") as inventory:
        closing = begin_closing(inventory, "winter", LATER + timedelta(days=1))
        seal(inventory, closing, "audit", lambda head: ("", head))
    rows = json.loads(_read(twice, *asked, "winter"))
    assert {row["day"] for row in rows} == {"2026-12-10"}
    assert _read(twice, "diff", "1", "winter", "--json") == _read(twice, "diff", "1", "2", "--json")


def test_without_pandas_a_table_says_how_to_have_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ConfigError, match=r"vetuste\[pivot\]"):
        pivoted((), ("ward",))


@pytest.mark.parametrize(
    ("encoding", "line"),
    [("utf-8", "▁▄█"), ("ascii", "_:#"), ("latin-1", "_:#"), (None, "_:#"), ("odd", "_:#")],
)
def test_bars_are_those_that_can_be_written(encoding: str | None, line: str) -> None:
    assert sparkline([0, 5, 10], encoding) == line
    assert set(sparkline([0, 0], encoding)) == {line[0]}
    assert sparkline([], encoding) == ""


def test_explain_tells_where_a_machine_was(twice: Path) -> None:
    found = json.loads(_read(twice, "explain", "10.20.0.1", "--json"))
    assert [(stay["ip"], stay["ward"], stay["scans"]) for stay in found["stays"]] == [
        ("10.20.0.1", "Cardiologie", 1),
        ("10.20.0.1", "Cardiologie", 1),
    ]
    assert found["ties"] == []
    assert "Where it was seen, and as what" in _read(twice, "explain", "10.20.0.1")
