"""What was sent in all, summed up by the database: the ledger is too long to be read for a sum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scanner.inventory.database import asking
from scanner.model import Outcome, Transport

if TYPE_CHECKING:
    from collections.abc import Collection

    from scanner.inventory.store import Inventory

_SUMS: Final = """
SELECT probe, transport, outcome, count(*), sum(sent), sum(received)
FROM ledger JOIN ledger_kinds ON ledger_kinds.id = kind_id
{which}
GROUP BY probe, transport, outcome ORDER BY probe, transport, outcome
"""
_OF_SITES: Final = (
    "WHERE scan_id IN (SELECT scans.id FROM scans JOIN sites ON sites.id = site_id WHERE sites.name IN ({}))"
)


@dataclass(frozen=True, slots=True)
class Sent:
    """Attempts of one probe that ended alike."""

    probe: str
    transport: Transport
    outcome: Outcome
    attempts: int
    sent: int
    """Bytes of payload."""
    received: int


def sent_rows(inventory: Inventory, sites: Collection[str] | None = None) -> tuple[Sent, ...]:
    """The sums of the whole ledger, of the sites of these names or of all.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    which = "" if sites is None else _OF_SITES.format(", ".join("?" * len(sites)))
    with asking(inventory.database) as connection:
        rows = connection.execute(_SUMS.format(which=which), tuple(sites or ())).fetchall()
    return tuple(
        Sent(probe, Transport(transport), Outcome(outcome), int(attempts), int(sent), int(received))
        for probe, transport, outcome, attempts, sent, received in rows
    )
