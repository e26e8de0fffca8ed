"""Taking what a bundle brings into an inventory."""

from __future__ import annotations

import json
from datetime import UTC
from typing import TYPE_CHECKING

from scanner.errors import DataError
from scanner.inventory import settle_registers
from scanner.inventory.carried import Carried
from scanner.inventory.findings.today import settle
from scanner.inventory.taking import end_scan, take_scan
from scanner.inventory.utc import stamp

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from scanner.bundles.reading import Bundle
    from scanner.classify import Classifier
    from scanner.config import SiteFile
    from scanner.inventory import Inventory
    from scanner.inventory.carried import Taken
    from scanner.inventory.giving import Head


def key_of(head: Head) -> str:
    """What a scan is known by, in whatever inventory: its site, and when it began."""
    return json.dumps([head.name, stamp(head.started.astimezone(UTC))], ensure_ascii=False)


def take(  # noqa: PLR0913 - each by name
    inventory: Inventory,
    bundle: Bundle,
    site: SiteFile | None,
    classifier: Classifier,
    *,
    key: str,
    scan: int | None = None,
    part: bool = False,
) -> Taken:
    """Write down what a bundle brings: all of it in one transaction, or nothing.

    Args:
        inventory: where to.
        bundle: what was read; its stream is read once more.
        site: its site as this side knows it: hosts outside of its wards are left out. None: as the bundle
            says.
        classifier: makes identities of the evidence.
        key: what it is known by; where that was taken before, nothing is changed.
        scan: a scan of ours that it is a part of; None: it becomes one of its own.
        part: whether more parts may come: that scan goes on until :func:`end`.

    Raises:
        DataError: it is of another site, of the future, older than a scan of the same addresses, or was
            changed since it was read.
        InventoryError: the inventory cannot be written.
    """
    if site is not None and site.site.name != bundle.head.name:
        raise DataError(
            "the bundle is of {theirs}, and not of {site}",
            theirs=repr(bundle.head.name),
            site=repr(site.site.name),
        )
    here = site is not None
    carried = Carried(bundle.head, bundle.digest, key, site if here else bundle.file, here, part)
    return take_scan(inventory, carried, bundle.items, classifier, scan)


def end(  # noqa: PLR0913 - each by name
    inventory: Inventory,
    scan: int,
    state: str,
    counts: Mapping[str, int],
    classifier: Classifier,
    *,
    ended: datetime | None,
) -> None:
    """Close a scan that was taken, as one of ours is closed: phantoms, registers, findings.

    Args:
        inventory: where it is.
        scan: its id.
        state: ``done``, ``interrupted``, ``failed`` or ``killed``.
        counts: what it says of itself.
        classifier: makes identities of the evidence.
        ended: when; None: nobody knows.

    Raises:
        InventoryError: the inventory cannot be written.
    """
    end_scan(inventory, scan, state, counts, ended)
    settle_registers(inventory, classifier)
    settle(inventory)
