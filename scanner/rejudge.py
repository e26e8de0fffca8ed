"""``rejudge``: stored evidence against today's fingerprints. Nothing is sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scanner.inventory.restating import Restating

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scanner.classify import Classifier
    from scanner.inventory import Inventory
    from scanner.model import Identity


@dataclass(frozen=True, slots=True)
class Change:
    """One asset that today's data sees otherwise."""

    asset: int
    address: str
    site: str
    ward: str
    before: Identity
    after: Identity


def rejudge(inventory: Inventory, classifier: Classifier, *, dry_run: bool = False) -> Iterator[Change]:
    """Classify again all that is stored and keep the outcome, a batch at a time, as it is iterated.

    Only what the fingerprints say can change: dates and paid extensions are applied whenever someone reads.
    Readers go on meanwhile; of what a scan writes meanwhile nothing is overwritten.

    Args:
        inventory: where the evidence is.
        classifier: today's fingerprints.
        dry_run: only say what would change.

    Yields:
        The assets whose candidates, certainty or attributes change.

    Raises:
        InventoryError: the inventory cannot be read or written; the batches before are kept.
    """
    restating = Restating(inventory, classifier.version)
    for batch in restating.stated():
        judged = [(old, classifier.classify(old.evidence)) for old in batch]
        if not dry_run:
            restating.restate(judged)
        for old, after in judged:
            before = old.known.identity
            if _told(before) != _told(after):
                yield Change(old.asset, old.address, old.site, old.ward, before, after)


def _told(identity: Identity) -> tuple[object, ...]:
    return identity.candidates, identity.certainty, dict(identity.attributes)
