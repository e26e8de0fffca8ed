"""Whether anybody still looks: when a site's last whole scan ended, and since when the next one is late."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Self

from sqlalchemy import func, select

from scanner.inventory.delivered import going_on
from scanner.inventory.order import natural
from scanner.inventory.scans import IMPORTED, scans_in
from scanner.inventory.tables import SCANS, SITES
from scanner.inventory.transactions import reading

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from scanner.config import SiteFile
    from scanner.inventory.rows import ScanRow
    from scanner.inventory.store import Inventory

_NOWHERE: Final = ("", "", timedelta(hours=192))
"""What is told of what no site file, or one that an older program read, says nothing of."""
_WHOLE: Final = (SCANS.c.state == "done", SCANS.c.profile != IMPORTED)


def last_whole_scan(inventory: Inventory, site: str) -> datetime | None:
    """When the newest scan of a site ended that came to its end; None where there is none.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    ended = select(func.max(SCANS.c.ended)).join(SITES).where(*_WHOLE, SITES.c.name == site)
    with reading(inventory) as connection:
        last: datetime | None = connection.scalar(ended)
    return last


def late_since(last: datetime | None, after: timedelta, now: datetime) -> datetime | None:
    """Since when a scan is late; None where none is, or where there never was one to be late after."""
    if last is None or last + after >= now:
        return None
    return last + after


@dataclass(frozen=True, slots=True)
class Lateness:
    """How regularly a site is scanned."""

    site: str
    establishment: str
    group: str
    after: timedelta
    """So long after its last whole scan the next one is late."""
    whole: datetime | None = None
    """When its last whole scan ended; None: there never was one."""
    since: datetime | None = None
    """Since when the next one is late; None: it is not."""
    newest: ScanRow | None = None
    """Its newest scan, however it ended; ``killed`` where it runs no more."""

    @property
    def state(self) -> str:
        """``ok``, ``late`` or ``never``."""
        if self.whole is None:
            return "never"
        return "ok" if self.since is None else "late"

    @classmethod
    def of_nobody(cls, site: str) -> Self:
        """Of a site that is not known."""
        return cls(site, *_NOWHERE)


def worst_of(rows: Iterable[Lateness]) -> str:
    """The state of the worst of them: ``never``, ``late``, ``ok``."""
    states = {row.state for row in rows}
    return next((state for state in ("never", "late") if state in states), "ok")


def lateness_rows(inventory: Inventory, now: datetime, file: SiteFile | None = None) -> tuple[Lateness, ...]:
    """How regularly each site is scanned, in the order of their names.

    What belongs to no site is judged only where there is no site; what a site file names is, even where the
    inventory does not know it yet.

    Args:
        inventory: the inventory.
        now: by which clock they are late.
        file: a site file, which says of its site what the inventory may not know yet.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    newest = select(func.max(SCANS.c.id)).where(SCANS.c.profile != IMPORTED).group_by(SCANS.c.site_id)
    ended = select(SITES.c.name, func.max(SCANS.c.ended)).join_from(SCANS, SITES).where(*_WHOLE)
    with reading(inventory) as connection:
        told = {row.name: _told(row) for row in connection.execute(select(SITES))}
        whole = {row[0]: row[1] for row in connection.execute(ended.group_by(SITES.c.name))}
        scans = {row.site: row for row in scans_in(connection, SCANS.c.id.in_(newest))}
        elsewhere = going_on(connection)
    if file is not None:
        after = timedelta(hours=file.health.late_after_hours)
        told[file.site.name] = file.site.establishment or file.site.name, file.site.group, after
    names = sorted(told.keys() - {""}, key=natural) or [""]
    return tuple(
        Lateness(
            *(name, *told.get(name, _NOWHERE), whole.get(name)),
            late_since(whole.get(name), told.get(name, _NOWHERE)[-1], now),
            _living(inventory, scans.get(name), elsewhere),
        )
        for name in names
    )


def _told(row: Any) -> tuple[str, str, timedelta]:  # noqa: ANN401 - a row of the table
    """Establishment, group, and after how long the next scan is late."""
    hours = json.loads(row.settings).get("late_after_hours")
    after = _NOWHERE[-1] if hours is None else timedelta(hours=hours)
    return row.establishment or row.name, row.group, after


def _living(inventory: Inventory, scan: ScanRow | None, elsewhere: frozenset[int]) -> ScanRow | None:
    if scan is None or scan.state != "running" or scan.id in elsewhere:
        return scan
    if inventory.database.lock(scan.id).held():
        return scan
    return replace(scan, state="killed")
