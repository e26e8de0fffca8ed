"""``count``: how many machines match, in each ward, site, building… of how many seen.

Plain SQL where everything else has SQLAlchemy: importing that takes longer than counting.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from scanner.inventory.areas import SITES_TOLD
from scanner.inventory.database import asking
from scanner.inventory.extent import extents_of
from scanner.inventory.identities import from_columns
from scanner.inventory.matching import Answer, Question, answers
from scanner.inventory.order import natural
from scanner.inventory.patterns import releases_meant
from scanner.inventory.rows import CountRow
from scanner.inventory.verdicts import Verdicts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from datetime import date

    from scanner.inventory.store import Inventory
    from scanner.model import Release, Status

BY: Final = ("ward", "site", "building", "os", "status", "owner", "establishment", "group")
"""The keys that rows can be told apart by."""

_OF_MACHINES: Final = frozenset({"os", "status"})
"""The keys that tell machines apart, and not places."""

_QUERIES: Final = {
    "sites": SITES_TOLD,
    "wards": "SELECT id, site_id, name, building, owner FROM wards",
    "subnets": "SELECT ward_id, network FROM subnets",
    "coverage": "SELECT site_id, version, block, ever FROM coverage",
    "groups": "SELECT site_id, ward_id, identity_id, count(*) FROM assets WHERE displaced IS NULL"
    " GROUP BY 1, 2, 3",
    "identities": "SELECT id, candidates, certainty FROM identities",
}
_DISPLACED: Final = """
  SELECT sites.name, count(*) FROM assets JOIN sites ON sites.id = site_id WHERE displaced IS NOT NULL
  GROUP BY 1
"""
_OF_A_SITE: Final = {
    "wards": "SELECT id, site_id, name, building, owner FROM wards WHERE site_id = ?",
    "subnets": "SELECT ward_id, network FROM subnets"
    " WHERE ward_id IN (SELECT id FROM wards WHERE site_id = ?)",
    "coverage": "SELECT site_id, version, block, ever FROM coverage WHERE site_id = ?",
    "groups": "SELECT site_id, ward_id, identity_id, count(*) FROM assets"
    " WHERE site_id = ? AND displaced IS NULL GROUP BY 1, 2, 3",
}

_Rows: TypeAlias = dict[str, list[tuple[Any, ...]]]
_Key: TypeAlias = tuple[str, ...]
_Kind: TypeAlias = tuple[str, str]
"""Candidates and certainty of an identity, as they are stored."""


@dataclass(slots=True)
class _Ward:
    """A ward, or what of a site lies outside every ward, with its figures."""

    names: dict[str, str]
    settings: str
    subnets: list[str] = field(default_factory=list)
    seen: int = 0
    scope: int = 0
    asked: int = 0


_Wards: TypeAlias = dict[tuple[int, int | None], _Ward]


def count_rows(  # noqa: PLR0913 - the question, each part of it by name
    inventory: Inventory,
    *,
    by: Sequence[str] = ("ward",),
    pattern: str | None = None,
    status: Status | None = None,
    sites: AbstractSet[str] | None = None,
    today: date,
    releases: Mapping[str, Release] | None = None,
) -> tuple[CountRow, ...]:
    """Count machines.

    ``certain``, ``probable`` and ``to_verify`` are those of :func:`~scanner.inventory.matching.answers`;
    without pattern and status every machine counts, and one of which nothing is known is to be verified.
    ``seen``, ``scope`` and ``never_scanned`` are those of the row's place, whatever its ``os`` and
    ``status``. By places alone, every place has a row; by OS or status, what counts nowhere has none.

    Args:
        inventory: the inventory.
        by: some of :data:`BY`, in the order that rows are sorted by.
        pattern: which releases (:func:`~scanner.inventory.patterns.releases_meant`); None: all.
        status: which verdict; None: any.
        sites: the names of the sites; None: all.
        today: the day that verdicts are for.
        releases: today's releases, by id; the packaged ones otherwise.

    Raises:
        ConfigError: the pattern means no release.
        InventoryError: the inventory cannot be read.
    """
    verdicts = Verdicts(today, releases)
    question = Question(releases_meant(pattern, verdicts.releases) if pattern else None, status)
    rows = _load(inventory, sites)
    wards = _wards(rows)
    counts = _counts(rows, wards, by, question, verdicts)
    places = [key for key in by if key not in _OF_MACHINES]
    if len(places) == len(by):
        counts = {_place(ward, places): Counter() for ward in wards.values()} | counts
    figures = _figures(wards, places)
    return tuple(
        CountRow(dict(zip(by, key, strict=True)), **counted, **figures[_part(key, by)])
        for key, counted in sorted(counts.items(), key=lambda entry: [natural(text) for text in entry[0]])
    )


def displaced_number(inventory: Inventory, sites: AbstractSet[str] | None = None) -> int:
    """How many assets count nowhere: nothing but an address tells them, where others were met since.

    Args:
        inventory: the inventory.
        sites: the names of the sites; None: all.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    with asking(inventory.database) as connection:
        rows = connection.execute(_DISPLACED).fetchall()
    return sum(number for site, number in rows if sites is None or site in sites)


def _load(inventory: Inventory, sites: AbstractSet[str] | None) -> _Rows:
    """Everything in one read transaction, so that no figure is of another moment than the next."""
    with asking(inventory.database) as connection:
        connection.execute("BEGIN")
        if sites is None:
            return {name: connection.execute(sql).fetchall() for name, sql in _QUERIES.items()}
        rows: _Rows = {name: [] for name in _QUERIES}
        rows["sites"] = [row for row in connection.execute(SITES_TOLD) if row[1] in sites]
        for number, *_ in rows["sites"]:
            for table, sql in _OF_A_SITE.items():
                rows[table] += connection.execute(sql, (number,)).fetchall()
        there = {row[-2] for row in rows["groups"]}
        rows["identities"] = [row for row in connection.execute(_QUERIES["identities"]) if row[0] in there]
        return rows


def _wards(rows: _Rows) -> _Wards:
    """Wards and their figures; one without subnets and machines is of the past, and left out."""
    wards: _Wards = {}
    for site_id, site, group, establishment, settings in rows["sites"]:
        told = {"site": site, "group": group, "establishment": establishment}
        wards[site_id, None] = _Ward({**told, "ward": "", "building": "", "owner": ""}, settings)
    for ward_id, site_id, name, building, owner in rows["wards"]:
        site = wards[site_id, None]
        names = {**site.names, "ward": name, "building": building, "owner": owner}
        wards[site_id, ward_id] = _Ward(names, site.settings)
    homes = {ward_id: ward for (_, ward_id), ward in wards.items() if ward_id is not None}
    for ward_id, network in rows["subnets"]:
        homes[ward_id].subnets.append(network)
    for site_id, ward_id, _, machines in rows["groups"]:
        wards[site_id, ward_id].seen += machines
    for site_id, *_ in rows["sites"]:
        subnets = {
            ward_id: ward.subnets for (site, ward_id), ward in wards.items() if site == site_id and ward_id
        }
        blocks = [tuple(block) for site, *block in rows["coverage"] if site == site_id]
        for place, (scope, asked) in extents_of(subnets, blocks).items():
            wards[site_id, place].scope, wards[site_id, place].asked = scope, asked
    return {place: ward for place, ward in wards.items() if ward.seen or ward.scope}


def _counts(
    rows: _Rows, wards: _Wards, by: Sequence[str], question: Question, verdicts: Verdicts
) -> dict[_Key, Counter[str]]:
    """The figures of each row.

    Of an identity nothing counts but its candidates and its certainty; what has both alike is asked about
    once for all wards of one policy.
    """
    numbers: dict[_Kind, int] = {}
    kinds = {number: numbers.setdefault((names, sure), number) for number, names, sure in rows["identities"]}
    identities = {number: from_columns(*kind, "[]", "{}") for kind, number in numbers.items()}
    known: dict[object, dict[int, list[Answer]]] = {}
    counts: dict[_Key, Counter[str]] = {}
    for place, machines in _by_kind(rows["groups"], kinds).items():
        ward = wards[place]
        policy = verdicts.policy(ward.settings, ward.names["ward"])
        mine = known.setdefault((policy.horizon_months, tuple(sorted(policy.extensions.items()))), {})
        for kind in machines.keys() - mine.keys():
            found = answers(identities[kind], question, verdicts, policy, by_os="os" in by)
            mine[kind] = list(found)
        for (os, status, column), number in _summed(machines, mine).items():
            names = {**ward.names, "os": os, "status": str(status)}
            key = tuple(names[name] for name in by)
            counts.setdefault(key, Counter())[column] += number
    return counts


def _by_kind(
    groups: Sequence[tuple[Any, ...]], kinds: Mapping[int, int]
) -> dict[tuple[int, int | None], dict[int, int]]:
    """How many machines of each kind every place has."""
    found: dict[tuple[int, int | None], dict[int, int]] = {}
    for site_id, ward_id, identity_id, machines in groups:
        place, kind = found.setdefault((site_id, ward_id), {}), kinds[identity_id]
        place[kind] = place.get(kind, 0) + machines
    return found


def _summed(
    machines: Mapping[int, int], known: Mapping[int, Sequence[Answer]]
) -> dict[tuple[str, str, str], int]:
    """How many machines of a place have each answer: system, status, column."""
    sums: dict[tuple[str, str, str], int] = {}
    for kind, number in machines.items():
        for answer in known[kind]:
            told = (answer.os, answer.status, answer.column)
            sums[told] = sums.get(told, 0) + number
    return sums


def _place(ward: _Ward, places: Sequence[str]) -> _Key:
    return tuple(ward.names[name] for name in places)


def _part(key: _Key, by: Sequence[str]) -> _Key:
    """The part of a row's key that says where."""
    return tuple(value for name, value in zip(by, key, strict=True) if name not in _OF_MACHINES)


def _figures(wards: _Wards, places: Sequence[str]) -> dict[_Key, dict[str, int]]:
    found: dict[_Key, Counter[str]] = {}
    for ward in wards.values():
        figures = found.setdefault(_place(ward, places), Counter())
        figures.update(seen=ward.seen, scope=ward.scope, never_scanned=ward.scope - ward.asked)
    return {key: dict(figures) for key, figures in found.items()}
