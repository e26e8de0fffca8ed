"""Matching a site's records, and classifying anew the assets that it concerns; to be done after each scan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, select, update

from scanner.inventory.evidence import evidence_of
from scanner.inventory.interning import Numbers
from scanner.inventory.records.matching import match_records
from scanner.inventory.tables import ASSETS, IDENTITIES, RECORDS
from scanner.inventory.transactions import reading, writing

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from scanner.classify import Classifier
    from scanner.inventory.records.matching import Matched
    from scanner.inventory.store import Inventory

_AT_ONCE: Final = 500


def settle_registers(inventory: Inventory, classifier: Classifier) -> None:
    """Settle the records of every site that has any: assets may have come since, or said something new.

    Raises:
        InventoryError: the inventory cannot be read or written.
    """
    with reading(inventory) as connection:
        sites = list(connection.scalars(select(RECORDS.c.site_id).distinct()))
    for site_id in sites:
        with writing(inventory) as connection:
            settle_records(connection, site_id, classifier)


def settle_records(connection: Connection, site_id: int, classifier: Classifier) -> tuple[Matched, int]:
    """Match the records of a site, then make the identities of their assets of the evidence of both.

    An asset that lost its record, or whose record became too old to tell anything, gets back what it is by
    its own words alone.

    Args:
        connection: in a write transaction.
        site_id: the site.
        classifier: today's fingerprints.

    Returns:
        What was matched, and how many assets are seen otherwise now.
    """
    matched = match_records(connection, site_id)
    numbers = Numbers(site_id, classifier.version, {})
    assets, changed = sorted(matched.assets), 0
    for start in range(0, len(assets), _AT_ONCE):
        changed += _classify(connection, assets[start : start + _AT_ONCE], classifier, numbers)
    return matched, changed


def _classify(connection: Connection, assets: list[int], classifier: Classifier, numbers: Numbers) -> int:
    wanted = (
        select(ASSETS.c.id, ASSETS.c.identity_id, IDENTITIES.c.candidates, IDENTITIES.c.certainty)
        .join(IDENTITIES, IDENTITIES.c.id == ASSETS.c.identity_id)
        .where(ASSETS.c.id.in_(assets))
    )
    before = {row.id: row for row in connection.execute(wanted)}
    changes, changed = [], 0
    for asset, (evidence, _) in evidence_of(connection, assets).items():
        number = numbers.identity(connection, classifier.classify(evidence))
        if number != before[asset].identity_id:
            changes.append({"asset": asset, "identity": number})
    if not changes:
        return 0
    connection.execute(
        update(ASSETS).where(ASSETS.c.id == bindparam("asset")).values(identity_id=bindparam("identity")),
        changes,
    )
    for row in connection.execute(wanted):
        old = before[row.id]
        changed += (row.candidates, row.certainty) != (old.candidates, old.certainty)
    return changed
