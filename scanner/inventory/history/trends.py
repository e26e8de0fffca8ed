"""``trend``: how many machines there were, at the end of each month or week."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Final, TypeAlias

from sqlalchemy import func, select

from scanner.errors import ConfigError
from scanner.inventory.counting import BY
from scanner.inventory.history.sides import last_scan_of
from scanner.inventory.history.states import known_after
from scanner.inventory.identities import from_columns
from scanner.inventory.matching import Question, answers
from scanner.inventory.order import natural
from scanner.inventory.patterns import releases_meant
from scanner.inventory.tables import ASSETS, IDENTITIES, SCANS
from scanner.inventory.transactions import reading
from scanner.inventory.verdicts import Verdicts
from scanner.inventory.wards import wards_of
from scanner.lifecycle import load_lifecycle, months_after

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from sqlalchemy.engine import Connection

    from scanner.inventory.history.weighing import Home
    from scanner.inventory.matching import Answer
    from scanner.inventory.store import Inventory
    from scanner.inventory.wards import Ward
    from scanner.lifecycle import Policy
    from scanner.model import Identity, Release, Status

TREND_BY: Final = BY
"""The keys that rows can be told apart by."""
EVERY: Final = ("month", "week")
_MOST: Final = 1200
"""Periods: a hundred years of months."""
_SUNDAY: Final = 7
_Groups: TypeAlias = "list[tuple[Home, int, int]]"
"""Place, identity, machines."""


@dataclass(frozen=True, slots=True)
class TrendRow:
    """How many machines matched at the end of a period, as ``count`` counts them."""

    day: date
    """The last day of the period: what was known at its end, judged on it."""
    keys: Mapping[str, str]
    certain: int = 0
    probable: int = 0
    to_verify: int = 0

    @property
    def machines(self) -> int:
        """All of them."""
        return self.certain + self.probable + self.to_verify

    def as_dict(self) -> dict[str, str | int]:
        """The row as ``--format json`` prints it."""
        figures = {name: getattr(self, name) for name in ("certain", "probable", "to_verify")}
        return {"day": self.day.isoformat(), **self.keys, **figures}


def trend_rows(  # noqa: PLR0913 - the question, each part of it by name
    inventory: Inventory,
    *,
    by: Sequence[str] = ("ward",),
    pattern: str | None = None,
    status: Status | None = None,
    sites: AbstractSet[str] | None = None,
    since: date | None = None,
    every: str = "month",
    today: date,
    releases: Mapping[str, Release] | None = None,
) -> tuple[TrendRow, ...]:
    """Count machines at the end of each period, the last of which ends today.

    A machine counts from the scan on that first saw it, where and as the last scan until then saw it. Who is
    displaced today counts at no time.

    Args:
        inventory: the inventory.
        by: some of :data:`TREND_BY`.
        pattern: which releases; None: all.
        status: which verdict on that day; None: any.
        sites: the names of the sites; None: all.
        since: in which period to begin; None: in that of the first scan.
        every: one of :data:`EVERY`.
        today: the end.
        releases: today's releases, by id; the packaged ones otherwise.

    Raises:
        ConfigError: the pattern means no release, or the beginning lies too far back, or after today.
        InventoryError: the inventory cannot be read.
    """
    known = load_lifecycle().releases if releases is None else releases
    question = Question(releases_meant(pattern, known) if pattern else None, status)
    with reading(inventory) as connection:
        wards = {ward.key: ward for ward in wards_of(connection) if sites is None or ward.where.site in sites}
        newest, first = connection.execute(select(func.max(SCANS.c.id), func.min(SCANS.c.started))).one()
        if newest is None:
            return ()
        days = _days(since or min(date.fromisoformat(str(first)[:10]), today), every, today)
        rows: list[TrendRow] = []
        ends = [(last_scan_of(connection, day), day) for day in days]
        ends[-1] = (newest, today)  # as count has it: everything that is known
        for last, same in groupby(ends, key=lambda end: end[0]):
            groups = _groups(connection, last, newest)
            identities = _identities(connection, groups)
            for _, day in same:
                tally = _Tally(wards, by, question, Verdicts(day, known))
                rows += tally.rows(groups, identities)
    return tuple(rows)


def _days(since: date, every: str, today: date) -> list[date]:
    """The last days of the periods from one to the other, the last one cut short."""
    if since > today:
        raise ConfigError("{since} is after {today}: a trend needs a past", since=since, today=today)
    days: list[date] = []
    day = _end(since, every)
    while day < today and len(days) < _MOST:
        days.append(day)
        day = _end(day + timedelta(days=1), every)
    if day < today:
        raise ConfigError("these are more than {number} periods: begin later with --since", number=_MOST)
    return [*days, today]


def _end(day: date, every: str) -> date:
    if every == "week":
        return day + timedelta(days=_SUNDAY - day.isoweekday())
    return months_after(day.replace(day=1), 1) - timedelta(days=1)


def _groups(connection: Connection, last: int, newest: int) -> _Groups:
    state = known_after(last, newest).order_by(None).subquery()
    asset, scan, _, ward, identity = state.c
    wanted = (
        select(SCANS.c.site_id, ward, identity, func.count())
        .join(SCANS, SCANS.c.id == scan)
        .where(asset.not_in(select(ASSETS.c.id).where(ASSETS.c.displaced.is_not(None))))
        .group_by(SCANS.c.site_id, ward, identity)
    )
    return [((site, home), number, machines) for site, home, number, machines in connection.execute(wanted)]


def _identities(connection: Connection, groups: _Groups) -> dict[int, Identity]:
    wanted = {number for _, number, _ in groups}
    columns = (IDENTITIES.c[name] for name in ("id", "candidates", "certainty"))
    rows = connection.execute(select(*columns).execution_options(yield_per=1000))
    same: dict[tuple[str, str], Identity] = {}
    found: dict[int, Identity] = {}
    for number, candidates, certainty in rows:
        if number in wanted:
            key = (candidates, certainty)
            same[key] = same.get(key) or from_columns(*key, "[]", "{}")
            found[number] = same[key]
    return found


class _Tally:
    """One day's count."""

    def __init__(
        self, wards: Mapping[Home, Ward], by: Sequence[str], question: Question, verdicts: Verdicts
    ) -> None:
        self._wards, self._by = wards, by
        self._question, self._verdicts = question, verdicts
        self._known: dict[tuple[object, ...], tuple[Answer, ...]] = {}

    def rows(self, groups: _Groups, identities: Mapping[int, Identity]) -> list[TrendRow]:
        """The rows, by their keys."""
        counts: dict[tuple[str, ...], Counter[str]] = {}
        for home, identity, machines in groups:
            if home not in self._wards:
                continue
            for key, column in self._answers(self._wards[home], identities[identity]):
                counts.setdefault(key, Counter())[column] += machines
        day, in_order = self._verdicts.today, sorted(counts, key=lambda key: [natural(text) for text in key])
        return [TrendRow(day, dict(zip(self._by, key, strict=True)), **counts[key]) for key in in_order]

    def _answers(self, ward: Ward, identity: Identity) -> Iterator[tuple[tuple[str, ...], str]]:
        for answer in self._of(identity, self._verdicts.policy(ward.settings, ward.name)):
            names = {"os": answer.os, "status": answer.status.value}
            key = tuple(names[name] if name in names else str(getattr(ward.where, name)) for name in self._by)
            yield key, answer.column

    def _of(self, identity: Identity, policy: Policy) -> tuple[Answer, ...]:
        """What an identity counts in: worked out once, however many wards have machines like that."""
        key = (id(identity), policy.horizon_months, *sorted(policy.extensions.items()))
        found = self._known.get(key)
        if found is None:
            by_os = "os" in self._by
            found = tuple(answers(identity, self._question, self._verdicts, policy, by_os=by_os))
            self._known[key] = found
        return found
