"""Reading the ledger: as many rows as there are, a few thousand at a time.

Plain SQL, as for counting: three years of attempts are millions of rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from scanner.addresses import IPV6, AddressMap, AddressSet, address_of
from scanner.errors import ConfigError
from scanner.inventory.database import asking
from scanner.inventory.rows import LedgerRow
from scanner.inventory.utc import moment
from scanner.model import Attempt, Endpoint, Outcome, Transport

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from scanner.addresses import Span
    from scanner.inventory.database import Plain
    from scanner.inventory.store import Inventory

_AT_ONCE: Final = 2000
"""Rows that are read in one transaction."""

_SCANS: Final = """
SELECT scans.id, site_id, name, started FROM scans JOIN sites ON sites.id = site_id ORDER BY 1
"""
_SUBNETS: Final = "SELECT network, name FROM subnets JOIN wards ON wards.id = ward_id WHERE site_id = ?"
_ROWS: Final = """
SELECT address, n, at, probe, transport, port, service, outcome, sent, received
FROM ledger CROSS JOIN ledger_kinds
WHERE ledger_kinds.id = kind_id
AND scan_id = ? AND (address, n) > (?, ?) AND address <= ? AND length(address) = ? AND at >= ?
ORDER BY address, n LIMIT ?
"""
_MILLISECOND: Final = timedelta(milliseconds=1)
_EVER: Final = -(1 << 62)


@dataclass(frozen=True, slots=True)
class _Scan:
    id: int
    site: str
    started: datetime
    wards: AddressMap[str]
    least: int
    """Milliseconds after its start from which rows are wanted."""


def ledger_rows(
    inventory: Inventory,
    spans: Sequence[Span],
    *,
    scan: int | None = None,
    since: datetime | None = None,
    site: str | None = None,
) -> Iterator[LedgerRow]:
    """What was sent to addresses, scan by scan; in a scan by address, and there in the order of time.

    A scan may write meanwhile; what it adds behind what was read already is not seen.

    Args:
        inventory: the inventory, open for as long as this is iterated.
        spans: runs of addresses on the number line.
        scan: of this scan alone.
        since: from this moment on.
        site: of the site of this name alone.

    Returns:
        An iterator; it may raise InventoryError as well.

    Raises:
        ConfigError: there is no such scan.
        InventoryError: the inventory cannot be read.
    """
    with asking(inventory.database) as connection:
        scans = list(_scans(connection, since))
    if scan is not None and all(each.id != scan for each in scans):
        raise ConfigError("there is no scan {scan} in this inventory", scan=scan)
    wanted = [each for each in scans if scan in (None, each.id) and site in (None, each.site)]
    four = AddressSet((first, min(last, IPV6 - 1)) for first, last in spans if first < IPV6)
    six = AddressSet((max(first, IPV6), last) for first, last in spans if last >= IPV6)
    return _read(inventory, wanted, four.spans + six.spans)


def _scans(connection: Plain, since: datetime | None) -> Iterator[_Scan]:
    wards: dict[int, AddressMap[str]] = {}
    for number, site_id, name, began in connection.execute(_SCANS).fetchall():
        if site_id not in wards:
            subnets = connection.execute(_SUBNETS, (site_id,))
            wards[site_id] = AddressMap((AddressSet.of([network]), ward) for network, ward in subnets)
        started = moment(began)
        least = (since - started) // _MILLISECOND if since else _EVER
        yield _Scan(number, name, started, wards[site_id], least)


def _read(inventory: Inventory, scans: Sequence[_Scan], spans: Sequence[Span]) -> Iterator[LedgerRow]:
    with asking(inventory.database) as connection:
        for scan in scans:
            for first, last in spans:
                yield from _between(connection, scan, packed(first), packed(last))


def packed(number: int) -> bytes:
    """An address of the number line as the ledger's key has it."""
    return number.to_bytes(4) if number < IPV6 else (number - IPV6).to_bytes(16)


def unpacked(address: bytes) -> int:
    """The place on the number line of an address of the ledger."""
    return int.from_bytes(address) + (0 if len(address) == len(packed(0)) else IPV6)


def _between(connection: Plain, scan: _Scan, first: bytes, last: bytes) -> Iterator[LedgerRow]:
    after = (first, 0)
    while True:
        values = (scan.id, *after, last, len(first), scan.least, _AT_ONCE)
        rows = connection.execute(_ROWS, values).fetchall()
        for address, same in groupby(rows, key=itemgetter(0)):
            number = unpacked(address)
            text, ward = address_of(number), scan.wards.get(number) or ""
            yield from (LedgerRow(scan.id, scan.site, ward, _attempt(scan, text, row)) for row in same)
        if len(rows) < _AT_ONCE:
            return
        after = rows[-1][:2]


def _attempt(scan: _Scan, address: str, row: tuple[Any, ...]) -> Attempt:
    _, _, after, probe, transport, port, service, outcome, sent, received = row
    endpoint = Endpoint(address, port, Transport(transport), service)
    at = scan.started + after * _MILLISECOND
    return Attempt(endpoint, probe, at, Outcome(outcome), sent, received)
