"""How the database finds what the commands ask it for: never by reading a large table from end to end.

The statements are those that the commands execute, heard from the database itself; no list of them is kept.
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from scanner.addresses import number_of
from scanner.cli.terminal.front import run
from scanner.inventory import engines, open_inventory, sqlite
from tests.inventory.hospital import SITE, TEN, XP, attempt, host, recorder, site_file

if TYPE_CHECKING:
    from pathlib import Path

LARGE = ("evidence", "observations", "traits", "sights", "ledger")
COMMANDS = {
    "count": ["count", "--os", "xp"],
    "count by system": ["count", "--by", "os,status"],
    "count of a site": ["count", "--only-site", "chu"],
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
    "diff of scans": ["diff", "1", "2"],
    "findings": ["findings"],
    "prune": ["db", "prune", "--older-than", "1d", "--ledger", "1d"],
}
_STEP = re.compile(r"SCAN (\w+)")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("VETUSTE_DB", "VETUSTE_SITE", "VETUSTE_DATA"):
        monkeypatch.delenv(name, raising=False)
    with open_inventory("sqlite:///inventory.db", create=True) as inventory:
        site = site_file(tmp_path, SITE)
        for _ in range(2):
            with recorder(inventory, site) as scan:
                for number in range(2, 9):
                    address = f"10.20.0.{number}"
                    scan.record(host(address, "Cardiologie", XP if number % 2 else TEN))
                    scan.sent([attempt(address)])
                    scan.visited(number_of(address))
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
        for module in (sqlite, engines):
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
    assert statements
    with closing(sqlite3.connect(folder / "inventory.db")) as connection:
        for statement in statements:
            large = names(statement)
            steps = plan(connection, statement)
            read = {found[1] for step in steps if (found := _STEP.match(step))}
            assert not read & large.keys(), (statement, steps)


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
