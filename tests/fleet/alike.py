"""What two inventories know, to be compared: everything but ids and times, and how often it was asked for."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import text

from scanner.addresses import address_of
from scanner.inventory import Inventory, open_inventory
from scanner.inventory.blocks import number_of_block

_MACHINES = """
SELECT sites.name, assets.address, wards.name, assets.name, fqdn, domain, mac, candidates, certainty,
  identities.reasons, attributes, unasked.reasons
FROM assets JOIN sites ON sites.id = assets.site_id JOIN identities ON identities.id = identity_id
LEFT JOIN wards ON wards.id = assets.ward_id LEFT JOIN unasked ON unasked.id = unasked_id
"""
_OBSERVATIONS = """
SELECT observations.id, sites.name, observations.address, port, transport, service, probe, outcome
FROM observations JOIN assets ON assets.id = asset_id JOIN sites ON sites.id = assets.site_id
"""
_EVIDENCE = """
SELECT observation_id, key, value FROM evidence JOIN evidence_keys ON evidence_keys.id = key_id
ORDER BY observation_id, key, position
"""
_VISITS = """
SELECT sites.name, version, block, addresses
FROM visits JOIN scans ON scans.id = scan_id JOIN sites ON sites.id = site_id
"""
_BREAKERS = "SELECT sites.name, ward, subnet FROM breakers JOIN sites ON sites.id = site_id"
_SCANS = (
    "SELECT sites.name, state, profile, scope, request, digest FROM scans JOIN sites ON sites.id = site_id"
)


@dataclass(frozen=True)
class Known:
    """What an inventory knows, in any order."""

    machines: Counter[tuple[Any, ...]] = field(default_factory=Counter)
    observations: Counter[tuple[Any, ...]] = field(default_factory=Counter)
    """Each with all its evidence; more than one of a kind: it was doubled."""
    visited: frozenset[tuple[str, str]] = frozenset()
    """Site and address."""
    breakers: Counter[tuple[Any, ...]] = field(default_factory=Counter)
    scans: Counter[tuple[Any, ...]] = field(default_factory=Counter)


def known(url: str) -> Known:
    """What the inventory at a URL knows."""
    with open_inventory(url) as inventory:
        machines = Counter(map(_plain, _rows(inventory, _MACHINES)))
        breakers = Counter(_rows(inventory, _BREAKERS))
        scans = Counter(map(_plain, _rows(inventory, _SCANS)))
        return Known(machines, _observations(inventory), _visited(inventory), breakers, scans)


def differences(one: Known, other: Known) -> dict[str, tuple[list[Any], list[Any]]]:
    """What each of two knows and the other does not, by table; empty where they are alike."""
    found: dict[str, tuple[list[Any], list[Any]]] = {}
    for name in ("machines", "observations", "breakers", "scans"):
        mine, theirs = getattr(one, name), getattr(other, name)
        found[name] = list((mine - theirs).elements()), list((theirs - mine).elements())
    found["visited"] = sorted(one.visited - other.visited), sorted(other.visited - one.visited)
    return {name: both for name, both in found.items() if any(both)}


def _rows(inventory: Inventory, sql: str) -> list[tuple[Any, ...]]:
    with inventory.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(sql))]


def _plain(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """JSON whose keys are in whatever order, as one text."""
    return tuple(_sorted(value) if str(value)[:1] in {"{", "["} else value for value in row)


def _sorted(value: str) -> str:
    return json.dumps(json.loads(value), sort_keys=True)


def _observations(inventory: Inventory) -> Counter[tuple[Any, ...]]:
    evidence: dict[int, list[tuple[str, str]]] = {}
    for observation, key, value in _rows(inventory, _EVIDENCE):
        evidence.setdefault(observation, []).append((key, value))
    rows = _rows(inventory, _OBSERVATIONS)
    return Counter((*row[1:], tuple(evidence.get(row[0], ()))) for row in rows)


def _visited(inventory: Inventory) -> frozenset[tuple[str, str]]:
    found = set()
    for site, version, block, addresses in _rows(inventory, _VISITS):
        first, bits = number_of_block(version, bytes(block)), int.from_bytes(bytes(addresses), "little")
        found |= {(site, address_of(first + place)) for place in range(256) if bits >> place & 1}
    return frozenset(found)
