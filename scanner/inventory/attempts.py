"""Writing the ledger: one row an attempt, millions a year, so each is small and made with little work."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import func, select

from scanner.inventory.merging import pack_address
from scanner.inventory.statements import insert_rows
from scanner.inventory.tables import LEDGER

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from scanner.inventory.interning import Numbers
    from scanner.model import Attempt

_MILLISECOND: Final = timedelta(milliseconds=1)


@dataclass(slots=True)
class LedgerWriter:
    """The writer of one scan's attempts."""

    scan_id: int
    started: datetime
    numbers: Numbers
    _last: int | None = None
    """The number of the last attempt that was written; not known before the first batch."""

    def write(self, connection: Connection, attempts: Sequence[Attempt]) -> set[bytes]:
        """Add a batch, in the order in which it was handed over; gives its addresses."""
        if self._last is None:
            before = select(func.max(LEDGER.c.n)).where(LEDGER.c.scan_id == self.scan_id)
            self._last = connection.scalar(before) or 0
        values: list[object] = []
        asked: set[bytes] = set()
        for n, attempt in enumerate(attempts, start=self._last + 1):
            end = attempt.endpoint
            address = pack_address(end.address)
            asked.add(address)
            kind = (attempt.probe, end.transport.value, end.port, end.service, attempt.outcome.value)
            kind_id = self.numbers.kind(connection, kind)
            after = (attempt.at - self.started) // _MILLISECOND
            values += (self.scan_id, address, n, after, kind_id, attempt.sent, attempt.received)
        insert_rows(connection, LEDGER, values)
        self._last += len(attempts)
        return asked
