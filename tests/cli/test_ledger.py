"""``ledger`` and the ledger of ``explain``, over a real inventory."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from scanner.config import load_site
from scanner.inventory import Recorder, open_inventory
from scanner.model import Attempt, Endpoint, Outcome, Transport
from tests.cli.process import process, run

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

BEGAN = datetime(2026, 12, 1, 22, tzinfo=UTC)
COLUMNS = [
    *("time", "address", "port", "transport", "probe", "outcome"),
    *("bytes_sent", "bytes_received", "scan", "ward"),
]


def read(hospital: Path, *arguments: str) -> str:
    code, out, err = run(*arguments, cwd=hospital)
    assert (code, err) == (0, "")
    return out


def rows(hospital: Path, *arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(read(hospital, "ledger", *arguments, "--json"))
    return found


def scan(hospital: Path, attempts: Iterable[Attempt], began: datetime = BEGAN) -> None:
    """One more scan, which sent this."""
    with (
        open_inventory(f"sqlite:///{hospital}/inventory.db") as inventory,
        Recorder(
            inventory,
            load_site(hospital / "site.toml"),
            profile="clinical",
            scope="",
            versions={"data": "test"},
            started=began,
        ) as recorder,
    ):
        recorder.sent(attempts)


@pytest.fixture
def second(hospital: Path) -> Path:
    """A second scan: three attempts to one host, one to an address outside every ward."""
    pump = [
        Endpoint("10.20.9.7", 445),
        Endpoint("10.20.9.7", 137, Transport.UDP),
        Endpoint("10.20.9.7", 0, Transport.ICMP),
    ]
    ends = [
        ("smb", Outcome.ANSWERED, 560, 812),
        ("nbns", Outcome.SILENT, 50, 0),
        ("canary", Outcome.ANSWERED, 16, 16),
    ]
    attempts = [
        Attempt(endpoint, probe, BEGAN + timedelta(milliseconds=1500 * place), outcome, sent, received)
        for place, (endpoint, (probe, outcome, sent, received)) in enumerate(zip(pump, ends, strict=True))
    ]
    scan(hospital, [*attempts, Attempt(Endpoint("10.77.0.1", 445), "smb", BEGAN, Outcome.REFUSED)])
    return hospital


def test_everything_is_printed_where_nothing_is_named(second: Path) -> None:
    assert len(rows(second)) == 512 + 4
    assert {row["scan"] for row in rows(second)} == {1, 2}


def test_csv_for_the_file_of_the_biomedical_service(second: Path) -> None:
    _, out, _ = process("ledger", "10.20.9.7", "--format", "csv", "--scan", "2", cwd=second)
    assert out.count("\r\n") == out.count("\n") == 4
    last = ["2", "Réanimation"]
    assert list(csv.reader(io.StringIO(out, newline=""))) == [
        COLUMNS,
        ["2026-12-01T22:00:00.000Z", "10.20.9.7", "445", "tcp", "smb", "answered", "560", "812", *last],
        ["2026-12-01T22:00:01.500Z", "10.20.9.7", "137", "udp", "nbns", "silent", "50", "0", *last],
        ["2026-12-01T22:00:03.000Z", "10.20.9.7", "0", "icmp", "canary", "answered", "16", "16", *last],
    ]  # fmt: skip


def test_every_format_says_the_same(second: Path) -> None:
    whole = rows(second, "10.20.9.0/24")
    assert len(whole) == 256 + 3
    assert list(whole[0]) == COLUMNS
    lines = read(second, "ledger", "10.20.9.0/24", "--jsonl").splitlines()
    assert [json.loads(line) for line in lines] == whole
    table = csv.DictReader(io.StringIO(read(second, "ledger", "10.20.9.0/24", "--format", "csv"), newline=""))
    assert list(table) == [{key: str(value) for key, value in row.items()} for row in whole]


@pytest.mark.parametrize(
    ("targets", "number"),
    [
        (["10.20.9.7"], 4),
        (["10.20.9.6-8"], 6),
        (["réanimation"], 259),
        (["Réanimation", "10.20.9.0/25", "10.77.0.1"], 260),
        (["Archives"], 0),
        (["fd00::1"], 0),
    ],
)
def test_targets_are_those_of_scan(second: Path, targets: list[str], number: int) -> None:
    assert len(rows(second, *targets)) == number
    assert f"Attempts: {number}." in read(second, "ledger", *targets)


def test_from_a_day_on(second: Path) -> None:
    assert len(rows(second, "--since", "2026-12-01")) == 4
    assert rows(second, "--since", "2026-12-02") == []
    assert len(rows(second, "--since", "2026-11-20")) == 516


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere"], "'nowhere' is no target"),
        (["--scan", "9"], "there is no scan 9"),
        (["--since", "yesterday"], "yesterday"),
        (["--scan", "0"], "--scan"),
    ],
)
def test_what_is_not_there_is_told_in_one_line(second: Path, arguments: list[str], said: str) -> None:
    code, out, err = run("ledger", *arguments, cwd=second)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert said in err


def test_a_table_says_when_what_and_how_it_ended(second: Path) -> None:
    lines = read(second, "ledger", "10.20.9.7", "--scan", "2").splitlines()
    assert lines[1].split() == [
        "2026-12-01", "22:00:00", "10.20.9.7:445/tcp", "smb", "answered", "560", "812", "2", "Réanimation",
    ]  # fmt: skip
    assert lines[-1] == "Attempts: 3."


def test_a_probe_that_a_spreadsheet_would_run_is_text(hospital: Path) -> None:
    scan(hospital, [Attempt(Endpoint("10.20.9.7", 445), "=1+1\x1b", BEGAN, Outcome.SILENT)])
    text = read(hospital, "ledger", "--scan", "2", "--format", "csv")
    (row,) = csv.DictReader(io.StringIO(text, newline=""))
    assert row["probe"] == "'=1+1\ufffd"


def test_explain_prints_the_ledger_of_its_host(second: Path) -> None:
    told = (
        read(second, "explain", "10.20.9.7", "--today=2026-12-02")
        .partition("Ledger: ")[2]
        .partition("\n\n")[0]
        .splitlines()
    )
    assert [line.split()[2] for line in told[2:]] == [
        "10.20.9.7:445/tcp", "10.20.9.7:445/tcp", "10.20.9.7:137/udp", "10.20.9.7:0/icmp",
    ]  # fmt: skip
    proof = json.loads(read(second, "explain", "10.20.9.7", "--json"))
    assert proof["ledger"] == rows(second, "10.20.9.7")
    assert proof["asked_by"] == 2


def test_explain_sums_up_what_is_long(hospital: Path) -> None:
    many = [Outcome.ANSWERED] * 30 + [Outcome.SILENT] * 10
    scan(
        hospital,
        (
            Attempt(Endpoint("10.20.9.7", 445), "smb", BEGAN + timedelta(seconds=place), outcome, 3, 2)
            for place, outcome in enumerate(many)
        ),
    )
    told = read(hospital, "explain", "10.20.9.7").partition("Ledger: ")[2].partition("\n\n")[0].splitlines()
    first, second, last = told[1:]
    assert first == (
        "scan 1, 2026-11-20 21:00:00 to 2026-11-20 21:00:00 UTC: "
        "1 attempts, 0 bytes sent, 0 received (silent 1)"
    )
    assert second == (
        "scan 2, 2026-12-01 22:00:00 to 2026-12-01 22:00:39 UTC: "
        "40 attempts, 120 bytes sent, 80 received (answered 30, silent 10)"
    )
    assert last == "vetuste ledger prints every line of it."
    assert len(json.loads(read(hospital, "explain", "10.20.9.7", "--json"))["ledger"]) == 41
