"""Writing a scan as it goes: one writer, one transaction a batch; readers never wait for it."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from sqlalchemy import insert, update

from scanner.errors import InventoryError
from scanner.inventory.batch import BatchWriter
from scanner.inventory.coverage import CoverageWriter
from scanner.inventory.interning import Numbers
from scanner.inventory.places import keep_site
from scanner.inventory.tables import SCANS
from scanner.inventory.transactions import writing
from scanner.inventory.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from scanner.config import SiteFile
    from scanner.inventory.store import Inventory
    from scanner.model import HostRecord


class Recorder:
    """One scan being written.

    What is handed over is in the file within a second or so, and stays there whatever becomes of the scan.
    Used as a context manager, it closes the scan as ``done``, or as ``interrupted`` or ``failed`` by what
    ended it, where nobody called :meth:`finish`.
    """

    def __init__(  # noqa: PLR0913 - what a scan's row says, each by name
        self,
        inventory: Inventory,
        site: SiteFile | None,
        *,
        profile: str,
        scope: str,
        versions: Mapping[str, str],
        started: datetime,
    ) -> None:
        """Write the site as its file says it, and the scan's beginning.

        Args:
            inventory: where to.
            site: the site file; None: everything goes to the site without a name.
            profile: how carefully it scans.
            scope: what was asked for, to be read by people.
            versions: what makes the scan: ``vetuste``, and ``data``, the version of fingerprints and dates.
            started: when, aware.

        Raises:
            InventoryError: the inventory cannot be written.
        """
        self._inventory = inventory
        with writing(inventory) as connection:
            site_id, wards = keep_site(connection, site)
            row = {
                "site_id": site_id,
                "started": started,
                "state": "running",
                "profile": profile,
                "scope": scope,
                "versions": json.dumps(dict(versions)),
                "counts": "{}",
            }
            self.scan_id: int = connection.execute(
                insert(SCANS).values(row).returning(SCANS.c.id)
            ).scalar_one()
        numbers = Numbers(site_id, versions.get("data", ""), wards)
        self._writer = Writer(
            inventory, BatchWriter(self.scan_id, numbers), CoverageWriter(site_id, self.scan_id)
        )
        self._finished = False

    def record(self, host: HostRecord) -> None:
        """Keep what was learnt of one address; each time a batch is full, it is written.

        Raises:
            InventoryError: what was handed over before could not be written; what was committed is kept.
        """
        if host.observations:
            self._writer.add(host)

    def asked(self, address: int, version: int = 4) -> None:
        """Note that something is sent to an address, given as a number of IP version 4 or 6."""
        self._writer.mark(version, address)

    def write_due(self) -> None:
        """Write what has waited for a second or more; to be called now and then while a scan goes on.

        Raises:
            InventoryError: it could not be written; what was committed is kept.
        """
        self._writer.write_due()

    def finish(
        self, state: str = "done", counts: Mapping[str, int] | None = None, *, ended: datetime | None = None
    ) -> None:
        """Write what is left and close the scan.

        Args:
            state: ``done``, ``interrupted`` or ``failed``.
            counts: what the scan says of itself.
            ended: when; now, if it is not said.

        Raises:
            InventoryError: something could not be written; what was committed is kept.
        """
        self._finished = True
        self._writer.finish()
        row = {
            "state": state,
            "counts": json.dumps(dict(counts or {})),
            "ended": ended or datetime.now(UTC),
        }
        with writing(self._inventory) as connection:
            connection.execute(update(SCANS).where(SCANS.c.id == self.scan_id).values(row))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._finished:
            return
        if kind is None:
            self.finish()
            return
        with suppress(InventoryError):  # the error that is on its way says more
            self.finish("failed" if issubclass(kind, Exception) else "interrupted")
