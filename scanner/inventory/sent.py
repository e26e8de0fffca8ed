"""What was sent in all, summed up by the database: the ledger is too long to be read for a sum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scanner.inventory.database import asking
from scanner.model import Outcome, Transport

if TYPE_CHECKING:
    from scanner.inventory.store import Inventory

_SUMS: Final = """
SELECT probe, transport, outcome, count(*), sum(sent), sum(received)
FROM ledger JOIN ledger_kinds ON ledger_kinds.id = kind_id
{which}
GROUP BY probe, transport, outcome ORDER BY probe, transport, outcome
"""
_OF_A_SITE: Final = (
    "WHERE scan_id IN (SELECT scans.id FROM scans JOIN sites ON sites.id = site_id WHERE sites.name = ?)"
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


def sent_rows(inventory: Inventory, site: str = "") -> tuple[Sent, ...]:
    """The sums of the whole ledger, of the site of that name or of all.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    with asking(inventory.database) as connection:
        rows = connection.execute(
            _SUMS.format(which=_OF_A_SITE if site else ""), (site,) if site else ()
        ).fetchall()
    return tuple(
        Sent(probe, Transport(transport), Outcome(outcome), int(attempts), int(sent), int(received))
        for probe, transport, outcome, attempts, sent, received in rows
    )
