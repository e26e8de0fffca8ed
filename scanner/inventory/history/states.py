"""Where each asset was last seen, and as what: one row an asset, in the order of their ids.

A row has the asset's id, the scan that saw it, its address (packed), ward and identity.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from sqlalchemy import and_, case, func, select

from scanner.inventory.tables import ASSETS, SIGHTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Select, Subquery

State: TypeAlias = tuple[int, int, bytes, "int | None", int]
"""Asset, scan, address, ward, identity."""

_WHAT: Final = ("packed", "ward_id", "identity_id")


def seen_in(scans: Sequence[int]) -> Select[Any]:
    """What some scans saw, each asset as the last of them saw it, at the address where it was last."""
    mine = SIGHTS.c
    order = (mine.scan_id.desc(), mine.at.desc(), mine.packed.desc())
    ranked = select(
        mine.asset_id, mine.scan_id, *(mine[name] for name in _WHAT), _place(mine.asset_id, *order)
    ).where(mine.scan_id.in_(list(scans)))
    return _first(ranked.subquery())


def known_after(last: int, newest: int) -> Select[Any]:
    """What was known when the scan ``last`` had ended, of whatever site.

    What no later scan saw is as it stands with the asset: there it is kept in step with today's data.

    Args:
        last: the last scan that counts.
        newest: the newest scan of the inventory.
    """
    if last >= newest:
        mine = ASSETS.c
        everything = select(mine.id, mine.last_scan_id, *(mine[name] for name in _WHAT))
        return everything.order_by(mine.id)
    by_asset = (
        select(SIGHTS.c.asset_id, func.max(SIGHTS.c.scan_id).label("scan_id"))
        .where(SIGHTS.c.scan_id <= last)
        .group_by(SIGHTS.c.asset_id)
        .subquery()
    )
    stands = ASSETS.c.last_scan_id == by_asset.c.scan_id
    what = [case((stands, ASSETS.c[name]), else_=SIGHTS.c[name]).label(name) for name in _WHAT]
    order = (SIGHTS.c.at.desc(), SIGHTS.c.packed.desc())
    ranked = (
        select(*by_asset.c, *what, _place(by_asset.c.asset_id, *order))
        .join(
            SIGHTS,
            and_(SIGHTS.c.scan_id == by_asset.c.scan_id, SIGHTS.c.asset_id == by_asset.c.asset_id),
        )
        .join(ASSETS, ASSETS.c.id == by_asset.c.asset_id)
    )
    return _first(ranked.subquery())


def _place(asset: ColumnElement[int], *order: ColumnElement[Any]) -> ColumnElement[int]:
    return func.row_number().over(partition_by=asset, order_by=order).label("place")


def _first(ranked: Subquery) -> Select[Any]:
    columns = [column for column in ranked.c if column.name != "place"]
    return select(*columns).where(ranked.c.place == 1).order_by(ranked.c.asset_id)
