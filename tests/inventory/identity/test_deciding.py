"""What people decide about assets outlives every later scan."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from scanner.errors import ConfigError
from scanner.inventory import (
    asset_detail,
    assets_rows,
    check_inventory,
    history_of,
    merge_by_hand,
    part_by_hand,
    split_by_hand,
)
from scanner.inventory.tables import METADATA
from scanner.inventory.transactions import reading
from tests.inventory.hospital import RELEASES, TODAY
from tests.inventory.test_joining import A, B, C, Nights, linux, pc

if TYPE_CHECKING:
    from scanner.config import SiteFile
    from scanner.inventory import Inventory


@pytest.fixture
def nights(inventory: Inventory, site: SiteFile) -> Nights:
    return Nights(inventory, site)


def _listed(inventory: Inventory) -> list[tuple[int, str, str]]:
    found = assets_rows(inventory, today=TODAY, releases=RELEASES, evidence=True)
    return [(each.id, each.address, each.name) for each in found]


def _rows(inventory: Inventory) -> dict[str, list[tuple[object, ...]]]:
    """Everything but the ties."""
    with reading(inventory) as connection:
        return {
            table.name: sorted(map(tuple, connection.execute(select(table))), key=repr)
            for table in METADATA.sorted_tables
            if table.name != "ties"
        }


def test_two_that_somebody_joined_stay_one_whatever_they_say_later(
    inventory: Inventory, nights: Nights, url: str
) -> None:
    first = nights.scan((A, pc("PC1", 1)), (B, linux(2)))
    one, other = nights.who(first, A), nights.who(first, B)
    merge_by_hand(inventory, one, other, author="biomed", note="one box with two systems")
    second = nights.scan((B, linux(2)), (A, pc("PC1", 1)), (C, linux(3)))
    assert nights.who(second, A) == nights.who(second, B) == one != nights.who(second, C)
    (asset,) = (each for each in assets_rows(inventory, today=TODAY, evidence=True) if each.id == one)
    assert (asset.address, asset.addresses) == (A, (B,))
    tie = history_of(inventory, one).ties[-1]
    assert (tie.kind, tie.author, tie.how) == ("merged", "biomed", "one box with two systems")
    assert check_inventory(url).faults == ()


def test_what_was_joined_is_there_again_as_it_was(inventory: Inventory, nights: Nights, url: str) -> None:
    nights.scan((A, pc("PC1", 1)), (B, pc("PC2", 2)))
    before = _rows(inventory)
    merge_by_hand(inventory, 1, 2, author="x")
    assert [number for number, _, _ in _listed(inventory)] == [1]
    part_by_hand(inventory, 1, 2, author="x")
    assert _rows(inventory) == before
    assert check_inventory(url).faults == ()


def test_two_that_somebody_parted_are_not_joined_again(inventory: Inventory, nights: Nights) -> None:
    """What a scan joined by mistake: a name in turn, by two machines whose cards were seen once each."""
    nights.scan((A, pc("PC1", 1)))
    merge_by_hand(inventory, 1, nights.who(nights.scan((B, pc("PC2", 2))), B), author="x")
    part_by_hand(inventory, 1, 2, author="x", note="they are two")
    third = nights.scan((A, {**pc("PC1", 1), "ssh.hostkey": "k"}), (B, {**pc("PC2", 2), "ssh.hostkey": "k"}))
    assert (nights.who(third, A), nights.who(third, B)) == (1, 2)
    assert [tie.kind for tie in history_of(inventory, 1).ties] == ["merged", "split"]


def test_one_that_was_two_is_split_by_address(inventory: Inventory, nights: Nights, url: str) -> None:
    first = nights.scan((A, pc("PC1", 1)), (B, linux(2)))
    one = nights.who(first, A)
    merge_by_hand(inventory, one, nights.who(first, B), author="x")
    new = split_by_hand(inventory, one, B, author="rssi", note="two boxes")
    assert {address: number for number, address, _ in _listed(inventory)} == {A: one, B: new}
    second = nights.scan((C, linux(2)), (A, pc("PC1", 1)))
    assert (nights.who(second, C), nights.who(second, A)) == (new, one)
    detail = asset_detail(inventory, str(new), today=TODAY, releases=RELEASES)
    assert {seen.endpoint.partition(":")[0] for seen in detail.observations} == {B, C}
    assert check_inventory(url).faults == ()


@pytest.mark.parametrize(("one", "other"), [(1, 1), (1, 99), (99, 1)])
def test_there_must_be_two(inventory: Inventory, nights: Nights, one: int, other: int) -> None:
    nights.scan((A, pc("PC1", 1)))
    before = _rows(inventory)
    with pytest.raises(ConfigError):
        merge_by_hand(inventory, one, other, author="x")
    with pytest.raises(ConfigError, match="was never merged"):
        part_by_hand(inventory, one, other, author="x")
    with pytest.raises(ConfigError, match="name one of several"):
        split_by_hand(inventory, one, A, author="x")
    assert _rows(inventory) == before
