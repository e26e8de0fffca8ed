from __future__ import annotations

from datetime import timedelta
from itertools import compress, islice
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scanner.addresses import IPV6, IPV6_END, address_of, number_of
from scanner.errors import ConfigError
from scanner.inventory import (
    asset_detail,
    check_inventory,
    ledger,
    ledger_rows,
    open_inventory,
    scans_rows,
    visited_in,
)
from scanner.inventory import writer as writing
from scanner.model import Attempt, Endpoint, Outcome, Transport
from tests.inventory.hospital import NOON, RELEASES, TODAY, XP, attempt, host, record, recorder, site_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from scanner.config import SiteFile
    from scanner.inventory import Inventory

EVERYTHING = [(0, IPV6_END)]
NEAR = [number_of("10.0.0.0") + place for place in range(3)]
"""Few addresses, so that several attempts fall to one."""
NUMBERS = st.one_of(st.sampled_from(NEAR), st.integers(0, IPV6 - 1), st.integers(IPV6, IPV6_END))
ATTEMPTS = st.builds(
    Attempt,
    st.builds(
        Endpoint,
        NUMBERS.map(address_of),
        st.sampled_from([0, 139, 445, 65535]),
        st.sampled_from(Transport),
        st.sampled_from([0, 445]),
    ),
    st.sampled_from(["smb", "look", "canary"]),
    st.integers(-(10**7), 10**9).map(lambda late: NOON + timedelta(milliseconds=late)),
    st.sampled_from(Outcome),
    st.integers(0, 1 << 33),
    st.integers(0, 1 << 33),
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inventory]:
    """One inventory for many scans."""
    folder = tmp_path_factory.mktemp("ledger")
    with open_inventory(f"sqlite:///{folder}/inventory.db", create=True) as opened:
        yield opened


def _attempts(inventory: Inventory, spans: Sequence[tuple[int, int]], scan: int) -> list[Attempt]:
    return [row.attempt for row in ledger_rows(inventory, spans, scan=scan)]


def _in_order(attempts: list[Attempt]) -> list[Attempt]:
    """By address; those of one address as they were handed in."""
    return sorted(attempts, key=lambda each: number_of(each.endpoint.address))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    batches=st.lists(st.lists(ATTEMPTS, max_size=12), max_size=3), spans=st.lists(st.tuples(NUMBERS, NUMBERS))
)
def test_what_was_handed_in_comes_out(
    shared: Inventory,
    monkeypatch: pytest.MonkeyPatch,
    batches: list[list[Attempt]],
    spans: list[tuple[int, int]],
) -> None:
    monkeypatch.setattr(ledger, "_AT_ONCE", 3)
    monkeypatch.setattr(writing, "INTERVAL", 0.0)
    with recorder(shared, None) as scan:
        for batch in batches:
            scan.sent(iter(batch))
            scan.write_due()
    sent = _in_order([each for batch in batches for each in batch])
    assert _attempts(shared, EVERYTHING, scan.scan_id) == sent
    wanted = [(min(span), max(span)) for span in spans]
    numbers = [number_of(each.endpoint.address) for each in sent]
    inside = [any(first <= number <= last for first, last in wanted) for number in numbers]
    assert _attempts(shared, wanted, scan.scan_id) == list(compress(sent, inside))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(scans=st.lists(st.lists(NUMBERS, max_size=12), min_size=1, max_size=3))
def test_visits_are_those_of_each_scan(
    shared: Inventory, monkeypatch: pytest.MonkeyPatch, scans: list[list[int]]
) -> None:
    """Whatever other scans, before, after and beside it, do at the same addresses."""
    monkeypatch.setattr(writing, "BATCH", 2)
    running = [recorder(shared, None) for _ in scans]
    for scan, numbers in zip(running, scans, strict=True):
        for number in numbers:
            scan.visited(number)
    for scan in running:
        scan.finish()
    every = {number for numbers in scans for number in numbers}
    for scan, numbers in zip(running, scans, strict=True):
        visited = visited_in(shared, scan.scan_id)
        assert {number for number in every if number in visited} == set(numbers)
        assert len(visited) == len(set(numbers))


def test_a_scan_that_goes_on_adds_to_its_ledger(inventory: Inventory) -> None:
    first, second = attempt("10.0.0.1"), attempt("10.0.0.1", at=NOON + timedelta(days=40))
    with recorder(inventory, None) as scan:
        scan.sent([first])
        scan.visited(1)
        scan.finish("interrupted")
    again = recorder(inventory, None, resumed=scan.scan_id, at=NOON + timedelta(days=40), data="d2")
    with again:
        again.sent([second])
        again.visited(2)
    assert again.scan_id == scan.scan_id
    assert _attempts(inventory, EVERYTHING, scan.scan_id) == [first, second]
    assert [number in visited_in(inventory, scan.scan_id) for number in (1, 2, 3)] == [True, True, False]
    (row,) = scans_rows(inventory)
    assert (row.started, row.state, row.versions["data"]) == (NOON, "done", "d2")


def test_lines_say_scan_site_and_ward(inventory: Inventory, site: SiteFile, tmp_path: Path) -> None:
    other = site_file(tmp_path, '[site]\nname = "Sud"\n[[ward]]\nname = "A"\nsubnets = ["10.20.0.0/16"]\n')
    for where in (site, other):
        with recorder(inventory, where) as scan:
            scan.sent(map(attempt, ("10.20.1.65", "10.20.0.9", "10.20.77.1")))
    found = [
        (row.scan, row.site, row.ward, row.attempt.endpoint.address)
        for row in ledger_rows(inventory, EVERYTHING)
    ]
    assert found == [
        (1, "CHU", "Cardiologie", "10.20.0.9"),
        (1, "CHU", "Bloc", "10.20.1.65"),
        (1, "CHU", "", "10.20.77.1"),
        (2, "Sud", "A", "10.20.0.9"),
        (2, "Sud", "A", "10.20.1.65"),
        (2, "Sud", "A", "10.20.77.1"),
    ]
    assert {row.scan for row in ledger_rows(inventory, EVERYTHING, site="Sud")} == {2}


def test_lines_since_a_moment(inventory: Inventory) -> None:
    days = [timedelta(days=day) for day in range(4)]
    for start in (0, 2):
        with recorder(inventory, None, at=NOON + days[start]) as scan:
            scan.sent(attempt("10.0.0.1", at=NOON + day) for day in days[start : start + 2])
            scan.finish(ended=NOON + days[start + 1])
    for first in range(4):
        since = NOON + days[first]
        found = [row.attempt.at for row in ledger_rows(inventory, EVERYTHING, since=since)]
        assert found == [NOON + day for day in days[first:]]
    assert list(ledger_rows(inventory, EVERYTHING, scan=1, since=NOON + days[3])) == []


def test_a_scan_that_is_not_there_is_told(inventory: Inventory) -> None:
    with pytest.raises(ConfigError, match="there is no scan 7"):
        ledger_rows(inventory, EVERYTHING, scan=7)


@pytest.mark.file
def test_reading_holds_nothing_while_a_scan_writes(
    inventory: Inventory, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "_AT_ONCE", 10)
    with recorder(inventory, None) as scan:
        scan.sent(attempt(f"10.0.0.{n}") for n in range(100))
    reading = ledger_rows(inventory, EVERYTHING)
    before = list(islice(reading, 15))
    with recorder(inventory, None) as scan:
        scan.sent(attempt(f"10.0.1.{n}") for n in range(100))
    with inventory.engine.connect() as connection:
        (busy, _, _) = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
        connection.rollback()
    assert busy == 0
    assert len(before + list(reading)) == 100
    assert check_inventory(url).faults == ()


def test_explain_has_every_attempt_the_latest_last(
    inventory: Inventory, site: SiteFile, tmp_path: Path
) -> None:
    other = site_file(tmp_path, '[site]\nname = "Sud"\n[[ward]]\nname = "A"\nsubnets = ["10.20.0.0/16"]\n')
    record(inventory, site, [host("10.20.0.5", "Cardiologie", XP)])
    moments = [NOON + timedelta(hours=hours) for hours in (5, 1, 3, 0)]
    for at in moments:
        with recorder(inventory, site) as scan:
            scan.sent([attempt("10.20.0.5", at=at), attempt("10.20.0.6", at=at)])
    record(inventory, other, [], asked=[number_of("10.20.0.5")])
    detail = asset_detail(inventory, "10.20.0.5", today=TODAY, releases=RELEASES)
    assert [row.attempt.at for row in detail.ledger] == sorted(moments)
    assert detail.asked_by == scan.scan_id
