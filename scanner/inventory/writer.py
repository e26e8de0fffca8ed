"""The thread that writes a scan's batches."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from scanner.errors import InventoryError
from scanner.inventory.transactions import translated

if TYPE_CHECKING:
    from scanner.inventory.batch import BatchWriter, Packed
    from scanner.inventory.coverage import Blocks, CoverageWriter
    from scanner.inventory.store import Inventory

BATCH: Final = 500
"""Hosts that are enough for a transaction."""
INTERVAL: Final = 1.0
"""Seconds after which fewer are enough."""
MOST: Final = 4000
"""Hosts that may wait; who brings more waits as well."""
PATIENCE: Final = 30.0
"""Seconds that one may be made to wait, longer than the database waits for a lock."""


class WriterThread(threading.Thread):
    """Takes hosts and addresses from the scan and writes them, until it is told to finish or cannot go on."""

    def __init__(self, inventory: Inventory, batches: BatchWriter, coverage: CoverageWriter) -> None:
        super().__init__(name="inventory writer", daemon=True)
        self._inventory, self._batches, self._coverage = inventory, batches, coverage
        self._condition = threading.Condition()
        self._hosts: list[Packed] = []
        self._asked: Blocks = {}
        self._closing = self._complete = False
        self._error: InventoryError | None = None

    def add(self, host: Packed) -> None:
        """Hand over a host.

        Raises:
            InventoryError: the writer cannot go on, or is far behind.
        """
        with self._condition:
            self._hosts.append(host)
            if len(self._hosts) == BATCH:
                self._condition.notify_all()
            elif len(self._hosts) > MOST:
                self._condition.wait_for(lambda: len(self._hosts) <= MOST or not self.is_alive(), PATIENCE)
            late = len(self._hosts) > MOST
        if late or not self.is_alive():
            self._complain()

    def mark(self, version: int, address: int) -> None:
        """Note that an address was asked.

        Raises:
            InventoryError: the writer cannot go on: nothing more should be asked.
        """
        block = (version, address >> 8)
        with self._condition:
            self._asked[block] = self._asked.get(block, 0) | 1 << (address & 0xFF)
        if not self.is_alive():
            self._complain()

    def finish(self) -> None:
        """Write what is left, and end.

        Raises:
            InventoryError: it could not.
        """
        with self._condition:
            self._closing = True
            self._condition.notify_all()
        self.join()
        if not self._complete:
            self._complain()

    def run(self) -> None:
        """Write batch after batch on one connection."""
        try:
            with translated(self._inventory.path), self._inventory.engine.connect() as opened:
                connection = opened.execution_options(immediate=True)
                while not self._complete:
                    hosts, asked, last = self._take()
                    if hosts or asked:
                        with connection.begin():
                            self._batches.write(connection, hosts)
                            self._coverage.write(connection, asked)
                    self._complete = last
        except InventoryError as error:
            self._error = error
        finally:
            with self._condition:
                self._condition.notify_all()

    def _take(self) -> tuple[list[Packed], Blocks, bool]:
        """What waits, as soon as it is worth a transaction; and whether nothing more will come."""
        with self._condition:
            self._condition.wait_for(lambda: self._closing or len(self._hosts) >= BATCH, INTERVAL)
            taken = (self._hosts, self._asked, self._closing)
            self._hosts, self._asked = [], {}
            self._condition.notify_all()
            return taken

    def _complain(self) -> None:
        raise self._error or InventoryError(
            "the inventory does not keep up with the scan: what was recorded before is kept"
        )
