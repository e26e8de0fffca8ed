"""Writing a scan as it goes: one writer, one transaction a batch; readers never wait for it."""

from __future__ import annotations

import json
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from sqlalchemy import update

from scanner.errors import InventoryError
from scanner.inventory.beginning import Intent, begin_scan
from scanner.inventory.breakers import keep_trip
from scanner.inventory.interning import Numbers
from scanner.inventory.phantoms import settle_phantoms
from scanner.inventory.places import keep_site
from scanner.inventory.tables import SCANS
from scanner.inventory.transactions import writing
from scanner.inventory.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from types import TracebackType

    from scanner.addresses import Span
    from scanner.config import SiteFile
    from scanner.inventory.store import Inventory
    from scanner.model import Attempt, HostRecord, Trip


class Recorder:
    """One scan being written.

    What is handed over is in the file within a fraction of a second, and stays there whatever becomes of the
    scan. Until :meth:`finish`, or the death of this process, no other scan comes to the same hosts. Used as a
    context manager, it closes the scan as ``done``, or as ``interrupted`` or ``failed`` by what ended it,
    where nobody called :meth:`finish`.
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
        request: Mapping[str, object] | None = None,
        digest: str = "",
        spans: Sequence[Span] = (),
        resumed: int | None = None,
    ) -> None:
        """Write the site as its file says it, and the scan's beginning.

        Args:
            inventory: where to.
            site: the site file; None: everything goes to the site without a name.
            profile: how carefully it scans.
            scope: what was asked for, to be read by people.
            versions: what makes the scan: ``vetuste``, and ``data``, the version of fingerprints and dates.
            started: when, aware.
            request: what was asked for, as JSON has it, to be asked for again where the scan is resumed.
            digest: SHA-256 of the site file's bytes; empty without one.
            spans: the addresses that the scan comes to.
            resumed: an unfinished scan to go on with; of its row only versions and state change, and the
                addresses, where some are given.

        Raises:
            InventoryError: the inventory cannot be written, or a living scan comes to the same addresses.
        """
        self._inventory = inventory
        intent = Intent(profile, scope, versions, started, request or {}, digest, spans)
        with ExitStack() as undo:
            with writing(inventory) as connection:
                site_id, wards = keep_site(connection, site)
                self.scan_id, since = begin_scan(connection, inventory.database, site_id, intent, resumed)
                self._lock = inventory.database.lock(self.scan_id)
                self._lock.take()
                undo.callback(self._lock.release)
            self._site_id = site_id
            self._writer = Writer(
                inventory, self.scan_id, since, Numbers(site_id, versions.get("data", ""), wards)
            )
            undo.pop_all()
        self._finished = False

    def record(self, host: HostRecord) -> None:
        """Keep what was learnt of one address.

        Raises:
            InventoryError: what was handed over before could not be written; what was committed is kept.
        """
        if host.observations:
            self._writer.add(host)

    def sent(self, attempts: Iterable[Attempt]) -> None:
        """Keep what was sent, in the order in which it was; its addresses count as asked."""
        self._writer.sent(attempts)

    def visited(self, number: int) -> None:
        """Note that the scan is done with an address, by its place on the number line.

        What was handed over before comes into the file with it, each time a batch is full.

        Raises:
            InventoryError: what was handed over could not be written; what was committed is kept.
        """
        self._writer.visited(number)

    def trip(self, trip: Trip) -> None:
        """Keep a decision of the circuit breaker, at once; the hosts that fell are fragile from now on.

        Raises:
            InventoryError: it could not be written.
        """
        with writing(self._inventory) as connection:
            keep_trip(connection, self._site_id, self.scan_id, trip)

    def write_due(self) -> None:
        """Write what has waited long enough; to be called a few times a second while a scan goes on.

        Raises:
            InventoryError: it could not be written; what was committed is kept.
        """
        self._writer.write_due()

    def settle_phantoms(self) -> int:
        """Take away what the scan took for machines, and what is only answered for by something else.

        Returns:
            How many addresses that are.

        Raises:
            InventoryError: what was handed over, or this, could not be written.
        """
        self._writer.write()
        with writing(self._inventory) as connection:
            return settle_phantoms(connection, self._site_id, self.scan_id)

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
        row = {
            "state": state,
            "counts": json.dumps(dict(counts or {})),
            "ended": ended or datetime.now(UTC),
        }
        with ExitStack() as last:
            last.callback(self._lock.release)
            self._writer.finish()
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
