"""Which record is which asset: decided anew each time, since both sides change."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from sqlalchemy import bindparam, select, update

from scanner.inventory.records.scoring import APART, ENOUGH, Score, Traits, score
from scanner.inventory.tables import ASSETS, EVIDENCE_KEYS, RECORDS, TRAITS
from scanner.language import Message

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sqlalchemy.engine import Connection, Row

_Scored: TypeAlias = "tuple[int, Score]"
"""An asset's id, and how well it fits."""

_AT_ONCE: Final = 500
_TRAITS: Final = {
    "neighbour.mac": "macs",
    "mac.address": "macs",
    "netbios.mac": "macs",
    "dhcp.mac": "macs",
    "ntlm.dns_name": "fqdns",
    "ldap.host": "fqdns",
    "ntlm.netbios_name": "names",
    "netbios.name": "names",
    "dhcp.hostname": "names",
    "ntlm.dns_domain": "domains",
    "ntlm.netbios_domain": "domains",
    "netbios.domain": "domains",
}
"""What assets are known by beside what their row says, and what that is called here."""
_SERIAL: Final = ".serial"

_NONE: Final = Message("no asset has its name, card or serial number")
_SEVERAL: Final = Message("several assets fit equally well: {assets}")
_TOO_LITTLE: Final = Message("what asset {asset} has in common with it is not enough")
_TAKEN: Final = Message("the record {record} fits asset {asset} as well or better")
_SHOWN: Final = 5


@dataclass(slots=True)
class Matched:
    """What matching changed."""

    records: int = 0
    """Records that are an asset now."""
    assets: set[int] = field(default_factory=set)
    """Assets that have a record now, or had one before: what is known of them may have changed."""


def match_records(connection: Connection, site_id: int) -> Matched:
    """Match all records of a site with its assets anew.

    Where none fits well enough, several fit equally well, or an asset has a better record, a record stays
    unmatched; why is kept with it.

    Args:
        connection: in a write transaction.
        site_id: the site.
    """
    columns = ("id", "register", "own_id", "name", "fqdn", "domain", "serial", "macs", "addresses")
    kept = (RECORDS.c.gone, RECORDS.c.asset_id, RECORDS.c.matching)
    wanted = select(*(RECORDS.c[name] for name in columns), *kept).where(RECORDS.c.site_id == site_id)
    records = connection.execute(wanted.order_by(RECORDS.c.id)).all()
    if not records:
        return Matched()
    found = _found(connection, site_id, {row.id: _traits_of(row) for row in records})
    decided = {row.id: _best(found.get(row.id, [])) for row in records}
    _share_out(records, decided, found)
    changes, matched = [], Matched()
    for row in records:
        asset, reasons = decided[row.id]
        column = json.dumps([[each.text, dict(each.values)] for each in reasons], ensure_ascii=False)
        matched.records += asset is not None
        matched.assets |= {each for each in (asset, row.asset_id) if each is not None}
        if (asset, column) != (row.asset_id, row.matching):
            changes.append({"row": row.id, "asset_id": asset, "matching": column})
    if changes:
        connection.execute(update(RECORDS).where(RECORDS.c.id == bindparam("row")), changes)
    return matched


def _best(found: Sequence[_Scored]) -> tuple[int | None, tuple[Message, ...]]:
    """The asset that a record is, and why; None where that cannot be told, and why not."""
    ranked = sorted(found, key=lambda each: (-each[1].points, each[0]))
    if not ranked:
        return None, (_NONE,)
    asset, best = ranked[0]
    if best.points < ENOUGH:
        return None, (Message(_TOO_LITTLE.text, {"asset": str(asset)}), *best.reasons)
    close = [other for other, each in ranked if each.points >= ENOUGH and each.points > best.points - APART]
    if len(close) > 1:
        named = ", ".join(str(other) for other in sorted(close)[:_SHOWN]) + ", …" * (len(close) > _SHOWN)
        return None, (Message(_SEVERAL.text, {"assets": named}),)
    return asset, best.reasons


def _share_out(
    records: Sequence[Row[*tuple[Any, ...]]],
    decided: dict[int, tuple[int | None, tuple[Message, ...]]],
    found: Mapping[int, Sequence[_Scored]],
) -> None:
    """An asset has one record of each register: the one that fits best, and that is not gone."""
    claims: dict[tuple[str, int], list[Row[*tuple[Any, ...]]]] = defaultdict(list)
    for row in records:
        asset, _ = decided[row.id]
        if asset is not None:
            claims[row.register, asset].append(row)
    for (_, asset), rows in claims.items():
        ranks = {row.id: (row.gone is None, dict(found[row.id])[asset].points) for row in rows}
        best = max(ranks.values())
        winners = [row for row in rows if ranks[row.id] == best]
        for row in rows:
            if len(winners) > 1 or row is not winners[0]:
                other = next(each for each in (*winners, *rows) if each is not row)
                values = {"record": other.own_id, "asset": str(asset)}
                decided[row.id] = (None, (Message(_TAKEN.text, values),))


def _found(connection: Connection, site_id: int, records: Mapping[int, Traits]) -> dict[int, list[_Scored]]:
    """The assets that have anything in common with each record."""
    index: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row, traits in records.items():
        for key in traits.keys():  # noqa: SIM118 - no dictionary
            index[key].append(row)
    found: dict[int, list[_Scored]] = defaultdict(list)
    for asset, traits in _assets(connection, site_id):
        hits = {row for key in traits.keys() for row in index.get(key, ())}  # noqa: SIM118 - the same
        for row in hits:
            found[row].append((asset, score(records[row], traits)))
    return found


def _assets(connection: Connection, site_id: int) -> Iterator[tuple[int, Traits]]:
    """Every asset of a site, and what it is known by."""
    columns = [ASSETS.c[name] for name in ("id", "name", "fqdn", "domain", "mac", "address")]
    last = 0
    while True:
        wanted = select(*columns).where(ASSETS.c.site_id == site_id, ASSETS.c.id > last)
        rows = connection.execute(wanted.order_by(ASSETS.c.id).limit(_AT_ONCE)).all()
        if not rows:
            return
        last = rows[-1].id
        more = _kept_traits(connection, [row.id for row in rows])
        for row in rows:
            known = more.get(row.id, {})
            yield (
                row.id,
                Traits(
                    names=_small([row.name], known.get("names", ())),
                    fqdns=_small([row.fqdn], known.get("fqdns", ())),
                    domains=_small([row.domain], known.get("domains", ())),
                    macs=_small([row.mac], known.get("macs", ())),
                    serials=_small(known.get("serials", ())),
                    addresses=frozenset([row.address]),
                ),
            )


def _kept_traits(connection: Connection, assets: Sequence[int]) -> dict[int, dict[str, list[str]]]:
    wanted = (
        select(TRAITS.c.asset_id, EVIDENCE_KEYS.c.key, TRAITS.c.value)
        .join(EVIDENCE_KEYS, EVIDENCE_KEYS.c.id == TRAITS.c.key_id)
        .where(TRAITS.c.asset_id.in_(list(assets)))
    )
    found: dict[int, dict[str, list[str]]] = {}
    for asset, key, value in connection.execute(wanted):
        kind = _TRAITS.get(key) or ("serials" if key.endswith(_SERIAL) else "")
        if kind:
            found.setdefault(asset, {}).setdefault(kind, []).append(value)
    return found


def _traits_of(row: Row[*tuple[Any, ...]]) -> Traits:
    """What a record is known by."""
    return Traits(
        names=_small([row.name]),
        fqdns=_small([row.fqdn]),
        domains=_small([row.domain]),
        macs=_small(json.loads(row.macs)),
        serials=_small([row.serial]),
        addresses=_small(json.loads(row.addresses)),
    )


def _small(*parts: Iterable[str]) -> frozenset[str]:
    return frozenset(value.casefold() for part in parts for value in part if value)
