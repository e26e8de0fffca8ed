"""When somebody should be told that nobody looks any more."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from scanner.config.schema import Health
from scanner.inventory.lateness import Lateness, last_whole_scan, lateness_rows, worst_of
from tests.inventory.group import SITES, build, file_of, nothing
from tests.inventory.holders import scanning
from tests.inventory.hospital import NOON, recorder

if TYPE_CHECKING:
    from pathlib import Path

    from scanner.inventory import Inventory

ENDED = NOON + timedelta(minutes=5)
HOUR = timedelta(hours=1)
DAILY = "[health]\nlate_after_hours = 26"


def states(inventory: Inventory, after: timedelta, **more: object) -> dict[str, str]:
    return {row.site: row.state for row in lateness_rows(inventory, ENDED + after, **more)}  # type: ignore[arg-type]


def test_each_site_is_judged_by_its_own_hours(inventory: Inventory, tmp_path: Path) -> None:
    build(inventory, tmp_path)
    nothing(inventory, tmp_path, "Sud", DAILY)
    assert states(inventory, 26 * HOUR) == dict.fromkeys(SITES, "ok")
    assert states(inventory, 27 * HOUR) == {**dict.fromkeys(SITES, "ok"), "Sud": "late"}
    assert states(inventory, 193 * HOUR) == dict.fromkeys(SITES, "late")
    (sud,) = (row for row in lateness_rows(inventory, ENDED + 30 * HOUR) if row.site == "Sud")
    assert (sud.establishment, sud.group, sud.since) == ("CHU", "GHT", ENDED + 26 * HOUR)
    assert [row.site for row in lateness_rows(inventory, ENDED)] == sorted(SITES)


def test_hours_that_were_never_kept_are_those_of_a_site_file_that_names_none() -> None:
    assert Lateness.of_nobody("x").after == timedelta(hours=Health().late_after_hours)
    assert Lateness.of_nobody("x").state == "never"


def test_a_site_file_says_more_than_the_inventory_knows(inventory: Inventory, tmp_path: Path) -> None:
    build(inventory, tmp_path)
    assert states(inventory, 27 * HOUR, file=file_of(tmp_path, "Nord", DAILY))["Nord"] == "late"
    assert states(inventory, HOUR, file=file_of(tmp_path, "Neuf"))["Neuf"] == "never"


def test_only_a_scan_of_ours_that_came_to_its_end_counts(inventory: Inventory, tmp_path: Path) -> None:
    site = file_of(tmp_path, "Nord")
    for state, profile in (("interrupted", "clinical"), ("failed", "clinical"), ("done", "import")):
        scan = recorder(inventory, site)
        scan.finish(state, {}, ended=ENDED)
        if profile == "import":
            with inventory.engine.begin() as connection:
                connection.exec_driver_sql(
                    f"UPDATE scans SET profile = 'import' WHERE id = {scan.scan_id}"  # noqa: S608 - a number
                )
    (row,) = lateness_rows(inventory, ENDED)
    assert (row.state, row.whole, last_whole_scan(inventory, "Nord")) == ("never", None, None)
    assert row.newest is not None
    assert row.newest.state == "failed"
    recorder(inventory, site).finish("done", {}, ended=ENDED)
    assert states(inventory, HOUR) == {"Nord": "ok"}


def test_what_is_of_no_site_is_judged_where_there_is_nothing_else(
    inventory: Inventory, tmp_path: Path
) -> None:
    assert states(inventory, HOUR) == {"": "never"}
    recorder(inventory, None).finish("done", {}, ended=ENDED)
    assert states(inventory, HOUR) == {"": "ok"}
    nothing(inventory, tmp_path, "Nord")
    assert states(inventory, HOUR) == {"Nord": "ok"}


def test_who_runs_is_told_from_who_was_killed(inventory: Inventory, url: str) -> None:
    with scanning(url, "10.0.0.8/29"):
        (row,) = lateness_rows(inventory, ENDED)
        assert row.newest is not None
        assert row.newest.state == "running"
    while inventory.database.lock(row.newest.id).held():  # a server frees it when it sees the end
        time.sleep(0.01)
    (row,) = lateness_rows(inventory, ENDED)
    assert row.newest is not None
    assert row.newest.state == "killed"


@pytest.mark.parametrize(
    ("found", "worst"),
    [([], "ok"), (["ok", "late", "never"], "never"), (["late", "ok"], "late"), (["ok"], "ok")],
)
def test_the_worst_of_several(found: list[str], worst: str) -> None:
    never = Lateness.of_nobody("x")
    made = {
        "never": never,
        "ok": replace(never, whole=ENDED),
        "late": replace(never, whole=ENDED, since=ENDED),
    }
    assert worst_of(made[state] for state in found) == worst
