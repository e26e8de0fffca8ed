"""Writing a batch of hosts: everything of it in one transaction, or nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from sqlalchemy import Text, func, select, type_coerce

from scanner.inventory.merging import merged
from scanner.inventory.statements import insert_rows
from scanner.inventory.tables import ASSETS, EVIDENCE, OBSERVATIONS, SIGHTS, UtcTime
from scanner.inventory.utc import stamp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Table
    from sqlalchemy.engine import Connection

    from scanner.inventory.interning import Numbers
    from scanner.model import HostRecord, Observation

Packed: TypeAlias = "tuple[HostRecord, tuple[bytes | None, ...]]"
"""A host, and the packed answers of each of its observations."""

_COLUMNS: Final = tuple(ASSETS.c.keys())
_AS_STORED: Final = [
    type_coerce(column, Text).label(column.name) if isinstance(column.type, UtcTime) else column
    for column in ASSETS.c
]
"""The columns with times as text, to be compared and written back as they are."""


@dataclass(slots=True)
class BatchWriter:
    """The writer of one scan's hosts."""

    scan_id: int
    numbers: Numbers

    def write(self, connection: Connection, hosts: Sequence[Packed]) -> None:
        """Add a batch; ids are taken within its transaction, so that two writers never take the same."""
        assets = self._assets(connection, [host for host, _ in hosts])
        observation_id = _last(connection, OBSERVATIONS)
        observations: list[object] = []
        evidence: list[object] = []
        for host, raw in hosts:
            asset_id = assets[host.address]
            for observation, answers in zip(host.observations, raw, strict=True):
                observation_id += 1
                observations += (observation_id, self.scan_id, asset_id)
                observations += _columns(observation)
                observations.append(answers)
                for key, values in observation.evidence.items():
                    key_id = self.numbers.key(connection, key)
                    for position, value in enumerate(values):
                        evidence += (observation_id, key_id, position, value)
        insert_rows(connection, OBSERVATIONS, observations)
        insert_rows(connection, EVIDENCE, evidence)

    def _assets(self, connection: Connection, hosts: Sequence[HostRecord]) -> dict[str, int]:
        """Write the assets of these hosts; gives their ids by address."""
        rows = self._known(connection, {host.address for host in hosts})
        last = _last(connection, ASSETS)
        for host in hosts:
            before = rows.get(host.address)
            if before is None:
                last += 1
            identity_id = self.numbers.identity(connection, host.identity)
            rows[host.address] = {
                "id": last if before is None else before["id"],
                "site_id": self.numbers.site_id,
                "ward_id": self.numbers.ward(connection, host.ward),
                "unasked_id": self.numbers.unasked(connection, host.unasked),
                **merged(host, before, scan_id=self.scan_id, identity_id=identity_id),
            }
        values = [row[column] for row in rows.values() for column in _COLUMNS]
        insert_rows(connection, ASSETS, values, replace=True)
        sights = [value for row in rows.values() for value in self._sight(row)]
        insert_rows(connection, SIGHTS, sights, replace=True)
        return {address: row["id"] for address, row in rows.items()}

    def _sight(self, row: dict[str, Any]) -> tuple[object, ...]:
        where = (row["last_seen"], row["ward_id"], row["identity_id"])
        return (self.scan_id, row["id"], row["packed"], *where)

    def _known(self, connection: Connection, addresses: set[str]) -> dict[str, dict[str, Any]]:
        mine = select(*_AS_STORED).where(
            ASSETS.c.site_id == self.numbers.site_id, ASSETS.c.address.in_(list(addresses))
        )
        return {row["address"]: dict(row) for row in connection.execute(mine).mappings()}


def _columns(seen: Observation) -> tuple[object, ...]:
    end = seen.endpoint
    where = (end.address, end.port, end.transport.value, end.service)
    return (*where, seen.probe, stamp(seen.at), seen.outcome.value, seen.detail, seen.connections)


def _last(connection: Connection, table: Table) -> int:
    return int(connection.scalar(select(func.max(table.c.id))) or 0)
