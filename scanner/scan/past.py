"""What earlier scans leave to a new one: where nothing may be sent, who is known, what is left to be done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scanner.errors import ConfigError
from scanner.inventory import (
    asked_by,
    breakers_rows,
    evidence_by,
    fragile_rows,
    known_in,
    progress_in,
    visited_in,
)
from scanner.probes.snmp_tables import TABLES
from scanner.scan.lore import Lore
from scanner.scan.neighbours import MAC
from scanner.scan.request import CONNECT, Request
from scanner.scan.work import Past

if TYPE_CHECKING:
    from scanner.config import SiteFile
    from scanner.inventory import Inventory, ScanRow


def lore_of(inventory: Inventory, site: str) -> Lore:
    """Where earlier scans of a site say that nothing may be sent, and where machines are known.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    stopped = tuple(row.subnet for row in breakers_rows(inventory, site))
    fragile = tuple(row.address for row in fragile_rows(inventory, site))
    return Lore(stopped, fragile, known_in(inventory, site))


def past_of(inventory: Inventory, scan: int) -> Past:
    """What an unfinished scan has done.

    Where it came to no machine yet it was interrupted while routers were asked: they are asked again.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    done = visited_in(inventory, scan)
    routers = asked_by(inventory, scan, TABLES.name) if len(done) else frozenset()
    neighbours = evidence_by(inventory, scan, TABLES.name, MAC)
    return Past(done, routers=routers, neighbours=neighbours, **progress_in(inventory, scan))


def request_of(scan: ScanRow, asked: Request, digest: str) -> Request:
    """What an unfinished scan was asked for, to go on with it.

    Args:
        scan: the unfinished scan.
        asked: what is asked for now: nothing, or the same.
        digest: SHA-256 of the site file as it is now.

    Raises:
        ConfigError: something else is asked for, or the site file changed meanwhile.
    """
    if scan.digest != digest:
        raise ConfigError(
            "the site file changed since scan {scan} began, nothing was sent: "
            "vetuste scan --fresh begins a new one",
            scan=scan.id,
        )
    if asked.options() not in (Request().options(), scan.request):
        raise ConfigError(
            "scan {scan} was asked for something else: --resume goes on with it as it was, "
            "--fresh begins a new one",
            scan=scan.id,
        )
    return restored(scan.request, asked.site)


def restored(kept: Any, site: SiteFile | None) -> Request:  # noqa: ANN401 - JSON, written by Request.options
    """A request of what is kept of it: what :meth:`Request.options` gave."""
    return Request(
        tuple(kept["targets"]),
        site,
        tuple(kept["exclude"]),
        kept["profile"],
        kept["rate"],
        None if kept["ports"] is None else frozenset(kept["ports"]),
        kept["allow_public"],
        deep=kept.get("deep", False),
        sweep=kept.get("sweep", CONNECT),
        passive_first=kept.get("passive_first", False),
    )
