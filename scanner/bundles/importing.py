"""Importing a bundle that somebody brought: who may bring it, and what becomes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scanner.bundles.signing import demand_signed
from scanner.bundles.taking import end, key_of, take
from scanner.classify import default_classifier
from scanner.inventory import open_inventory

if TYPE_CHECKING:
    from pathlib import Path

    from scanner.bundles.reading import Bundle
    from scanner.config import SiteFile
    from scanner.inventory.carried import Taken


def import_bundle(url: str, bundle: Bundle, site: SiteFile | None, allowed: Path | None) -> Taken:
    """Take a bundle's scan, and close it as one of ours is closed.

    Args:
        url: the inventory; one that is not there is made.
        bundle: what was read.
        site: its site as it is today, where somebody knows; hosts outside of it are left out.
        allowed: whose keys count for which site; None: unsigned bundles are welcome.

    Raises:
        VetusteError: it is refused, or cannot be written; nothing was changed.
    """
    if allowed is not None:
        demand_signed(bundle, allowed)
    head, classifier = bundle.head, default_classifier()
    with open_inventory(url, create=True) as inventory:
        taken = take(inventory, bundle, site, classifier, key=key_of(head))
        if not taken.already:
            end(inventory, taken.scan, head.state, head.counts, classifier, ended=head.ended)
    return taken
