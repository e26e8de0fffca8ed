"""Joining and undoing it: what was there before is there again, to the row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from scanner.inventory.identity.ties import join_assets, part_assets, plain
from scanner.inventory.tables import ASSETS, OBSERVATIONS, SIGHTS, TIES, TRAITS
from scanner.inventory.transactions import reading, writing
from tests.inventory.test_joining import A, B, C, Nights, card, linux, only, pc

if TYPE_CHECKING:
    from scanner.config import SiteFile
    from scanner.inventory import Inventory


@pytest.fixture
def nights(inventory: Inventory, site: SiteFile) -> Nights:
    return Nights(inventory, site)


def rows(inventory: Inventory) -> dict[str, list[tuple[Any, ...]]]:
    with reading(inventory) as connection:
        return {
            table.name: sorted(map(tuple, connection.execute(select(*plain(table)))), key=repr)
            for table in (ASSETS, OBSERVATIONS, SIGHTS, TRAITS)
        }


def two(nights: Nights) -> tuple[int, int]:
    """Two assets that have a name, an address, and a place in one scan in common."""
    first = nights.scan((A, pc("PC1", 1)), (B, pc("PC2", 2)))
    nights.scan((A, only(pc("PC1", 1), "netbios")), (B, pc("PC2", 2)))
    nights.scan((B, pc("PC1", 1)), (B, pc("PC2", 2)))
    return nights.who(first, A), nights.who(first, B)


@pytest.mark.parametrize("turned", [False, True])
def test_undoing_gives_back_every_row(nights: Nights, turned: bool) -> None:  # noqa: FBT001 - both ways
    asset, other = two(nights)[:: -1 if turned else 1]
    before = rows(nights.inventory)
    with writing(nights.inventory) as connection:
        tie = join_assets(connection, asset, other, "by hand", author="DSI")
    assert tie is not None
    joined = rows(nights.inventory)
    assert len(joined["assets"]) == len(before["assets"]) - 1
    assert len(joined["observations"]) == len(before["observations"])
    with writing(nights.inventory) as connection:
        assert part_assets(connection, asset, tie) == other
        assert part_assets(connection, asset, tie) is None
    assert rows(nights.inventory) == before


def test_what_was_heard_since_stays_with_the_first(nights: Nights) -> None:
    asset, other = two(nights)
    with writing(nights.inventory) as connection:
        tie = join_assets(connection, asset, other, "by hand")
    later = nights.scan((C, pc("PC2", 2)))
    assert nights.who(later, C) == asset
    with writing(nights.inventory) as connection:
        assert tie is not None
        assert part_assets(connection, asset, tie) == other
    assert nights.who(later, C) == asset
    with reading(nights.inventory) as connection:
        moved = connection.execute(select(ASSETS.c.id, ASSETS.c.address)).all()
    assert {(each.id, each.address) for each in moved} == {(asset, C), (other, B)}


def test_nothing_is_joined_with_itself_or_with_what_is_not_there(nights: Nights) -> None:
    first = nights.scan((A, pc("PC1", 1)), (B, linux(2)))
    asset = nights.who(first, A)
    before = rows(nights.inventory)
    with writing(nights.inventory) as connection:
        assert join_assets(connection, asset, asset, "by hand") is None
        assert join_assets(connection, asset, 999, "by hand") is None
        assert part_assets(connection, asset, 999) is None
    assert rows(nights.inventory) == before
    with reading(nights.inventory) as connection:
        assert not connection.execute(select(TIES.c.id)).all()


def test_two_joinings_are_undone_one_after_the_other(nights: Nights) -> None:
    asset, other = two(nights)
    third = nights.who(nights.scan((C, linux(3))), C)
    before = rows(nights.inventory)
    with writing(nights.inventory) as connection:
        ties = [join_assets(connection, asset, each, "by hand") for each in (other, third)]
    with writing(nights.inventory) as connection:
        for tie in reversed(ties):
            assert tie is not None
            assert part_assets(connection, asset, tie) is not None
    assert rows(nights.inventory) == before


def test_what_two_that_are_one_run_is_what_was_heard_last(nights: Nights) -> None:
    """Whoever was met last need not have said anything then."""
    nights.scan((A, {**card(1), "http.server": "Boa"}))
    heard = nights.scan((B, pc("PC1", 2)))
    last = nights.scan((A, card(1)))
    with writing(nights.inventory) as connection:
        join_assets(connection, nights.who(last, A), nights.who(heard, B), "by hand")
        assert connection.scalars(select(ASSETS.c.identity_scan_id)).all() == [heard]
