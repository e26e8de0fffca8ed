"""How the database finds what the commands ask it for: never by reading a large table from end to end.

The statements are those that the commands execute, heard from the database itself; no list of them is kept.
"""

from __future__ import annotations

import re
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from scanner.addresses import number_of
from scanner.cli.terminal.front import run
from scanner.inventory import engines, open_inventory, settle_findings, sqlite
from scanner.inventory.campaigns.closing import begin_closing, seal
from scanner.inventory.campaigns.opening import open_campaign
from tests.imports.register_samples import AD
from tests.inventory.hospital import (
    NOON,
    RELEASES,
    SITE,
    TEN,
    TODAY,
    XP,
    attempt,
    host,
    recorder,
    site_file,
)

if TYPE_CHECKING:
    from pathlib import Path

NEXT_YEAR = datetime(2027, 1, 1, tzinfo=UTC)
LARGE = ("evidence", "observations", "traits", "sights", "ledger")
COMMANDS = {
    "count": ["count", "--os", "xp"],
    "count by system": ["count", "--by", "os,status"],
    "assets": ["assets"],
    "assets, a page": ["assets", "--limit", "50"],
    "assets by status": ["assets", "--status", "unsupported"],
    "assets by system": ["assets", "--os", "xp"],
    "assets by certainty": ["assets", "--certainty", "certain"],
    "assets by text": ["assets", "--text", "pc-7"],
    "assets by ward": ["assets", "--ward", "car*"],
    "assets by everything": [
        "assets",
        "--ward",
        "car*",
        "--os",
        "xp",
        "--text",
        "pc",
        "--status",
        "unsupported",
    ],
    "explain": ["explain", "10.20.0.7"],
    "explain by name": ["explain", "pc-7"],
    "coverage": ["coverage", "--by", "subnet"],
    "csv": ["export", "csv"],
    "json lines": ["export", "jsonl"],
    "remediation": ["export", "remediation"],
    "ledger of one address": ["ledger", "10.20.0.7"],
    "breakers": ["breaker", "list"],
    "rejudge": ["rejudge", "--dry-run"],
    "prune": ["db", "prune", "--older-than", "1d", "--ledger", "1d"],
    "findings": ["findings", "--cause", "smb1"],
    "findings of a ward": ["findings", "--ward", "car*"],
    "findings, one": ["findings", "show", "1"],
    "diff of scans": ["diff", "1", "2"],
    "diff of a campaign": ["diff", "1", "spring"],
    "diff of days": ["diff", "2026-01-01", "2026-11-23"],
    "diff of days before the last scan": ["diff", "2026-01-01", "2026-11-21"],
    "trend": ["trend", "--by", "status", "--since", "spring", "--json", "--today", "2027-01-01"],
    "reconcile": ["reconcile", "ad"],
}
# What was known on a day, of whatever asset, is the last of all sights until then: few beside evidence.
SIGHTS_READ = {
    "diff of days",
    "diff of days before the last scan",
}
_STEP = re.compile(r"SCAN (\w+)")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two scans that a campaign sealed, and another one; findings of them, and a register."""
    folder = tmp_path_factory.mktemp("recorded")
    (folder / "ad.csv").write_text(AD, encoding="utf-8")
    with open_inventory(f"sqlite:///{folder / 'inventory.db'}", create=True) as inventory:
        site = site_file(folder, SITE)
        for nights in range(3):
            with recorder(inventory, site, at=NOON + timedelta(days=nights)) as scan:
                for number in range(2, 9):
                    address = f"10.20.0.{number}"
                    scan.record(host(address, "Cardiologie", XP if number % 2 else TEN))
                    scan.sent([attempt(address)])
                    scan.visited(number_of(address))
            if nights == 1:
                open_campaign(inventory, "spring", site=site, since=NOON, at=NEXT_YEAR, account="audit")
                closing = begin_closing(inventory, "spring", NEXT_YEAR)
                seal(inventory, closing, "audit", lambda head: ("", head))
        settle_findings(inventory, today=TODAY, releases=RELEASES)
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(folder)
        assert run(["import", "ad", "ad.csv"]) == 0
    return folder


@pytest.fixture
def folder(recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("VETUSTE_DB", "VETUSTE_SITE", "VETUSTE_DATA"):
        monkeypatch.delenv(name, raising=False)
    shutil.copytree(recorded, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def heard(monkeypatch: pytest.MonkeyPatch, command: list[str]) -> list[str]:
    """The statements that a command executes, with their values."""
    statements: dict[str, None] = {}
    connect = sqlite.connect

    def listening(*words: Any, **options: Any) -> sqlite3.Connection:  # noqa: ANN401 - whatever it is given
        connection = connect(*words, **options)
        connection.set_trace_callback(statements.setdefault)
        return connection

    with monkeypatch.context() as patched:
        for module in (engines, sqlite):
            patched.setattr(module, "connect", listening)
        assert run(command) == 0
    return [each for each in statements if each.lstrip().startswith(("SELECT", "DELETE", "UPDATE", "WITH"))]


def plan(connection: sqlite3.Connection, statement: str) -> list[str]:
    return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}")]


def names(statement: str) -> dict[str, str]:
    """The tables of a statement by what they are called in it."""
    tables = "|".join(LARGE)
    called = re.findall(rf"\b({tables})\b(?: AS (\w+))?", statement)
    return {alias or table: table for table, alias in called} | {table: table for table, _ in called}


@pytest.mark.parametrize("command", COMMANDS)
def test_no_large_table_is_read_from_end_to_end(
    folder: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    statements = heard(monkeypatch, COMMANDS[command])
    allowed = {"sights"} if command in SIGHTS_READ else set()
    assert statements
    whole: set[str] = set()
    with closing(sqlite3.connect(folder / "inventory.db")) as connection:
        for statement in statements:
            large = names(statement)
            steps = plan(connection, statement)
            read = {found[1] for step in steps if (found := _STEP.match(step))}
            here = {large[each] for each in read & large.keys()}
            assert here <= allowed, (statement, steps)
            whole |= here
    assert whole == allowed


@pytest.mark.parametrize("command", [name for name in COMMANDS if name.startswith(("count", "assets"))])
def test_machines_are_counted_and_chosen_by_an_index(
    folder: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    with closing(sqlite3.connect(folder / "inventory.db")) as connection:
        for statement in heard(monkeypatch, COMMANDS[command]):
            steps = plan(connection, statement)
            through = [step for step in steps if re.match(r"(SCAN|SEARCH) assets\b", step)]
            assert all("INDEX" in step or "PRIMARY KEY" in step for step in through), (statement, steps)
            whole = [step for step in through if step.startswith("SCAN")]
            assert all("COVERING INDEX" in step or "ix_assets_foreign" in step for step in whole)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT value FROM evidence WHERE value = 'x'",
        "SELECT later.at FROM sights AS later WHERE later.at > 'x'",
        "DELETE FROM ledger WHERE at > 5",
        "SELECT count(*) FROM observations",
    ],
)
def test_a_reading_from_end_to_end_is_noticed(folder: Path, statement: str) -> None:
    with closing(sqlite3.connect(folder / "inventory.db")) as connection:
        (step,) = plan(connection, statement)
    found = _STEP.match(step)
    assert found
    assert found[1] in names(statement)
