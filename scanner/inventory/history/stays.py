"""One asset's past: where it was seen when and as what, what it is known by, why it is one machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from sqlalchemy import or_, select

from scanner.addresses import address_of
from scanner.inventory.identities import from_columns
from scanner.inventory.ledger import unpacked
from scanner.inventory.rows import os_of
from scanner.inventory.tables import EVIDENCE_KEYS, IDENTITIES, SIGHTS, TIES, TRAITS, WARDS
from scanner.inventory.transactions import reading
from scanner.lifecycle import load_lifecycle

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from scanner.inventory.store import Inventory
    from scanner.model import Identity, Release

_What: TypeAlias = tuple[bytes, "int | None", int]
"""Address, ward, identity."""


@dataclass(frozen=True, slots=True)
class Stay:
    """Scans that one after the other saw an asset at one address, in one ward, as the same."""

    first: datetime
    last: datetime
    scans: int
    address: str
    ward: str
    identity: Identity
    os: str
    """What :attr:`~scanner.inventory.rows.Asset.os` says of it."""
    how: tuple[str, ...]
    """Kinds of traits by which it was known again there; after a minus, those that differed."""


@dataclass(frozen=True, slots=True)
class Trait:
    """A value by which the asset is known."""

    key: str
    """Of the evidence that said it: ``netbios.name``."""
    value: str
    first: datetime
    last: datetime
    scan: int
    """The last that heard it."""


@dataclass(frozen=True, slots=True)
class Tie:
    """A decision that two assets are one, or are two."""

    kind: str
    """``merged`` or ``split``."""
    asset: int
    other: int | None
    """The asset that was merged into ``asset``, or split from it."""
    at: datetime
    scan: int | None
    """None: somebody decided."""
    author: str
    how: str
    """What showed it: of a scan, kinds of traits; else what somebody said of it."""
    id: int
    undone: datetime | None


@dataclass(frozen=True, slots=True)
class History:
    """Everything of it, oldest first."""

    stays: tuple[Stay, ...]
    traits: tuple[Trait, ...]
    ties: tuple[Tie, ...]


def history_of(inventory: Inventory, asset_id: int) -> History:
    """The past of an asset; empty where no scan ever saw one of this id.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    with reading(inventory) as connection:
        return History(
            tuple(_stays(connection, asset_id)), _traits(connection, asset_id), _ties(connection, asset_id)
        )


def _stays(connection: Connection, asset_id: int) -> Iterator[Stay]:
    wanted = (
        select(
            *(SIGHTS.c.scan_id, SIGHTS.c.at, SIGHTS.c.packed, SIGHTS.c.ward_id, SIGHTS.c.identity_id),
            SIGHTS.c.how,
        )
        .where(SIGHTS.c.asset_id == asset_id)
        .order_by(SIGHTS.c.scan_id, SIGHTS.c.at, SIGHTS.c.packed)
    )
    by_scan: dict[int, dict[_What, datetime]] = {}
    hows: dict[_What, dict[str, None]] = {}
    for scan, at, packed, ward, identity, how in connection.execute(wanted):
        by_scan.setdefault(scan, {})[packed, ward, identity] = at
        hows.setdefault((packed, ward, identity), {}).update(dict.fromkeys(how.split()))
    folded = list(_folded(by_scan.values()))
    names: dict[int, str] = {row.id: row.name for row in connection.execute(select(WARDS.c.id, WARDS.c.name))}
    identities = _identities(connection, {what[2] for what, _ in folded})
    for (packed, ward, identity), moments in folded:
        yield Stay(
            first=min(moments),
            last=max(moments),
            scans=len(moments),
            address=address_of(unpacked(packed)),
            ward="" if ward is None else names[ward],
            identity=identities[identity],
            os=os_of(_releases(identities[identity]), identities[identity]),
            how=tuple(hows[packed, ward, identity]),
        )


def _releases(identity: Identity) -> list[Release]:
    known = load_lifecycle().releases
    return [known[name] for name in identity.candidates if name in known]


def _folded(scans: Iterable[dict[_What, datetime]]) -> Iterator[tuple[_What, list[datetime]]]:
    """What scans that follow each other say alike, in the order in which it was first said."""
    everything: list[tuple[_What, list[datetime]]] = []
    running: dict[_What, list[datetime]] = {}
    for seen in scans:
        running = {what: running.get(what, []) for what in seen}
        for what, at in seen.items():
            if not running[what]:
                everything.append((what, running[what]))
            running[what].append(at)
    yield from everything


def _identities(connection: Connection, wanted: set[int]) -> dict[int, Identity]:
    columns = (IDENTITIES.c[name] for name in ("id", "candidates", "certainty", "reasons", "attributes"))
    rows = connection.execute(select(*columns).where(IDENTITIES.c.id.in_(wanted)))
    return {number: from_columns(*stored) for number, *stored in rows}


def _traits(connection: Connection, asset_id: int) -> tuple[Trait, ...]:
    wanted = (
        select(EVIDENCE_KEYS.c.key, TRAITS.c.value, TRAITS.c.first, TRAITS.c.last, TRAITS.c.scan_id)
        .join(EVIDENCE_KEYS, EVIDENCE_KEYS.c.id == TRAITS.c.key_id)
        .where(TRAITS.c.asset_id == asset_id)
        .order_by(EVIDENCE_KEYS.c.key, TRAITS.c.first, TRAITS.c.value)
    )
    return tuple(Trait(*row) for row in connection.execute(wanted))


def _ties(connection: Connection, asset_id: int) -> tuple[Tie, ...]:
    mine = or_(TIES.c.asset_id == asset_id, TIES.c.other_id == asset_id)
    return tuple(
        Tie(
            kind=row.kind,
            asset=row.asset_id,
            other=row.other_id,
            at=row.at,
            scan=row.scan_id,
            author=row.author,
            how=row.how,
            id=row.id,
            undone=row.undone,
        )
        for row in connection.execute(select(TIES).where(mine).order_by(TIES.c.id))
    )
