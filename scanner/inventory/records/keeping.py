"""Writing the records of a register: each once, however often it is imported."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, insert, select, update

from scanner.inventory.tables import RECORDS, SCANS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from scanner.inventory.records.record import Record

_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Run:
    """One import of a register's file."""

    site_id: int
    register: str
    scan_id: int
    at: datetime


@dataclass(slots=True)
class Kept:
    """How many records came, stayed and went."""

    new: int = 0
    known: int = 0
    gone: int = 0


def run_of(connection: Connection, register: str, scan_id: int, at: datetime) -> Run:
    """The run of an import, whose scan is begun."""
    site_id = connection.execute(select(SCANS.c.site_id).where(SCANS.c.id == scan_id)).scalar_one()
    return Run(site_id, register, scan_id, at)


def keep_records(connection: Connection, run: Run, records: Iterable[Record]) -> Kept:
    """Write records, those that are known over what was known of them; matching is left as it was."""
    kept, everything = Kept(), iter(records)
    while batch := {record.own_id: record for record in islice(everything, _AT_ONCE)}:
        known = _known(connection, run, batch.keys())
        new = [{**_columns(record), **_new(run, record)} for own, record in batch.items() if own not in known]
        again = [{**_columns(batch[own]), **_seen(run), "row": row} for own, row in known.items()]
        if new:
            connection.execute(insert(RECORDS), new)
        if again:
            connection.execute(update(RECORDS).where(RECORDS.c.id == bindparam("row")), again)
        kept.new += len(new)
        kept.known += len(again)
    return kept


def mark_gone(connection: Connection, run: Run, domains: AbstractSet[str] | None) -> int:
    """Mark what a whole file did not have any more; gives how many.

    Args:
        connection: in a write transaction.
        run: the import, whose records are written.
        domains: only records of these domains can be missing from the file; None: any.
    """
    missing = [
        RECORDS.c.site_id == run.site_id,
        RECORDS.c.register == run.register,
        RECORDS.c.scan_id != run.scan_id,
        RECORDS.c.gone.is_(None),
    ]
    if domains is not None:
        missing.append(RECORDS.c.domain.in_(sorted(domains)))
    return connection.execute(update(RECORDS).where(*missing).values(gone=run.at)).rowcount


def release_records(connection: Connection, assets: Iterable[int]) -> None:
    """Let records go of assets that are about to be taken away; they are matched anew later."""
    theirs = RECORDS.c.asset_id.in_(list(assets))
    connection.execute(update(RECORDS).where(theirs).values(asset_id=None, matching="[]"))


def _known(connection: Connection, run: Run, own_ids: AbstractSet[str]) -> dict[str, int]:
    wanted = select(RECORDS.c.own_id, RECORDS.c.id).where(
        RECORDS.c.site_id == run.site_id,
        RECORDS.c.register == run.register,
        RECORDS.c.own_id.in_(sorted(own_ids)),
    )
    return {row.own_id: row.id for row in connection.execute(wanted)}


def _seen(run: Run) -> dict[str, Any]:
    return {"last_seen": run.at, "scan_id": run.scan_id, "gone": None}


def _new(run: Run, record: Record) -> dict[str, Any]:
    own = {"site_id": run.site_id, "register": run.register, "own_id": record.own_id}
    return {**own, **_seen(run), "first_seen": run.at, "matching": "[]"}


def _columns(record: Record) -> dict[str, Any]:
    texts = ("name", "fqdn", "domain", "system", "version", "serial")
    return {
        **{name: getattr(record, name) for name in texts},
        "macs": json.dumps(record.macs),
        "addresses": json.dumps(record.addresses),
        "enabled": None if record.enabled is None else int(record.enabled),
        "managed": None if record.managed is None else int(record.managed),
        "contact": record.contact,
        "facts": json.dumps(dict(record.facts), ensure_ascii=False, sort_keys=True),
    }
