"""``coverage`` as people, spreadsheets and programs read it."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.conftest import SITE
from tests.cli.process import run

if TYPE_CHECKING:
    from pathlib import Path

FIGURES = [
    *("scope", "seen", "identified", "silent", "phantoms", "excluded", "passive", "fragile", "stopped"),
    *("never_scanned", "oldest_scan", "newest_scan"),
]
SCANNED = "2026-11-20"


def read(hospital: Path, *arguments: str, **changes: Any) -> str:  # noqa: ANN401 - strings, but mypy sees keywords
    code, out, err = run("coverage", *arguments, cwd=hospital, **changes)
    assert (code, err) == (0, "")
    return out


@pytest.fixture
def careful(hospital: Path) -> Path:
    """The same hospital, whose site file learnt something meanwhile."""
    text = SITE.replace(
        "\n[[ward]]", '\n[policy]\nexclude = ["10.20.0.0/28", "10.20.9.7/32"]\n\n[[ward]]', 1
    ).replace('subnets = ["10.20.9.0/24"]', 'passive_only = true\nsubnets = ["10.20.9.0/24"]')
    (hospital / "site.toml").write_text(text, encoding="utf-8")
    return hospital


def test_every_address_of_a_ward_is_accounted_for(careful: Path) -> None:
    rows = json.loads(read(careful, "--json"))
    assert list(rows[0]) == ["ward", *FIGURES]
    assert {row["ward"]: [row[name] for name in FIGURES] for row in rows} == {
        "Archives": [256, 0, 0, 0, 0, 0, 0, 0, 0, 256, None, None],
        "Cardiologie": [256, 3, 3, 253, 0, 16, 0, 0, 0, 0, SCANNED, SCANNED],
        "Réanimation": [256, 3, 2, 253, 0, 1, 255, 0, 0, 0, SCANNED, SCANNED],
    }


def test_the_same_in_csv_by_subnet(careful: Path) -> None:
    text = read(careful, "--by", "ward,subnet", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert list(rows[0]) == ["ward", "subnet", *FIGURES]
    assert [(row["subnet"], row["passive"], row["oldest_scan"]) for row in rows] == [
        ("10.20.30.0/24", "0", ""),
        ("10.20.0.0/24", "0", SCANNED),
        ("10.20.9.0/24", "255", SCANNED),
    ]


def test_without_a_site_file_exclusions_are_not_known_and_no_zero_is_claimed(careful: Path) -> None:
    (careful / "site.toml").unlink()
    (row,) = json.loads(read(careful, "--by", "site", "--json"))
    assert (row["excluded"], row["passive"], row["stopped"]) == (None, None, 0)
    (cells,) = csv.DictReader(io.StringIO(read(careful, "--by", "site", "--format", "csv"), newline=""))
    assert (cells["excluded"], cells["passive"], cells["stopped"]) == ("", "", "0")
    lines = read(careful).splitlines()
    assert lines[-1] == "What is excluded or passive is not known: only the site's own file tells (--site)."
    total = next(line for line in lines if line.startswith("total"))
    assert total.split()[1:] == ["768", "6", "5", "506", "0", "?", "?", "0", "0", "256", SCANNED, SCANNED]


def test_the_table_adds_up(careful: Path) -> None:
    lines = read(careful).splitlines()
    assert [line.split()[0] for line in lines[:4]] == ["ward", "Archives", "Cardiologie", "Réanimation"]
    assert lines[1].split()[-2:] == ["-", "-"]
    total = next(line for line in lines if line.startswith("total"))
    assert total.split()[1:] == ["768", "6", "5", "506", "0", "17", "255", "0", "0", "256", SCANNED, SCANNED]
    assert lines[-1] == "768 addresses in scope: 6 machines seen, 506 silent, 256 never scanned."


@pytest.mark.parametrize("width", ["20", "60", "90"])
def test_it_fits_any_terminal(width: str, careful: Path) -> None:
    table = read(careful, COLUMNS=width).split("\n\n")[0].splitlines()
    assert max(map(len, table)) <= int(width)


def test_in_french_it_is_french(careful: Path) -> None:
    (careful / "site.toml").unlink()
    text = read(careful, "--lang", "fr")
    for word in ("identified", "excluded", "stopped", "oldest", "addresses", "known", "tells"):
        assert word not in text


def test_a_wrong_key_or_site_file_is_said_and_nothing_is_printed(careful: Path) -> None:
    code, out, err = run("coverage", "--by", "status", cwd=careful)
    assert (code, out) == (2, "")
    assert "status" in err
    (careful / "site.toml").write_text(SITE.replace("subnets", "subnet", 1), encoding="utf-8")
    code, out, err = run("coverage", cwd=careful)
    assert (code, out) == (2, "")
    assert "site.toml" in err
