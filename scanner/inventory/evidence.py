"""Reading the evidence that identities rest on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from sqlalchemy import func, select

from scanner.inventory.records.telling import told_by_records
from scanner.inventory.tables import ASSETS, EVIDENCE, EVIDENCE_KEYS, OBSERVATIONS
from scanner.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Connection

Rests: TypeAlias = "tuple[dict[str, tuple[str, ...]], frozenset[str]]"
"""An asset's evidence, and the probes that were held with it."""


def evidence_of(connection: Connection, assets: Sequence[int], *, records: bool = True) -> dict[int, Rests]:
    """What the identities of these assets (a few hundred) rest on: what the scan heard that made them.

    Values of a key that several observations gave stand one after the other, in the order in which they were
    heard, each once: what the scan classified. What records of registers tell of an asset stands beside it,
    unless it is not wanted.
    """
    its_scan = func.coalesce(ASSETS.c.identity_scan_id, ASSETS.c.last_scan_id)
    told = (
        select(OBSERVATIONS.c.asset_id, OBSERVATIONS.c.probe, OBSERVATIONS.c.outcome, *_TOLD)
        .join(ASSETS, (ASSETS.c.id == OBSERVATIONS.c.asset_id) & (OBSERVATIONS.c.scan_id == its_scan))
        .outerjoin(EVIDENCE, EVIDENCE.c.observation_id == OBSERVATIONS.c.id)
        .where(ASSETS.c.id.in_(list(assets)))
        .order_by(OBSERVATIONS.c.id, EVIDENCE.c.key_id, EVIDENCE.c.position)
    )
    keys, withheld = _keys(connection), Outcome.WITHHELD.value
    asked: dict[int, set[str]] = {asset: set() for asset in assets}
    found: dict[int, dict[str, tuple[str, ...]]] = {asset: {} for asset in assets}
    for asset, probe, outcome, key_id, value in connection.execute(told).all():
        if outcome != withheld:
            asked[asset].add(probe)
        if key_id is not None:
            evidence, key = found[asset], keys[key_id]
            known = evidence.get(key)
            if known is None:
                evidence[key] = (value,)
            elif value not in known:
                evidence[key] = (*known, value)
    if records:
        for asset, said in told_by_records(connection, ASSETS.c.id.in_(list(assets))).items():
            found[asset].update(said)
    return {asset: (found[asset], frozenset(asked[asset])) for asset in assets}


_TOLD: Final = (EVIDENCE.c.key_id, EVIDENCE.c.value)


def _keys(connection: Connection) -> dict[int, str]:
    """Some hundred; joined to every value they would take half as long again."""
    return {row.id: row.key for row in connection.execute(select(EVIDENCE_KEYS))}


def values_of(connection: Connection, observations: Sequence[int]) -> dict[int, dict[str, tuple[str, ...]]]:
    """The evidence of observations, by their ids, in the order of these."""
    heard = (
        select(EVIDENCE.c.observation_id, EVIDENCE_KEYS.c.key, EVIDENCE.c.value)
        .join(EVIDENCE_KEYS)
        .where(EVIDENCE.c.observation_id.in_(list(observations)))
        .order_by(EVIDENCE.c.observation_id, EVIDENCE.c.key_id, EVIDENCE.c.position)
    )
    found: dict[int, dict[str, tuple[str, ...]]] = {}
    for observation, key, value in connection.execute(heard).all():
        evidence = found.setdefault(observation, {})
        evidence[key] = (*evidence.get(key, ()), value)
    return found


def evidence_between(connection: Connection, first: int, last: int) -> dict[int, dict[str, tuple[str, ...]]]:
    """The evidence, as :func:`evidence_of` gives it, of all assets from one id to another; quickly.

    Assets that said nothing are left out.
    """
    its_scan = func.coalesce(ASSETS.c.identity_scan_id, ASSETS.c.last_scan_id)
    rows = (
        select(ASSETS.c.id, EVIDENCE_KEYS.c.key, EVIDENCE.c.value)
        .join(OBSERVATIONS, (OBSERVATIONS.c.asset_id == ASSETS.c.id) & (OBSERVATIONS.c.scan_id == its_scan))
        .join(EVIDENCE, EVIDENCE.c.observation_id == OBSERVATIONS.c.id)
        .join(EVIDENCE_KEYS, EVIDENCE_KEYS.c.id == EVIDENCE.c.key_id)
        .where(ASSETS.c.id.between(first, last))
        .order_by(OBSERVATIONS.c.id, EVIDENCE.c.key_id, EVIDENCE.c.position)
    )
    found: dict[int, dict[str, tuple[str, ...]]] = {}
    for asset, key, value in connection.execute(rows).all():
        evidence = found.setdefault(asset, {})
        known = evidence.get(key, ())
        if value not in known:
            evidence[key] = (*known, value)
    for asset, said in told_by_records(connection, ASSETS.c.id.between(first, last)).items():
        found.setdefault(asset, {}).update(said)
    return found
