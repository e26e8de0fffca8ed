"""What history tells: how figures went, and what the last scans changed; worked out beside the pages."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from scanner.dashboard.counted import SLOW, Placed, kept
from scanner.inventory import LISTENING, Filters, Kind, changes_between, scans_rows, sides_of, trend_rows
from scanner.language import Message
from scanner.lifecycle import months_after
from scanner.model import Status

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    from scanner.dashboard.house import House
    from scanner.dashboard.visitor import Visitor
    from scanner.inventory import Change, ScanRow

_MONTHS: Final = 24
_WEEKS: Final = timedelta(days=91)
"""A history that is no longer is told week by week."""
_SHOWN: Final = 10
"""Machines of one ward and one kind of change that are named."""
_IMPORT: Final = "import"
KINDS: Final = {
    Kind.NEW: Message("new"),
    Kind.BACK: Message("back"),
    Kind.GONE: Message("gone"),
    Kind.UNSEEN: Message("not looked for"),
    Kind.MOVED: Message("moved"),
    Kind.UPGRADED: Message("another system"),
    Kind.DATES_PASSED: Message("another status, for dates passed"),
    Kind.DATA_CHANGED: Message("told otherwise by other data"),
}
"""What happened to a machine, as people read it."""


@dataclass(frozen=True, slots=True)
class SiteChanges:
    """What the last scan of a site found that was otherwise at the scan before, of the same scope."""

    site: str
    before: int
    after: int
    wards: dict[str, Counter[Kind]] = field(default_factory=dict)
    """By the ward that a machine is in, or was in when it was seen last."""
    first: dict[tuple[str, Kind], list[Change]] = field(default_factory=dict)
    """The first machines of each."""

    def kinds(self, visitor: Visitor) -> Counter[Kind]:
        """How many machines changed in which way, of those that somebody may see."""
        total: Counter[Kind] = Counter()
        for ward, kinds in self.wards.items():
            if visitor.sees(self.site, ward):
                total.update(kinds)
        return total

    def machines(self, visitor: Visitor, kind: Kind) -> list[Change]:
        """Some of those machines."""
        return [
            change
            for (ward, which), changes in self.first.items()
            if which is kind and visitor.sees(self.site, ward)
            for change in changes
        ]

    def note(self, change: Change) -> None:
        """Count a change."""
        side = change.after or change.before
        ward = side.ward if side else ""
        self.wards.setdefault(ward, Counter()).update(change.kinds)
        for kind in change.kinds:
            first = self.first.setdefault((ward, kind), [])
            if len(first) < _SHOWN:
                first.append(change)


def scans_of(house: House) -> tuple[ScanRow, ...]:
    """The scans, newest first; what only listened or was read from a file is none."""
    found = kept(house, "scans", _scans, float("inf"))
    return found or ()


def trend_of(house: House, patience: float = SLOW) -> Placed[tuple[date, Status]] | None:
    """By last day of a period and status: how many machines; None: it is still being worked out."""
    return kept(house, "trend", _trend, patience)


def changes_of(house: House, patience: float = SLOW) -> tuple[SiteChanges, ...] | None:
    """What the last scan of each site changed; None: it is still being worked out."""
    return kept(house, "changes", _changes, patience)


def _scans(house: House) -> tuple[ScanRow, ...]:
    rows = scans_rows(house.inventory)
    return tuple(row for row in rows if row.profile != _IMPORT and LISTENING not in row.request)


def _trend(house: House) -> Placed[tuple[date, Status]]:
    at, today = house.now(), house.today
    began: list[datetime] = [row.started for row in scans_rows(house.inventory)]
    first = min([today, *(when.date() for when in began)])
    since = max(first, months_after(today, 1 - _MONTHS))
    every = "week" if today - since <= _WEEKS else "month"
    by = ("site", "ward", "status")
    rows = trend_rows(house.inventory, by=by, since=since, every=every, today=today)
    return Placed.of(
        at,
        (
            (
                row.keys["site"],
                row.keys["ward"],
                (row.day, Status(row.keys["status"])),
                (row.machines,),
            )
            for row in rows
        ),
    )


def _changes(house: House) -> tuple[SiteChanges, ...]:
    found = []
    for before, after in _last_two(_scans(house)):
        changes = SiteChanges(after.site, before.id, after.id)
        old, new = sides_of(house.inventory, str(before.id), str(after.id))
        for change in changes_between(house.inventory, old, new, Filters(site=after.site)):
            changes.note(change)
        found.append(changes)
    return tuple(sorted(found, key=lambda each: each.site))


def _last_two(scans: Iterable[ScanRow]) -> list[tuple[ScanRow, ScanRow]]:
    """The last scan of each site that came to its end, and the one before it that asked for the same."""
    newest: dict[str, ScanRow] = {}
    before: dict[str, ScanRow] = {}
    for scan in scans:
        if scan.state != "done":
            continue
        last = newest.setdefault(scan.site, scan)
        if scan is not last and scan.scope == last.scope:
            before.setdefault(scan.site, scan)
    return [(before[site], last) for site, last in newest.items() if site in before]
