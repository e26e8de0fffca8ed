"""What people decide: that two assets are one machine, or that one is two. No scan undoes it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import select, update

from scanner.errors import ConfigError
from scanner.inventory.identity.splitting import split_asset
from scanner.inventory.identity.ties import join_assets, keep_tie, part_assets
from scanner.inventory.identity.traits import ADDRESS
from scanner.inventory.merging import pack_address
from scanner.inventory.tables import ASSETS, EVIDENCE_KEYS, OBSERVATIONS, SIGHTS, TIES, TRAITS
from scanner.inventory.transactions import writing

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from scanner.inventory.store import Inventory


def merge_by_hand(inventory: Inventory, asset: int, other: int, *, author: str, note: str = "") -> None:
    """Decide that two assets are one machine: the first stays, with everything of the second.

    Raises:
        ConfigError: they are not two assets of one site.
        InventoryError: the inventory cannot be written.
    """
    with writing(inventory) as connection:
        sites = dict(
            connection.execute(
                select(ASSETS.c.id, ASSETS.c.site_id).where(ASSETS.c.id.in_([asset, other]))
            ).all()
        )
        for number in (asset, other):
            if number not in sites:
                raise ConfigError("no machine has the id {id}: vetuste assets lists them", id=number)
        if asset == other or sites[asset] != sites[other]:
            raise ConfigError("name two machines of one site")
        pair = TIES.c.asset_id.in_([asset, other]) & TIES.c.other_id.in_([asset, other])
        parted = update(TIES).where(pair, TIES.c.kind == "split", TIES.c.undone.is_(None))
        connection.execute(parted.values(undone=datetime.now(UTC)))
        join_assets(connection, asset, other, note, author=author)


def part_by_hand(inventory: Inventory, asset: int, other: int, *, author: str, note: str = "") -> None:
    """Decide that an asset that was merged into another one is a machine of its own after all.

    Raises:
        ConfigError: it was never merged into that one.
        InventoryError: the inventory cannot be written.
    """
    wanted = select(TIES.c.id).where(
        TIES.c.asset_id == asset, TIES.c.other_id == other, TIES.c.kind == "merged", TIES.c.undone.is_(None)
    )
    with writing(inventory) as connection:
        tie = connection.scalar(wanted.order_by(TIES.c.id.desc()).limit(1))
        if tie is None or part_assets(connection, asset, tie) is None:
            raise ConfigError(
                "asset {other} was never merged into asset {asset}: vetuste explain {asset} tells what was",
                asset=asset,
                other=other,
            )
        keep_tie(connection, "split", asset, other, note, None, author, {})


def split_by_hand(inventory: Inventory, asset: int, address: str, *, author: str, note: str = "") -> int:
    """Decide that what was seen of an asset at an address is another machine; gives the new asset's id.

    Raises:
        ConfigError: it was never seen there, or nowhere else.
        InventoryError: the inventory cannot be written.
    """
    packed = pack_address(address)
    with writing(inventory) as connection:
        sights = connection.scalars(
            select(SIGHTS.c.packed).where(SIGHTS.c.asset_id == asset).distinct()
        ).all()
        if packed not in sights or len(sights) == 1:
            raise ConfigError(
                "asset {asset} was seen at {addresses}: name one of several",
                asset=asset,
                addresses=_told(connection, asset),
            )
        return split_asset(
            connection,
            asset,
            SIGHTS.c.packed == packed,
            OBSERVATIONS.c.address == address,
            how=note,
            author=author,
        )


def _told(connection: Connection, asset: int) -> str:
    key = select(EVIDENCE_KEYS.c.id).where(EVIDENCE_KEYS.c.key == ADDRESS).scalar_subquery()
    wanted = select(TRAITS.c.value).where(TRAITS.c.asset_id == asset, TRAITS.c.key_id == key)
    return ", ".join(sorted(connection.scalars(wanted))) or "-"
