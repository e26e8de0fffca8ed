"""Writing a scan in batches: each one transaction, made when it is large enough or has waited long enough.

No thread: beside a busy event loop one costs hand-overs of Python's global lock, and gains nothing. A batch
takes some fiftieths of a second, in which nothing is sent; what arrives waits in the kernel.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from scanner.errors import InventoryError
from scanner.inventory.answers import pack
from scanner.inventory.transactions import translated

if TYPE_CHECKING:
    from scanner.inventory.batch import BatchWriter
    from scanner.inventory.coverage import Blocks, CoverageWriter
    from scanner.inventory.store import Inventory
    from scanner.model import HostRecord

BATCH: Final = 500
"""Hosts that are enough for a transaction."""
INTERVAL: Final = 1.0
"""Seconds after which fewer are enough."""


class Writer:
    """The hosts and addresses of one scan that wait to be written, and the connection that writes them.

    After an error nothing more is written: what was committed before is kept.
    """

    def __init__(self, inventory: Inventory, batches: BatchWriter, coverage: CoverageWriter) -> None:
        self._path, self._batches, self._coverage = inventory.path, batches, coverage
        self._hosts: list[HostRecord] = []
        self._asked: Blocks = {}
        self._error: InventoryError | None = None
        self._written = time.monotonic()
        with translated(self._path):
            self._connection = inventory.engine.connect().execution_options(immediate=True)

    def add(self, host: HostRecord) -> None:
        """Take a host over, and write the batch that it fills.

        Raises:
            InventoryError: the batch, or one before, could not be written.
        """
        self._hosts.append(host)
        if len(self._hosts) >= BATCH or self._error:
            self.write()

    def mark(self, version: int, address: int) -> None:
        """Note that an address was asked."""
        block = (version, address >> 8)
        self._asked[block] = self._asked.get(block, 0) | 1 << (address & 0xFF)

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
        hosts, asked = self._hosts, self._asked
        self._hosts, self._asked = [], {}
        if hosts or asked:
            packed = [(host, tuple(pack(seen.raw) for seen in host.observations)) for host in hosts]
            try:
                with translated(self._path), self._connection.begin():
                    self._batches.write(self._connection, packed)
                    self._coverage.write(self._connection, asked)
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
