from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from scanner.errors import ConfigError
from scanner.inventory import breakers_rows, clear_breakers, fragile_rows, open_inventory
from scanner.language import Message
from scanner.model import Trip
from tests.inventory.hospital import NOON, TEN, XP, host, record, recorder, seen, site_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from scanner.config import SiteFile
    from scanner.inventory import Inventory

CAUSE = Message("{number} hosts fell silent", {"number": "3"})


def trip(subnet: str, *fallen: str, ward: str = "Bloc") -> Trip:
    return Trip(subnet, ward, NOON, CAUSE, fallen)


@pytest.fixture
def tripped(inventory: Inventory, site: SiteFile) -> Inventory:
    with recorder(inventory, site) as scan:
        scan.trip(trip("10.20.1.64/26", "10.20.1.70", "10.20.1.65"))
        scan.trip(trip("10.20.0.0/24", "10.20.0.9", ward="Cardiologie"))
        scan.trip(trip("fd00::/64"))
    return inventory


def test_a_trip_is_in_the_file_at_once_and_a_killed_scan_leaves_it(
    inventory: Inventory, url: str, site: SiteFile
) -> None:
    scan = recorder(inventory, site)
    scan.trip(trip("10.20.1.64/26", "10.20.1.70"))
    with open_inventory(url) as other:
        (breaker,) = breakers_rows(other, "CHU")
        (fragile,) = fragile_rows(other, "CHU")
    assert (breaker.id, breaker.site, breaker.ward, breaker.subnet) == (1, "CHU", "Bloc", "10.20.1.64/26")
    assert (breaker.at, breaker.cause, breaker.fallen) == (NOON, CAUSE, ("10.20.1.70",))
    assert breaker.scan == scan.scan_id
    assert (fragile.address, fragile.since) == ("10.20.1.70", NOON)
    assert fragile.why.render() == "fell silent after a probe (breaker 1)"
    scan.finish()


@pytest.mark.parametrize(
    ("wanted", "left"),
    [
        (["1"], [2, 3]),
        (["10.20.0.0/24"], [1, 3]),
        ([" 3 ", "10.20.1.64/26", "1"], [2]),
        (["fd00:0::/64"], [1, 2]),
        (None, []),
        ([], [1, 2, 3]),
    ],
)
def test_what_is_cleared_is_gone_and_its_hosts_with_it(
    tripped: Inventory, wanted: Sequence[str] | None, left: list[int]
) -> None:
    before = breakers_rows(tripped)
    cleared = clear_breakers(tripped, wanted, at=NOON + timedelta(days=1))
    assert {each.id for each in cleared} == {each.id for each in before} - set(left)
    kept = breakers_rows(tripped)
    assert [each.id for each in kept] == left
    fallen = {address for each in kept for address in each.fallen}
    assert {row.address for row in fragile_rows(tripped, "CHU")} == fallen
    assert clear_breakers(tripped, None, at=NOON) == kept


@pytest.mark.file
@pytest.mark.parametrize("unknown", ["4", "10.20.1.65", "10.20.1.0/24", "", "all", "1.0"])
def test_one_unknown_breaker_leaves_all_as_they_were(tripped: Inventory, unknown: str) -> None:
    with pytest.raises(ConfigError, match=f"there is no breaker '{unknown}'"):
        clear_breakers(tripped, ["1", unknown], at=NOON)
    assert len(breakers_rows(tripped)) == 3


def test_breakers_are_those_of_their_site(tripped: Inventory, tmp_path: Path) -> None:
    other = site_file(tmp_path, '[site]\nname = "Sud"\n[[ward]]\nname = "A"\nsubnets = ["10.0.0.0/8"]\n')
    with recorder(tripped, other) as scan:
        scan.trip(trip("10.20.1.64/26", "10.20.1.77"))
    assert [each.id for each in breakers_rows(tripped, "Sud")] == [4]
    assert [row.address for row in fragile_rows(tripped, "Sud")] == ["10.20.1.77"]
    assert [each.id for each in clear_breakers(tripped, ["10.20.1.64/26"], at=NOON, site="CHU")] == [1]
    assert [each.id for each in breakers_rows(tripped, "Sud")] == [4]


def test_an_identity_may_say_that_a_host_is_fragile(tripped: Inventory, site: SiteFile) -> None:
    pump = replace(TEN, attributes={"family": "Windows", "fragile": "an infusion pump"})
    first = seen("10.20.0.30", {"a.b": ("c",)}, at=NOON + timedelta(days=3))
    record(
        tripped, site, [host("10.20.0.30", "Cardiologie", pump, first), host("10.20.0.31", "Cardiologie", XP)]
    )
    record(tripped, site, [host("10.20.1.70", "Bloc", pump)])
    rows = {row.address: row for row in fragile_rows(tripped, "CHU")}
    assert list(rows) == ["10.20.0.9", "10.20.0.30", "10.20.1.65", "10.20.1.70"]
    assert rows["10.20.0.30"].why.render() == "its evidence says so: an infusion pump"
    assert rows["10.20.0.30"].since == NOON + timedelta(days=3)
    clear_breakers(tripped, None, at=NOON)
    assert [row.address for row in fragile_rows(tripped, "CHU")] == ["10.20.0.30", "10.20.1.70"]
