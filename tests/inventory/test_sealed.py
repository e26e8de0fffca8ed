from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import closing
from datetime import timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import pytest

from scanner.audit.chain import line_of
from scanner.inventory import open_inventory, settle_findings
from scanner.inventory.answers import unpack
from scanner.inventory.campaigns import SEALED, Bounds, sealed, sealed_rows
from scanner.inventory.transactions import reading
from tests.inventory.hospital import NOON, RELEASES, TEN, TODAY, XP, host, record

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scanner.addresses import Span
    from scanner.config import SiteFile
    from scanner.inventory import Inventory

WHERE: dict[str, tuple[Span, ...] | None] = {
    "everywhere": None,
    "in a few addresses": ((int(ip_address("10.20.0.3")), int(ip_address("10.20.0.6"))),),
    "nowhere": ((1, 2),),
}


@pytest.fixture
def inventory(tmp_path: Path) -> Iterator[Inventory]:
    """In a file, which is read here without the product as well."""
    with open_inventory(f"sqlite:///{tmp_path / 'sealed.db'}", create=True) as made:
        yield made


@pytest.fixture
def bounds(inventory: Inventory, site: SiteFile) -> Bounds:
    """Three scans, of which the first and the last are sealed."""
    scans = []
    for system in (XP, TEN, XP):
        hosts = [host(f"10.20.0.{number}", "Cardiologie", system) for number in range(1, 9)]
        hosts.append(host("fd00::5", "Vide", system))
        scans.append(record(inventory, site, hosts, asked=range(0x0A140001, 0x0A140008)))
    settle_findings(inventory, today=TODAY, releases=RELEASES, at=NOON)
    settle_findings(inventory, today=TODAY + timedelta(9000), releases=RELEASES, at=NOON + timedelta(9))
    return Bounds(1, (scans[0], scans[2]), NOON + timedelta(1), None)


def written(inventory: Inventory, bounds: Bounds) -> dict[str, list[bytes]]:
    found = {}
    for table in SEALED:
        rows = sealed_rows(inventory, table, bounds)
        found[table.name] = [
            line_of({**value, "answers": [raw.hex() for raw in raws]}) for value, raws in rows
        ]
    return found


def expected(connection: sqlite3.Connection, bounds: Bounds) -> Iterator[tuple[str, dict[str, Any]]]:
    """The same by one plain statement a table, all rows at once."""
    connection.row_factory = sqlite3.Row
    scans = f"({', '.join(map(str, bounds.scans))})"

    def within(address: str) -> bool:
        number = int(ip_address(address))
        return bounds.spans is None or any(first <= number <= last for first, last in bounds.spans)

    for row in connection.execute(f"SELECT * FROM observations WHERE scan_id IN {scans} ORDER BY id"):  # noqa: S608 - our own numbers
        heard: dict[str, list[str]] = {}
        for key, value in connection.execute(
            "SELECT key, value FROM evidence JOIN evidence_keys ON id = key_id"
            " WHERE observation_id = ? ORDER BY key_id, position",
            (row["id"],),
        ):
            heard.setdefault(key, []).append(value)
        told = {name: row[name] for name in row.keys() if name not in {"asset_id", "scan_id", "raw"}}  # noqa: SIM118 - a row of sqlite3, whose keys these are
        told |= {"scan": row["scan_id"], "evidence": heard}
        if within(row["address"]):
            yield "observations", {**told, "answers": [raw.hex() for raw in unpack(row["raw"])]}
    for row in connection.execute(
        f"SELECT * FROM ledger JOIN ledger_kinds ON id = kind_id WHERE scan_id IN {scans}"  # noqa: S608 - our own numbers
        " ORDER BY scan_id, ledger.address, n"
    ):
        names = ("n", "at", "probe", "transport", "port", "service", "outcome", "sent", "received")
        address = str(ip_address(row["address"]))
        if within(address):
            told = {"scan": row["scan_id"], "address": address, "answers": []}
            yield "ledger", told | {name: row[name] for name in names}


def line(value: dict[str, Any]) -> bytes:
    body = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    return b'["' + hashlib.sha256(body).hexdigest()[:8].encode() + b'",' + body + b"]\n"


@pytest.mark.parametrize("page", [1, 2, 3, 2000])
@pytest.mark.parametrize("where", WHERE)
def test_the_same_lines_however_they_are_read(
    inventory: Inventory, bounds: Bounds, monkeypatch: pytest.MonkeyPatch, where: str, page: int
) -> None:
    mine = Bounds(bounds.site_id, bounds.scans, bounds.closed, WHERE[where])
    monkeypatch.setattr(sealed, "_PAGE", page)
    found = written(inventory, mine)
    lines: dict[str, list[bytes]] = {"observations": [], "ledger": []}
    with closing(sqlite3.connect(inventory.path)) as connection:
        for table, value in expected(connection, mine):
            lines[table].append(line(value))
    assert {name: found[name] for name in lines} == lines
    assert bool(lines["ledger"]) == (where != "nowhere")
    assert found["findings"]


def test_a_page_is_found_by_where_the_last_one_ended(inventory: Inventory, bounds: Bounds) -> None:
    with reading(inventory) as connection:
        for table in SEALED:
            if table.name in {"ledger", "visits"}:
                (run, _) = table.runs(bounds)
                asked = table.wanted.where(run).order_by(*table.key).limit(10)
                plan = str(asked.compile(connection, compile_kwargs={"literal_binds": True}))
                steps = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {plan}")]
                assert any(step.startswith(f"SEARCH {table.name} USING PRIMARY KEY") for step in steps), steps
                assert not any("TEMP B-TREE" in step for step in steps), steps
