"""Recording what a register says: its records, which assets they are, and what those are then."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Final, Self

from scanner.inventory.records.keeping import Kept, keep_records, mark_gone, run_of
from scanner.inventory.records.record import Record
from scanner.inventory.records.settling import settle_records
from scanner.inventory.transactions import writing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scanner.classify import Classifier
    from scanner.inventory import Inventory

_IN_MEMORY: Final = 16 << 20
"""Bytes of records that touch no disk."""


@dataclass(slots=True)
class RegisterTally:
    """What became of the file of a register."""

    records: int = 0
    new: int = 0
    matched: int = 0
    """Records of the site, of whatever register, that are an asset now."""
    changed: int = 0
    """Assets that are seen otherwise now."""
    gone: int = 0
    undated: int = 0
    """Records without a last contact, which narrow nothing."""
    domains: set[str] = field(default_factory=set)

    def counts(self) -> dict[str, int]:
        """The numbers that are kept with the import."""
        names = ("records", "new", "matched", "changed", "gone", "undated")
        return {name: getattr(self, name) for name in names}


class Spool:
    """Records on their way, however many; a context manager that leaves no file behind."""

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - closed at the end of the context
        self.tally = RegisterTally()

    def add(self, record: Record) -> None:
        """Keep a record.

        Raises:
            OSError: the disk for temporary files (TMPDIR) is full.
        """
        self.tally.records += 1
        self.tally.undated += record.contact is None
        self.tally.domains.add(record.domain)
        contact = None if record.contact is None else record.contact.isoformat()
        self._file.write(json.dumps({**asdict(record), "contact": contact}).encode() + b"\n")

    def records(self) -> Iterator[Record]:
        """All of them, in the order in which they came."""
        self._file.seek(0)
        for line in self._file:
            values = json.loads(line)
            contact = values["contact"] and datetime.fromisoformat(values["contact"])
            lists = {name: tuple(values[name]) for name in ("macs", "addresses")}
            yield Record(**{**values, **lists, "contact": contact})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


@dataclass(frozen=True, slots=True)
class Registering:
    """Where the records of a file go."""

    inventory: Inventory
    register: str
    scan_id: int
    at: datetime
    classifier: Classifier

    def record(self, spool: Spool, *, whole: bool) -> RegisterTally:
        """Write all records in one transaction, and match them.

        Args:
            spool: the records.
            whole: whether they are all that the register has of their domains: what it had before and has no
                more is marked as gone then.

        Raises:
            InventoryError: the inventory cannot be written; nothing of the file is kept then.
        """
        tally = spool.tally
        with writing(self.inventory) as connection:
            run = run_of(connection, self.register, self.scan_id, self.at)
            kept: Kept = keep_records(connection, run, spool.records())
            tally.new = kept.new
            if whole and tally.records:
                tally.gone = mark_gone(connection, run, tally.domains)
            matched, tally.changed = settle_records(connection, run.site_id, self.classifier)
            tally.matched = matched.records
        return tally
