"""Signs of machines that are isolated or replaced: where they answered since that was decided."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

from sqlalchemy import or_, select

from scanner.inventory.findings.states import State
from scanner.inventory.scans import IMPORTED
from scanner.inventory.tables import OBSERVATIONS, SCANS
from scanner.language import Message
from scanner.model import Endpoint, Outcome, Transport

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import ColumnElement
    from sqlalchemy.engine import Connection

    from scanner.inventory.findings.rows import Finding

_ALIVE = [outcome.value for outcome in Outcome if outcome.alive]


def signs_of(connection: Connection, findings: Iterable[Finding]) -> dict[int, Message]:
    """By finding: what showed the machine, though it is isolated or replaced; the first sign of each.

    An isolated machine may be seen on its segment and by others; what it answers us over the network, it
    may where its isolation allows. A replaced one is not to be seen at all. A refusal counts: something let
    our question through.
    """
    found: dict[int, Message] = {}
    for finding in findings:
        if finding.standing.state is State.ISOLATED:
            sign = _sign(connection, finding, _over_the_network(), finding.standing.isolated_in)
        elif finding.standing.state is State.REPLACED:
            newer = or_(SCANS.c.profile != IMPORTED, OBSERVATIONS.c.at > finding.changed)
            sign = _sign(connection, finding, newer, ())
        else:
            continue
        if sign is not None:
            found[finding.id] = sign
    return found


def _over_the_network() -> ColumnElement[bool]:
    return (SCANS.c.profile != IMPORTED) & (OBSERVATIONS.c.transport != Transport.LINK.value)


def _sign(
    connection: Connection, finding: Finding, which: ColumnElement[bool], allowed: tuple[str, ...]
) -> Message | None:
    columns = OBSERVATIONS.c
    wanted = (
        select(columns.address, columns.port, columns.transport, columns.service, columns.scan_id)
        .join(SCANS, SCANS.c.id == columns.scan_id)
        .where(
            columns.asset_id == finding.asset,
            columns.scan_id > finding.standing.known_scan,
            columns.outcome.in_(_ALIVE),
            which,
        )
        .order_by(columns.id)
    )
    networks = [ip_network(network) for network in allowed]
    for row in connection.execute(wanted):
        if not any(ip_address(row.address) in network for network in networks):
            where = str(Endpoint(row.address, row.port, Transport(row.transport), row.service))
            return Message(
                "it answered at {endpoint} in scan {scan}", {"endpoint": where, "scan": str(row.scan_id)}
            )
    return None
