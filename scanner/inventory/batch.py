"""Writing a batch of hosts: everything of it in one transaction, or nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from sqlalchemy import func, select

from scanner.inventory.identity.memory import Memory, displace
from scanner.inventory.identity.splitting import split_off
from scanner.inventory.identity.ties import join_assets
from scanner.inventory.identity.traits import traits_of
from scanner.inventory.interning import KeyIds
from scanner.inventory.merging import is_older, merged, pack_address
from scanner.inventory.statements import insert_rows, update_rows
from scanner.inventory.tables import ASSETS, EVIDENCE, OBSERVATIONS, SIGHTS
from scanner.inventory.utc import stamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Table
    from sqlalchemy.engine import Connection

    from scanner.inventory.identity.known import Part
    from scanner.inventory.identity.traits import Traits
    from scanner.inventory.interning import Numbers
    from scanner.model import HostRecord, Observation

Packed: TypeAlias = "tuple[HostRecord, tuple[bytes | None, ...]]"
"""A host, and the packed answers of each of its observations."""

_COLUMNS: Final = tuple(ASSETS.c.keys())
_PASSING: Final = ("identity_scan_id", "last_seen", "last_scan_id", "unasked_id")
"""Columns that change with each scan."""
_LASTING: Final = tuple(name for name in _COLUMNS if name not in _PASSING)


@dataclass(slots=True)
class BatchWriter:
    """The writer of one scan's hosts."""

    scan_id: int
    numbers: Numbers
    late: bool = False
    """Whether what is older than what is known of a machine leaves that as it is: it was carried here."""

    def write(self, connection: Connection, hosts: Sequence[Packed]) -> None:
        """Add a batch; ids are taken within its transaction, so that two writers never take the same."""
        assets = self._assets(connection, [host for host, _ in hosts])
        keys = KeyIds(connection, self.numbers)
        observation_id = _last(connection, OBSERVATIONS)
        observations: list[object] = []
        evidence: list[object] = []
        for (host, raw), moments, asset_id in zip(hosts, assets.moments, assets.found, strict=True):
            for observation, at, answers in zip(host.observations, moments, raw, strict=True):
                observation_id += 1
                observations += (observation_id, self.scan_id, asset_id, *_columns(observation, at), answers)
                for key, values in observation.evidence.items():
                    key_id = keys[key]
                    for position, value in enumerate(values):
                        evidence += (observation_id, key_id, position, value)
        insert_rows(connection, OBSERVATIONS, observations)
        insert_rows(connection, EVIDENCE, evidence)
        for asset, other, how in assets.same:
            join_assets(connection, asset, other, how, self.scan_id)
        for asset, part in assets.parted.items():
            split_off(connection, asset, part, self.scan_id)

    def _assets(self, connection: Connection, hosts: Sequence[HostRecord]) -> _Assets:
        """Write the assets of these hosts."""
        traits = [traits_of(host.address, host.observations) for host in hosts]
        memory = Memory(connection, self.numbers, self.scan_id)
        memory.load(traits)
        assets = _Assets(memory, _last(connection, ASSETS), self.late)
        stored = memory.rows.copy()
        sights: dict[tuple[int, bytes], tuple[object, ...]] = {}
        for host, its in zip(hosts, traits, strict=True):
            new = self._row(connection, host)
            row, how = assets.of(host, its, new)
            key = (row["id"], pack_address(host.address))
            how = sights[key][-1] if key in sights else how  # type: ignore[assignment]  # a sight's last column
            seen = (row["last_seen"], row["ward_id"], row["identity_id"])
            if row["last_scan_id"] != self.scan_id:
                seen = (max(assets.moments[-1]), new["ward_id"], new["identity_id"])
            sights[key] = (self.scan_id, *key, *seen, how)
        changed = sorted({*assets.found, *assets.displaced})
        _write_assets(connection, [memory.rows[asset] for asset in changed], stored)
        ordered = (sights[key] for key in sorted(sights))
        insert_rows(connection, SIGHTS, [value for sight in ordered for value in sight], replace=True)
        memory.write()
        return assets

    def _row(self, connection: Connection, host: HostRecord) -> dict[str, Any]:
        return {
            "site_id": self.numbers.site_id,
            "ward_id": self.numbers.ward(connection, host.ward),
            "unasked_id": self.numbers.unasked(connection, host.unasked),
            "identity_id": self.numbers.identity(connection, host.identity),
        }


@dataclass(slots=True)
class _Assets:
    """The assets of a batch's hosts, as they are decided one by one."""

    memory: Memory
    last: int
    late: bool
    found: list[int] = field(default_factory=list)
    """Of each host, in their order."""
    moments: list[list[str]] = field(default_factory=list)
    """Of each host: those of its observations, as they are stored."""
    same: list[tuple[int, int, str]] = field(default_factory=list)
    """Assets that turned out to be one: the one that stays, the other one, and what shows it."""
    parted: dict[int, Part] = field(default_factory=dict)
    """Assets that turned out to be two: what is the other one's."""
    displaced: set[int] = field(default_factory=set)
    """Assets that are no more where alone they could be told: others were met there."""

    def of(self, host: HostRecord, traits: Traits, new: dict[str, Any]) -> tuple[dict[str, Any], str]:
        """The row of a host's asset as it is from now on, and what it was known again by."""
        choice = self.memory.choose(host, traits)
        before = None if choice.asset is None else self.memory.rows[choice.asset]
        if before is None:
            self.last += 1
        identity_id = new["identity_id"]
        moments = [stamp(observation.at) for observation in host.observations]
        span = min(moments), max(moments)  # the order of text is that of time
        row = {
            **new,
            **merged(host, before, span, scan_id=self.memory.scan, identity_id=identity_id),
            "id": self.last if before is None else before["id"],
            "displaced": None if before is None else before["displaced"],
        }
        if self.late and before is not None and is_older(before, span, self.memory.scan):
            row = {**before, "first_seen": row["first_seen"]}
        if row["identity_id"] == identity_id:
            row |= {"candidates": _json(host.identity.candidates), "certainty": host.identity.certainty}
        else:
            row |= {name: before[name] for name in ("candidates", "certainty")} if before else {}
        self.memory.rows[row["id"]] = row
        self.memory.learn(row["id"], traits, *span)
        self.memory.known[row["id"]].told = row["identity_scan_id"] or 0
        self.displaced |= displace(self.memory, host.address, row["id"])
        self.found.append(row["id"])
        self.moments.append(moments)
        self.same += [(row["id"], other, how) for other, how in choice.also]
        if choice.part is not None and row["id"] not in self.memory.made_one:
            self.parted[row["id"]] = choice.part
        return self.memory.rows[row["id"]], choice.how


def _write_assets(
    connection: Connection, rows: Iterable[dict[str, Any]], stored: Mapping[int, Mapping[str, Any]]
) -> None:
    """Write assets by id; of those that are as they were, only when they were seen: no index has that."""
    seen: list[object] = []
    other: list[object] = []
    for row in rows:
        before = stored.get(row["id"])
        if before is not None and all(row[name] == before[name] for name in _LASTING):
            seen += [row[name] for name in ("id", *_PASSING)]
        else:
            other += [row[column] for column in _COLUMNS]
    update_rows(connection, ASSETS, _PASSING, seen)
    insert_rows(connection, ASSETS, other, replace=True)


@lru_cache(maxsize=1 << 12)
def _json(candidates: tuple[str, ...]) -> str:
    return json.dumps(candidates)


def _columns(seen: Observation, at: str) -> tuple[object, ...]:
    end = seen.endpoint
    where = (end.address, end.port, end.transport.value, end.service)
    return (*where, seen.probe, at, seen.outcome.value, seen.detail, seen.connections)


def _last(connection: Connection, table: Table) -> int:
    return int(connection.scalar(select(func.max(table.c.id))) or 0)
