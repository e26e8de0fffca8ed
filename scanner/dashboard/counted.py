"""The figures of all wards, worked out once for everybody; each visitor gets the sum of what they may see."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from scanner.inventory import count_rows, coverage_rows, ends_rows, stamp_of
from scanner.model import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping
    from datetime import date, datetime

    from scanner.dashboard.house import House
    from scanner.dashboard.visitor import Visitor
    from scanner.inventory import CountRow, CoverageRow

SLOW: Final = 1.0
"""Seconds that a page waits for what is not its first figure; then it is shown without."""
NOTHING: Final = (0, 0, 0)
_Key = TypeVar("_Key", bound="Hashable")
_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Placed(Generic[_Key]):
    """Figures by ward and by a key."""

    at: datetime
    """When they were counted."""
    wards: Mapping[tuple[str, str], Mapping[_Key, tuple[int, ...]]]
    """By site and ward."""
    everything: Mapping[_Key, tuple[int, ...]]

    @classmethod
    def of(cls, at: datetime, rows: Iterable[tuple[str, str, _Key, tuple[int, ...]]]) -> Placed[_Key]:
        """Figures of rows: site, ward, key, numbers."""
        wards: dict[tuple[str, str], dict[_Key, tuple[int, ...]]] = {}
        for site, ward, key, numbers in rows:
            _add(wards.setdefault((site, ward), {}), key, numbers)
        return cls(at, wards, _summed(wards.values()))

    def seen_by(self, visitor: Visitor) -> Mapping[_Key, tuple[int, ...]]:
        """The sums of the wards that somebody may see."""
        if not visitor.sites and not visitor.wards:
            return self.everything
        return _summed(figures for place, figures in self.wards.items() if visitor.sees(*place))


@dataclass(frozen=True, slots=True)
class WardCount:
    """A ward, or what of a site lies outside every ward, and its figures as ``count`` has them."""

    site: str
    ward: str
    building: str
    owner: str
    establishment: str
    group: str
    scope: int
    never_scanned: int
    statuses: dict[Status, tuple[int, ...]] = field(default_factory=dict)
    """By verdict: certain, probable, to verify."""

    @property
    def seen(self) -> int:
        """Machines of the ward."""
        return sum(map(sum, self.statuses.values()))

    def machines(self, status: Status) -> int:
        """Machines of one verdict."""
        return sum(self.statuses.get(status, NOTHING))

    @property
    def unsupported(self) -> int:
        """Machines without support."""
        return self.machines(Status.UNSUPPORTED)

    @property
    def parts(self) -> list[tuple[str, int]]:
        """Status and machines, as bars have them."""
        return [(status.value, self.machines(status)) for status in Status]

    @property
    def share(self) -> float:
        """The share of those seen that have no support; below none where nothing was seen."""
        return self.unsupported / self.seen if self.seen else -1.0


@dataclass(frozen=True, slots=True)
class Wards:
    """All wards at a moment."""

    at: datetime
    rows: tuple[WardCount, ...]

    def seen_by(self, visitor: Visitor) -> list[WardCount]:
        """Those that somebody may see."""
        return [row for row in self.rows if visitor.sees(row.site, row.ward)]


def wards_of(house: House) -> Wards:
    """Every ward, with its figures."""
    return _needed(house, "wards", _wards)


def products_of(house: House, status: Status | None) -> Placed[str]:
    """By product: how many machines, as ``count --by os`` has them, of one status or of any."""
    return _needed(house, f"products {status}", lambda house: _products(house, status))


def ends_of(house: House) -> Placed[tuple[date | None, date | None]]:
    """By first and last end of support to come: how many machines."""
    return _needed(house, "ends", _ends)


def coverage_of(house: House, patience: float = SLOW) -> tuple[CoverageRow, ...] | None:
    """What became of the addresses of each subnet; None: it is still being worked out."""
    return kept(house, "coverage", _coverage, patience)


def kept(house: House, name: Hashable, make: Callable[[House], _Value], patience: float) -> _Value | None:
    """What is worked out once for each state of the inventory and each day."""
    key = (name, house.today)
    return house.keeper.get(key, stamp_of(house.inventory), lambda: make(house), patience)


def _needed(house: House, name: str, make: Callable[[House], _Value]) -> _Value:
    found = kept(house, name, make, float("inf"))
    if found is None:
        raise TypeError(f"{name}: patience has no end, and nothing was made")
    return found


def _wards(house: House) -> Wards:
    at, by = house.now(), ("site", "ward", "building", "owner", "establishment", "group")
    places = count_rows(house.inventory, by=by, today=house.today)
    found: dict[tuple[str, ...], WardCount] = {}
    for row in places:
        names = tuple(row.keys[key] for key in by)
        site, ward, building, owner, establishment, group = names
        found[names] = WardCount(
            site, ward, building, owner, establishment, group, row.scope, row.never_scanned
        )
    for row in count_rows(house.inventory, by=(*by, "status"), today=house.today):
        *place, status = row.keys.values()
        # A ward that a scan has just brought is there the next time.
        if there := found.get(tuple(place)):
            there.statuses[Status(status)] = _numbers(row)
    return Wards(at, tuple(found.values()))


def _products(house: House, status: Status | None) -> Placed[str]:
    at = house.now()
    rows = count_rows(house.inventory, by=("site", "ward", "os"), status=status, today=house.today)
    placed = ((row.keys["site"], row.keys["ward"], row.keys["os"], _numbers(row)) for row in rows)
    return Placed.of(at, placed)


def _ends(house: House) -> Placed[tuple[date | None, date | None]]:
    at = house.now()
    rows = ends_rows(house.inventory, today=house.today)
    return Placed.of(at, ((row.site, row.ward, (row.first, row.last), (row.machines,)) for row in rows))


def _coverage(house: House) -> tuple[CoverageRow, ...]:
    return coverage_rows(house.inventory, by=("site", "ward", "subnet"), site=house.site)


def _numbers(row: CountRow) -> tuple[int, ...]:
    return row.certain, row.probable, row.to_verify


def _add(figures: dict[_Key, tuple[int, ...]], key: _Key, numbers: tuple[int, ...]) -> None:
    before = figures.get(key)
    figures[key] = numbers if before is None else tuple(map(sum, zip(before, numbers, strict=True)))


def _summed(parts: Iterable[Mapping[_Key, tuple[int, ...]]]) -> dict[_Key, tuple[int, ...]]:
    total: dict[_Key, tuple[int, ...]] = {}
    for part in parts:
        for key, numbers in part.items():
            _add(total, key, numbers)
    return total
