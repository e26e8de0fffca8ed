"""The rows that campaigns seal: one declared list of tables, each in its canonical order.

What is sealed is never changed afterwards. So an observation is sealed without the number of its asset
(people merge and split assets), and of what changes in place, only its history may stand here.
Another table is one more entry in :data:`SEALED`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from sqlalchemy import Text, select, tuple_, type_coerce

from scanner.addresses import IPV6_END, AddressSet, address_of, number_of
from scanner.inventory.answers import unpack
from scanner.inventory.blocks import number_of_block
from scanner.inventory.evidence import values_of
from scanner.inventory.ledger import unpacked
from scanner.inventory.tables import (
    ASSETS,
    FINDING_CHANGES,
    FINDINGS,
    LEDGER,
    LEDGER_KINDS,
    OBSERVATIONS,
    VISITS,
)
from scanner.inventory.transactions import reading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Select
    from sqlalchemy.engine import Connection

    from scanner.addresses import Span
    from scanner.inventory.store import Inventory

_PAGE: Final = 2000
"""Rows that are read in one transaction."""
_BLOCK: Final = 256

SealedRow: TypeAlias = "tuple[dict[str, Any], tuple[bytes, ...]]"
"""A row as it is sealed, and the raw answers whose digest is to be sealed with it."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Which rows belong to a campaign."""

    site_id: int
    scans: tuple[int, ...]
    closed: datetime
    """Of a history: what is later does not belong to it."""
    spans: tuple[Span, ...] | None
    """The addresses; None: all."""


@dataclass(frozen=True, slots=True)
class SealedTable:
    """A table that campaigns seal."""

    name: str
    wanted: Select[Any]
    """Its columns, those of its key by their names."""
    key: tuple[ColumnElement[Any], ...]
    """What orders the rows of a run, and tells them apart: the rest of an index that begins with the run."""
    runs: Callable[[Bounds], Sequence[ColumnElement[bool]]]
    """What belongs to the campaign: runs of rows, one after the other, each by its condition."""
    shape: Callable[[Connection, Sequence[Mapping[str, Any]]], Iterable[SealedRow]]
    """What of each row is sealed."""
    place: Callable[[Mapping[str, Any]], Span]
    """The addresses that a row is about."""


def sealed_rows(inventory: Inventory, table: SealedTable, bounds: Bounds) -> Iterator[SealedRow]:
    """The rows of a table that belong to a campaign, in canonical order; a few thousand in memory.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    within = None if bounds.spans is None else AddressSet(bounds.spans)
    for run in table.runs(bounds):
        yield from _run(inventory, table, run, within)


def _run(
    inventory: Inventory, table: SealedTable, run: ColumnElement[bool], within: AddressSet | None
) -> Iterator[SealedRow]:
    page = table.wanted.where(run).order_by(*table.key).limit(_PAGE)
    names = [str(column.key) for column in table.key]
    after: list[Any] = []
    while True:
        asked = page.where(tuple_(*table.key) > tuple_(*after)) if after else page
        with reading(inventory) as connection:
            result = connection.execute(asked)
            columns = tuple(result.keys())  # a million rows by result.mappings() take twice as long
            rows = [dict(zip(columns, row, strict=True)) for row in result.all()]
            mine = [row for row in rows if within is None or any(within.overlapping(*table.place(row)))]
            found = list(table.shape(connection, mine))
        yield from found
        if len(rows) < _PAGE:
            return
        after = [rows[-1][name] for name in names]


_OBSERVATION: Final = ("address", "port", "transport", "service", "probe", "outcome", "detail", "connections")


def _observations(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> Iterator[SealedRow]:
    evidence = values_of(connection, [row["id"] for row in rows])
    for row in rows:
        value = {name: row[name] for name in _OBSERVATION}
        value |= {"id": row["id"], "scan": row["scan_id"], "at": row["stamp"]}
        value["evidence"] = evidence.get(row["id"], {})
        yield value, unpack(row["raw"])


_ATTEMPT: Final = ("n", "at", "probe", "transport", "port", "service", "outcome", "sent", "received")


def _attempts(_: Connection, rows: Sequence[Mapping[str, Any]]) -> Iterator[SealedRow]:
    for row in rows:
        value = {name: row[name] for name in _ATTEMPT}
        value |= {"scan": row["scan_id"], "address": address_of(unpacked(row["address"]))}
        yield value, ()


def _visits(_: Connection, rows: Sequence[Mapping[str, Any]]) -> Iterator[SealedRow]:
    for row in rows:
        bits = {name: row[name].hex() for name in ("block", "addresses")}
        yield {"scan": row["scan_id"], "version": row["version"], **bits}, ()


_CHANGE: Final = ("author", "before", "after", "reason", "note")


def _changes(_: Connection, rows: Sequence[Mapping[str, Any]]) -> Iterator[SealedRow]:
    """Without the number of the finding: people merge the assets that findings are of."""
    for row in rows:
        yield {"id": row["id"], "at": row["stamp"], **{name: row[name] for name in _CHANGE}}, ()


def _of_block(row: Mapping[str, Any]) -> Span:
    first = number_of_block(row["version"], row["block"])
    return first, first + _BLOCK - 1


SEALED: Final = (
    SealedTable(
        "observations",
        select(
            *(column for column in OBSERVATIONS.c if column is not OBSERVATIONS.c.at),
            type_coerce(OBSERVATIONS.c.at, Text).label("stamp"),
        ),
        (OBSERVATIONS.c.id,),
        lambda bounds: [OBSERVATIONS.c.scan_id.in_(bounds.scans)],
        _observations,
        lambda row: (number_of(row["address"]),) * 2,
    ),
    SealedTable(
        "ledger",
        select(LEDGER, *(LEDGER_KINDS.c[name] for name in _ATTEMPT if name in LEDGER_KINDS.c)).join(
            LEDGER_KINDS
        ),
        (LEDGER.c.address, LEDGER.c.n),
        lambda bounds: [LEDGER.c.scan_id == scan for scan in bounds.scans],
        _attempts,
        lambda row: (unpacked(row["address"]),) * 2,
    ),
    SealedTable(
        "visits",
        select(VISITS),
        (VISITS.c.version, VISITS.c.block),
        lambda bounds: [VISITS.c.scan_id == scan for scan in bounds.scans],
        _visits,
        _of_block,
    ),
    SealedTable(
        "findings",
        select(
            *(FINDING_CHANGES.c[name] for name in ("id", *_CHANGE)),
            type_coerce(FINDING_CHANGES.c.at, Text).label("stamp"),
        )
        .join(FINDINGS, FINDINGS.c.id == FINDING_CHANGES.c.finding_id)
        .join(ASSETS, ASSETS.c.id == FINDINGS.c.asset_id),
        (FINDING_CHANGES.c.id,),
        lambda bounds: [(ASSETS.c.site_id == bounds.site_id) & (FINDING_CHANGES.c.at <= bounds.closed)],
        _changes,
        lambda _: (0, IPV6_END),  # of a machine, wherever it was
    ),
)
"""Everything that campaigns seal, in the order of their chain."""
