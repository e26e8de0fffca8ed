"""Writing a scan in batches: each one transaction, made when it is large enough or has waited long enough.

No thread: beside a busy event loop one costs hand-overs of Python's global lock, and gains nothing. A batch
takes some fiftieths of a second, in which nothing is sent; what arrives waits in the kernel.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from scanner.errors import InventoryError
from scanner.inventory.answers import pack
from scanner.inventory.attempts import LedgerWriter
from scanner.inventory.batch import BatchWriter
from scanner.inventory.coverage import Marks
from scanner.inventory.ledger import unpacked
from scanner.inventory.tables import COVERAGE, VISITS
from scanner.inventory.transactions import translated

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from scanner.inventory.interning import Numbers
    from scanner.inventory.store import Inventory
    from scanner.model import Attempt, HostRecord

BATCH: Final = 500
"""Visits that are enough for a transaction."""
INTERVAL: Final = 0.2
"""Seconds after which fewer are enough."""


class Writer:
    """What one scan has found and not yet written, and the connection that writes it.

    A batch that is full ends behind a visit, so that all that was handed over before is in it: what is said
    to be done is there. After an error nothing more is written: what was committed before is kept.
    """

    def __init__(self, inventory: Inventory, scan_id: int, started: datetime, numbers: Numbers) -> None:
        self._database = inventory.database
        self._batches = BatchWriter(scan_id, numbers)
        self._ledger = LedgerWriter(scan_id, started, numbers)
        self._asked, self._visits = Marks(COVERAGE, numbers.site_id), Marks(VISITS, scan_id)
        self._hosts: list[HostRecord] = []
        self._attempts: list[Attempt] = []
        self._visited = 0
        self._error: InventoryError | None = None
        self._written = time.monotonic()
        with translated(self._database):
            opened = inventory.engine.connect()
            self._connection = opened.execution_options(immediate=True, recording=True)

    def add(self, host: HostRecord) -> None:
        """Take a host over.

        Raises:
            InventoryError: a batch before could not be written.
        """
        self._hosts.append(host)
        if self._error:
            raise self._error

    def sent(self, attempts: Iterable[Attempt]) -> None:
        """Take attempts over."""
        self._attempts += attempts

    def visited(self, number: int) -> None:
        """Note that an address is done, and write the batch that it fills.

        Raises:
            InventoryError: the batch, or one before, could not be written.
        """
        self._visits.mark(number)
        self._visited += 1
        if self._visited >= BATCH or self._error:
            self.write()

    def write_due(self) -> None:
        """Write what has waited long enough.

        Raises:
            InventoryError: it, or a batch before, could not be written.
        """
        if time.monotonic() - self._written >= INTERVAL:
            self.write()

    def write(self) -> None:
        """Write everything that waits.

        Raises:
            InventoryError: it, or a batch before, could not be written.
        """
        if self._error:
            raise self._error
        hosts, attempts, visited = self._hosts, self._attempts, self._visited
        self._hosts, self._attempts, self._visited = [], [], 0
        if hosts or attempts or visited:
            packed = [(host, tuple(pack(seen.raw) for seen in host.observations)) for host in hosts]
            try:
                with translated(self._database), self._connection.begin():
                    self._batches.write(self._connection, packed)
                    for address in self._ledger.write(self._connection, attempts):
                        self._asked.mark(unpacked(address))
                    self._asked.write(self._connection)
                    self._visits.write(self._connection)
            except InventoryError as error:
                self._error = error
                raise
        self._written = time.monotonic()

    def finish(self) -> None:
        """Write what is left, and let the file go.

        Raises:
            InventoryError: it, or a batch before, could not be written.
        """
        try:
            self.write()
        finally:
            self._connection.close()
