from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from scanner.inventory import EndRow, ends_rows, stamp_of
from tests.inventory.hospital import LTSC, NOTHING, RELEASES, SAMBA, TEN, TODAY, XP, host, record

if TYPE_CHECKING:
    from scanner.config import SiteFile
    from scanner.inventory import Inventory

LTSC_END, IOT_END = date(2027, 1, 12), date(2032, 1, 13)


def test_ends_to_come_are_counted_ward_by_ward(inventory: Inventory, site: SiteFile) -> None:
    hosts = [
        *(host(f"10.20.0.{last}", "Cardiologie", TEN) for last in (1, 2)),
        host("10.20.0.3", "Cardiologie", LTSC),
        host("10.20.0.4", "Cardiologie", XP),
        host("10.20.0.5", "Cardiologie", SAMBA),
        host("10.20.0.6", "Cardiologie", NOTHING),
        host("10.20.1.65", "Bloc", TEN),
    ]
    record(inventory, site, hosts)
    assert set(ends_rows(inventory, today=TODAY, releases=RELEASES)) == {
        # One candidate is past already: the first that is to come counts.
        EndRow("CHU", "Cardiologie", LTSC_END, IOT_END, 2),
        EndRow("CHU", "Cardiologie", LTSC_END, LTSC_END, 1),
        # This ward holds an extension for 22H2, which does not end first.
        EndRow("CHU", "Bloc", LTSC_END, IOT_END, 1),
    }
    later = ends_rows(inventory, today=date(2027, 1, 13), releases=RELEASES)
    assert {(row.ward, row.first) for row in later} == {
        ("Cardiologie", IOT_END),
        ("Bloc", date(2027, 10, 12)),
    }


def test_the_last_day_is_still_to_come(inventory: Inventory, site: SiteFile) -> None:
    record(inventory, site, [host("10.20.0.3", "Cardiologie", LTSC)])
    assert [row.machines for row in ends_rows(inventory, today=LTSC_END, releases=RELEASES)] == [1]
    assert ends_rows(inventory, today=date(2027, 1, 13), releases=RELEASES) == ()


def test_a_stamp_changes_when_something_is_written(inventory: Inventory, site: SiteFile) -> None:
    before = stamp_of(inventory)
    record(inventory, site, [host("10.20.0.3", "Cardiologie", LTSC)])
    after = stamp_of(inventory)
    assert before != after
    ends_rows(inventory, today=TODAY, releases=RELEASES)
    assert stamp_of(inventory) == after
