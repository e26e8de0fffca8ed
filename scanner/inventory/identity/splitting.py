"""Making two assets of one: each has what was heard of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import delete, func, insert, select, tuple_, update

from scanner.inventory.identity.settling import observed, settle_asset
from scanner.inventory.identity.ties import keep_tie
from scanner.inventory.identity.traits import kind_of, rules, traits_of
from scanner.inventory.interning import Numbers
from scanner.inventory.merging import pack_address
from scanner.inventory.tables import ASSETS, EVIDENCE_KEYS, OBSERVATIONS, SIGHTS, TRAITS
from scanner.inventory.utc import moment

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement
    from sqlalchemy.engine import Connection

    from scanner.inventory.identity.known import Part
    from scanner.inventory.identity.traits import Words
    from scanner.model import Observation


class _Heard(NamedTuple):
    """What an asset was known by: its evidence key, from when to when, and the last scan that heard it."""

    key: str
    first: datetime
    last: datetime
    scan: int


def split_asset(  # noqa: PLR0913 - what a tie says, each by name
    connection: Connection,
    asset: int,
    sights: ColumnElement[bool],
    observations: ColumnElement[bool],
    *,
    how: str,
    scan: int | None = None,
    author: str = "",
    since: datetime | None = None,
) -> int:
    """Give some of an asset's sights and observations to a new asset.

    Args:
        connection: in a write transaction.
        asset: the one that keeps the rest.
        sights: which ones go, of the table of sights.
        observations: the same, of the table of observations.
        how: what shows that they are two: kinds of traits of a scan, a sentence of somebody's.
        scan: the scan that found out; None: somebody decided.
        author: who.
        since: from when on all that goes was seen, where that tells it from what stays.

    Returns:
        The new asset's id.
    """
    new = _copied(connection, asset)
    connection.execute(update(SIGHTS).where(SIGHTS.c.asset_id == asset, sights).values(asset_id=new))
    heard = update(OBSERVATIONS).where(OBSERVATIONS.c.asset_id == asset, observations)
    connection.execute(heard.values(asset_id=new))
    _settle_traits(connection, asset, new, since)
    for each in (asset, new):
        settle_asset(connection, each)
    keep_tie(connection, "split", asset, new, how, scan, author, {})
    return new


def split_off(connection: Connection, asset: int, part: Part, scan: int) -> int | None:
    """Make an asset two: a part of what was seen of it is another machine's.

    Returns:
        The new asset's id; None where the asset is no longer there, or nothing of it would stay or go.
    """
    if part.words:
        places = _places(connection, asset, part.words)
        packed = [(each, pack_address(place)) for each, place in places]
        sights: ColumnElement[bool] = tuple_(SIGHTS.c.scan_id, SIGHTS.c.packed).in_(packed)
        observations: ColumnElement[bool] = tuple_(OBSERVATIONS.c.scan_id, OBSERVATIONS.c.address).in_(places)
    else:
        sights, observations = (table.c.at >= moment(part.since) for table in (SIGHTS, OBSERVATIONS))
    stays_or_goes = connection.scalars(select(sights).where(SIGHTS.c.asset_id == asset).distinct())
    if len(stays_or_goes.all()) < 2:  # noqa: PLR2004 - some stay, and some go
        return None
    since = moment(part.since) if part.since else None
    return split_asset(connection, asset, sights, observations, how=part.how, scan=scan, since=since)


def _places(connection: Connection, asset: int, words: Collection[Words]) -> list[tuple[int, str]]:
    """The scans that heard any of these words of an asset, each with the address."""
    return sorted(
        {
            (scan, seen.endpoint.address)
            for seen, scan in observed(connection, asset)
            if any(each in words for each in traits_of(seen.endpoint.address, [seen]))
        }
    )


def _copied(connection: Connection, asset: int) -> int:
    row = connection.execute(select(ASSETS).where(ASSETS.c.id == asset)).one()._asdict()
    number = int(connection.scalar(select(func.max(ASSETS.c.id))) or 0) + 1
    connection.execute(insert(ASSETS).values({**row, "id": number}))
    return number


def _settle_traits(connection: Connection, asset: int, new: int, since: datetime | None) -> None:
    """Each trait goes to whom it was heard of, also to both.

    Of those whose observations were folded away, their time decides; without one they stay.
    """
    site_id = connection.scalar(select(ASSETS.c.site_id).where(ASSETS.c.id == asset)) or 0
    numbers = Numbers(site_id, "", {})
    stay, go = _heard(observed(connection, asset)), _heard(observed(connection, new))
    stored = select(EVIDENCE_KEYS.c.key, TRAITS).join(EVIDENCE_KEYS).where(TRAITS.c.asset_id == asset)
    for row in connection.execute(stored).all():
        words = (kind_of(row.key, row.value), row.value)
        mine = (TRAITS.c.asset_id == asset, TRAITS.c.key_id == row.key_id, TRAITS.c.value == row.value)
        is_later = since is not None and row.first >= since
        if words in stay:
            told = {"last": stay[words].last, "scan_id": stay[words].scan}
            connection.execute(update(TRAITS).where(*mine).values(told))
        elif words in go and (since is None or is_later):
            connection.execute(delete(TRAITS).where(*mine))
        elif is_later:
            connection.execute(update(TRAITS).where(*mine).values(asset_id=new))
    for (_, value), heard in go.items():
        trait = {"site_id": site_id, "key_id": numbers.key(connection, heard.key), "value": value}
        tenure = {"asset_id": new, "first": heard.first, "last": heard.last, "scan_id": heard.scan}
        connection.execute(insert(TRAITS).values({**trait, **tenure}))


def _heard(seen: Sequence[tuple[Observation, int]]) -> dict[Words, _Heard]:
    """The traits of observations, by the best key that told each; of what lasts no night, the newest."""
    found: dict[Words, _Heard] = {}
    for observation, scan in seen:
        for words, key in traits_of(observation.endpoint.address, [observation]).items():
            known = found.get(words, _Heard(key, observation.at, observation.at, scan))
            best = min(known.key, key, key=rules().kinds[words[0]].keys.index)
            found[words] = _Heard(
                best, min(known.first, observation.at), max(known.last, observation.at), max(known.scan, scan)
            )
    for kind, rule in rules().kinds.items():
        if rule.volatile:
            of_kind = sorted((heard.last, words) for words, heard in found.items() if words[0] == kind)
            for _, words in of_kind[:-1]:
                del found[words]
    return found
