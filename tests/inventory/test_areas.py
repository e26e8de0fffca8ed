"""The figures of a group are those of its sites, to the unit: same addresses, other machines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scanner.exports.whole import whole_of
from scanner.inventory import (
    ROLL_UP,
    Area,
    Filters,
    assets_rows,
    count_rows,
    coverage_rows,
    denominator,
    settle_findings,
    trend_rows,
)
from scanner.inventory.alike import alike_rows
from scanner.inventory.areas import branches
from scanner.inventory.findings.counting import findings_counted
from scanner.model import Status
from tests.inventory.group import SITES, TOTALS, build
from tests.inventory.hospital import TODAY

if TYPE_CHECKING:
    from pathlib import Path

    from scanner.inventory import Inventory

GONE = Status.UNSUPPORTED


@pytest.fixture
def group(inventory: Inventory, tmp_path: Path) -> Inventory:
    build(inventory, tmp_path)
    return inventory


def area(names: tuple[str, ...]) -> Area:
    """What a group, an establishment or a site is asked for as, in other letters."""
    asked = dict(zip(ROLL_UP, (name.upper() for name in names), strict=False))
    return Area(**asked)


@pytest.mark.parametrize("names", TOTALS, ids="/".join)
def test_everybody_counts_the_same(group: Inventory, names: tuple[str, ...]) -> None:
    gone, everything = TOTALS[names]
    sites = area(names).sites(group)
    number = len(sites)
    for by in ("group",), ("establishment",), ROLL_UP, ("site", "ward"), ("building",):
        rows = count_rows(group, by=by, sites=sites, status=GONE, today=TODAY)
        assert sum(row.certain for row in rows) == gone
        assert sum(row.seen for row in rows) == everything
        assert sum(row.scope for row in rows) == 256 * number
        # One address more than those of machines was asked at each.
        assert sum(row.never_scanned for row in rows) == 255 * number - everything
        trend = trend_rows(group, by=by, sites=sites, status=GONE, today=TODAY)
        assert {tuple(row.keys.values()): row.certain for row in trend if row.certain} == {
            tuple(row.keys.values()): row.certain for row in rows if row.certain
        }
    covered = [row for row in coverage_rows(group, by=ROLL_UP) if row.keys["site"] in sites]
    assert [sum(getattr(row, name) for row in covered) for name in ("seen", "scope")] == [
        everything,
        256 * number,
    ]
    wanted = Filters(sites=sites)
    assert len(list(assets_rows(group, wanted, today=TODAY))) == everything
    assert len(list(assets_rows(group, Filters(sites=sites, status=GONE), today=TODAY))) == gone
    assert sum(row.machines for row in alike_rows(group, sites=sites, today=TODAY)) == everything
    assert denominator(group, wanted).seen == everything
    assert sum(row.seen for row in whole_of(group, wanted, today=TODAY).wards) == everything


def test_a_row_of_a_group_is_the_sum_of_its_sites(group: Inventory) -> None:
    def counted(*by: str) -> dict[tuple[str, ...], tuple[int, int]]:
        rows = count_rows(group, by=by, status=GONE, today=TODAY)
        return {tuple(row.keys.values()): (row.certain, row.seen) for row in rows}

    assert counted(*ROLL_UP) == {names: told for names, told in TOTALS.items() if len(names) == 3}
    assert counted("group") == {("GHT",): (10, 17), ("",): (7, 7)}
    assert counted("establishment") == {("CHU",): (8, 14), ("Île",): (2, 3), ("Ailleurs",): (7, 7)}
    covered = {row.keys["establishment"]: row.seen for row in coverage_rows(group, by=("establishment",))}
    assert covered == {"CHU": 14, "Île": 3, "Ailleurs": 7}


def test_findings_are_counted_where_their_machines_are(group: Inventory) -> None:
    settle_findings(group, today=TODAY)
    assert sorted(findings_counted(group)) == sorted(
        (site, ward, "open", number)
        for site, (_, _, gone, _) in SITES.items()
        for ward, number in (("Accueil", gone - 1), ("Bloc", 1))
    )


def test_an_area_is_the_sites_that_are_all_it_says(group: Inventory) -> None:
    assert Area().sites(group) == set(SITES)
    assert Area(establishment="île").sites(group) == {"Île"}
    assert Area(site="nord", group="ght").sites(group) == {"Nord"}
    assert Area(site="nord", group="elsewhere").sites(group) == frozenset()
    assert Area(establishment="Nord").sites(group) == frozenset()  # its site file says which it is of


def test_branches_are_told_where_there_is_something_to_roll_up() -> None:
    sites = [names for names in TOTALS if len(names) == 3]
    assert set(branches(sites)) == set(TOTALS)
    assert branches(reversed(sites)) == branches(sites)
    assert branches(sites[:1]) == branches([]) == []
    assert branches([("", "a", "a"), ("", "b", "b")]) == [("", "a", "a"), ("", "b", "b")]
