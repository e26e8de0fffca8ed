"""Joining assets that are one, and undoing it: by a scan or by hand.

What is joined is moved. The tie keeps what was moved: nothing is lost, and somebody can undo it later.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from sqlalchemy import Text, delete, exists, insert, select, type_coerce, update

from scanner.inventory.findings.keeping import hand_over_findings
from scanner.inventory.identity.settling import settle_asset
from scanner.inventory.tables import ASSETS, OBSERVATIONS, RECORDS, SIGHTS, TIES, TRAITS, UtcTime

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Table
    from sqlalchemy.engine import Connection

Row: TypeAlias = dict[str, Any]

_AT_ONCE: Final = 300


def plain(table: Table) -> list[Any]:
    """A table's columns with times as text, to be written back as they are."""
    return [
        type_coerce(column, Text).label(column.name) if isinstance(column.type, UtcTime) else column
        for column in table.c
    ]


def join_assets(  # noqa: PLR0913 - what a tie says, each by name
    connection: Connection, asset: int, other: int, how: str, scan: int | None = None, *, author: str = ""
) -> int | None:
    """Make two assets one: everything of the other one's becomes the first one's.

    Args:
        connection: in a write transaction.
        asset: the one that stays.
        other: the one that ends.
        how: what shows that they are one: kinds of traits of a scan, a sentence of somebody's.
        scan: the scan that found out; None: somebody decided.
        author: who.

    Returns:
        The tie's id; None where one of them is no longer there, and nothing happened.
    """
    wanted = select(*plain(ASSETS)).where(ASSETS.c.id.in_([asset, other]))
    rows = {row["id"]: dict(row) for row in connection.execute(wanted).mappings()}
    if set(rows) != {asset, other} or asset == other:
        return None
    moved = _to_be_moved(connection, rows[asset], rows[other])
    _move_all(connection, other, asset)
    hand_over_findings(connection, other, asset)
    moved["records"] = _hand_over_records(connection, other, asset)
    united = _united(rows[asset], rows[other])
    moved["united"] = _packed(united)
    connection.execute(update(ASSETS).where(ASSETS.c.id == asset).values(_typed(ASSETS, united)))
    connection.execute(update(TIES).where(TIES.c.asset_id == other).values(asset_id=asset))
    parted = update(TIES).where(TIES.c.other_id == other, TIES.c.kind == "split")
    connection.execute(parted.values(other_id=asset))
    connection.execute(delete(ASSETS).where(ASSETS.c.id == other))
    return keep_tie(connection, "merged", asset, other, how, scan, author, moved)


def _to_be_moved(connection: Connection, row: Row, other: Row) -> Row:
    """What undoing it needs: all of the other one, and of the first what the other one has too."""
    observations = select(OBSERVATIONS.c.id).where(OBSERVATIONS.c.asset_id == other["id"])
    traits, sights = _rows(connection, TRAITS, other["id"]), _rows(connection, SIGHTS, other["id"])
    words = {(each["key_id"], each["value"]) for each in traits}
    both = [each for each in _rows(connection, TRAITS, row["id"]) if (each["key_id"], each["value"]) in words]
    places = {(each["scan_id"], each["packed"].hex()) for each in sights}
    places &= {(each["scan_id"], each["packed"].hex()) for each in _rows(connection, SIGHTS, row["id"])}
    return {
        "asset": _packed(other),
        "traits": traits,
        "observations": list(connection.scalars(observations)),
        "sights": [_packed(each) for each in sights],
        "before": {"asset": _packed(row), "traits": both},
        "places": sorted(places),
    }


def keep_tie(  # noqa: PLR0913, PLR0917 - the columns of its row
    connection: Connection,
    kind: str,
    asset: int,
    other: int,
    how: str,
    scan: int | None,
    author: str,
    moved: object,
) -> int:
    """Write why assets are one, or two; gives the tie's id."""
    row = {"kind": kind, "asset_id": asset, "other_id": other, "how": how, "scan_id": scan, "author": author}
    stored = {**row, "at": datetime.now(UTC), "moved": json.dumps(moved)}
    tie: int = connection.execute(insert(TIES).values(stored).returning(TIES.c.id)).scalar_one()
    return tie


def part_assets(connection: Connection, asset: int, tie: int) -> int | None:
    """Undo the joining of an asset with another: this one is there again, with all that was its own.

    What was heard since stays with the first one.

    Returns:
        The id of the asset that is there again; None where there is no such tie.
    """
    wanted = select(TIES.c.other_id, TIES.c.moved).where(
        TIES.c.id == tie, TIES.c.asset_id == asset, TIES.c.kind == "merged", TIES.c.undone.is_(None)
    )
    found = connection.execute(wanted).one_or_none()
    if found is None:
        return None
    moved, other = json.loads(found.moved), int(found.other_id)
    connection.execute(_as_stored(ASSETS, _unpacked(moved["asset"])))
    for part in _parts(moved["observations"]):
        mine = (OBSERVATIONS.c.id.in_(part), OBSERVATIONS.c.asset_id == asset)
        connection.execute(update(OBSERVATIONS).where(*mine).values(asset_id=other))
    for row in moved["sights"]:
        stored = _unpacked(row)
        place = [SIGHTS.c[name] == stored[name] for name in ("scan_id", "packed")]
        if [row["scan_id"], row["packed"]] not in moved["places"]:
            connection.execute(delete(SIGHTS).where(*place, SIGHTS.c.asset_id == asset))
        connection.execute(_as_stored(SIGHTS, stored))
    _part_traits(connection, asset, moved)
    connection.execute(update(RECORDS).where(RECORDS.c.id.in_(moved["records"])).values(asset_id=other))
    connection.execute(update(TIES).where(TIES.c.id == tie).values(undone=datetime.now(UTC)))
    wanted = select(*plain(ASSETS)).where(ASSETS.c.id == asset)
    if _packed(dict(connection.execute(wanted).mappings().one())) == moved["united"]:
        before = _unpacked(moved["before"]["asset"])
        connection.execute(update(ASSETS).where(ASSETS.c.id == asset).values(_typed(ASSETS, before)))
    else:
        settle_asset(connection, asset)
    return other


def _part_traits(connection: Connection, asset: int, moved: Row) -> None:
    """Give back the other one's traits; those of both are as they were, but for what was heard since."""
    mine = {(row["key_id"], row["value"]): row for row in moved["before"]["traits"]}
    now = {(row["key_id"], row["value"]): row for row in _rows(connection, TRAITS, asset)}
    for row in moved["traits"]:
        word = row["key_id"], row["value"]
        same = (TRAITS.c.asset_id == asset, TRAITS.c.key_id == row["key_id"], TRAITS.c.value == row["value"])
        connection.execute(delete(TRAITS).where(*same))
        connection.execute(_as_stored(TRAITS, row))
        if word in mine and word in now:
            since = now[word]["last"] > max(row["last"], mine[word]["last"])
            before = {**now[word], "first": mine[word]["first"]} if since else mine[word]
            connection.execute(_as_stored(TRAITS, before))


def _rows(connection: Connection, table: Table, asset: int) -> list[Row]:
    wanted = select(*plain(table)).where(table.c.asset_id == asset)
    return [dict(row) for row in connection.execute(wanted).mappings()]


def _packed(row: Row) -> Row:
    return {**row, "packed": row["packed"].hex()}


def _unpacked(row: Row) -> Row:
    return {**row, "packed": bytes.fromhex(row["packed"])}


def _as_stored(table: Table, row: Row) -> Any:  # noqa: ANN401 - SQLAlchemy's own
    """Write a row whose times are text already."""
    return insert(table).values(_typed(table, row))


def _typed(table: Table, row: Row) -> Row:
    return {
        name: type_coerce(value, Text) if isinstance(table.c[name].type, UtcTime) else value
        for name, value in row.items()
    }


def _move_all(connection: Connection, other: int, asset: int) -> None:
    """Observations and sights change hands; of a trait that both have, the times are united."""
    others = SIGHTS.alias()
    twice = exists().where(
        others.c.asset_id == asset, others.c.scan_id == SIGHTS.c.scan_id, others.c.packed == SIGHTS.c.packed
    )
    connection.execute(delete(SIGHTS).where(SIGHTS.c.asset_id == other, twice))
    for table in (OBSERVATIONS, SIGHTS):
        connection.execute(update(table).where(table.c.asset_id == other).values(asset_id=asset))
    mine = {(row["key_id"], row["value"]): row for row in _rows(connection, TRAITS, asset)}
    for row in _rows(connection, TRAITS, other):
        both = mine.get((row["key_id"], row["value"]), row)
        latest = max(row, both, key=lambda each: each["last"])
        united = {**latest, "asset_id": asset, "first": min(row["first"], both["first"])}
        same = (TRAITS.c.key_id == row["key_id"], TRAITS.c.value == row["value"])
        connection.execute(delete(TRAITS).where(*same, TRAITS.c.asset_id.in_([asset, other])))
        connection.execute(_as_stored(TRAITS, united))


def _hand_over_records(connection: Connection, other: int, asset: int) -> list[int]:
    ids = list(connection.scalars(select(RECORDS.c.id).where(RECORDS.c.asset_id == other)))
    connection.execute(update(RECORDS).where(RECORDS.c.asset_id == other).values(asset_id=asset))
    return ids


def _united(row: Row, other: Row) -> Row:
    """The columns of an asset that two are: the newer ones, else the older ones."""
    newer, older = sorted(
        (row, other), key=lambda each: (each["last_seen"], each["id"] == row["id"]), reverse=True
    )
    names = ("name", "fqdn", "domain", "mac")
    found = {**newer, **{name: newer[name] or older[name] for name in names}}
    heard = max(newer, older, key=lambda each: each["identity_scan_id"] or 0)
    found |= {name: heard[name] for name in ("identity_id", "identity_scan_id")}
    found["first_seen"] = min(row["first_seen"], other["first_seen"])
    return {**found, "id": row["id"], "displaced": None}


def _parts(values: Sequence[Any]) -> list[Sequence[Any]]:
    return [values[start : start + _AT_ONCE] for start in range(0, len(values), _AT_ONCE)]
