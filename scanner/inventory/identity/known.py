"""What assets were known by before, and from when to when."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from scanner.inventory.identity.traits import ADDRESS, CARD
from scanner.inventory.utc import moment

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from scanner.inventory.identity.traits import Words

_NIGHT: Final = timedelta(hours=12)
"""Longer than most scans take."""


class Tenure(NamedTuple):
    """From when to when an asset was known by something, as stored moments."""

    key: str
    """The evidence key that told it."""
    first: str
    last: str
    scan: int
    """The last scan that heard it."""

    @property
    def before(self) -> bool:
        """Whether scans of several days heard it."""
        return moment(self.last) - moment(self.first) > _NIGHT


class Part(NamedTuple):
    """What of an asset turns out to be another machine."""

    how: str
    """What shows it, as it is stored."""
    since: str = ""
    """All that was seen since then, as a stored moment."""
    words: frozenset[Words] = frozenset()
    """Or all that was seen where any of these was heard."""


@dataclass(slots=True)
class Known:
    """What an asset was known by before."""

    id: int
    kinds: dict[str, dict[str, Tenure]] = field(default_factory=dict)
    """By kind: its values."""
    told: int = 0
    """The scan that heard last what system it is."""

    @property
    def named(self) -> bool:
        """Whether anything but addresses is known of it."""
        return any(values for kind, values in self.kinds.items() if kind != ADDRESS)

    def is_elsewhere(self, address: str, scan: int) -> bool:
        """Whether a scan met it, and not at this address, nor at one that it has besides."""
        tenures = self.kinds.get(ADDRESS, {})
        met = {value: tenure for value, tenure in tenures.items() if tenure.scan == scan}
        mine = tenures.get(address)
        besides = mine is not None and any(
            mine.last >= each.first and mine.first <= each.last for each in met.values()
        )
        return bool(met) and address not in met and not besides

    @property
    def says_more(self) -> bool:
        """Whether more than cards and addresses is known of it: it is no dock that a router told."""
        return any(values for kind, values in self.kinds.items() if kind not in {ADDRESS, CARD})

    def is_less(self, other: Known, but: Container[str] = (ADDRESS,)) -> bool:
        """Whether all that is known of it, but for some kinds, is known of another one as well."""
        return all(
            values.keys() <= other.kinds.get(kind, {}).keys()
            for kind, values in self.kinds.items()
            if kind not in but
        )

    @property
    def lasted(self) -> bool:
        """Whether scans of several days met it."""
        tenures = self.kinds.get(ADDRESS, {}).values()
        return bool(tenures) and moment(self.last) - moment(min(each.first for each in tenures)) > _NIGHT

    @property
    def last(self) -> str:
        """When it was last met, as a stored moment; empty where nobody knows where it was."""
        return max((each.last for each in self.kinds.get(ADDRESS, {}).values()), default="")

    def met_at(self, scan: int) -> int:
        """At how many addresses a scan met it."""
        return sum(tenure.scan == scan for tenure in self.kinds.get(ADDRESS, {}).values())


def displaced_since(
    known: Mapping[int, Known], asset: int, there: Mapping[int, Tenure], last: str
) -> str | None:
    """When others that can be told were met first where an asset was, of which nothing but that tells.

    Args:
        known: what is known of assets.
        asset: one of them.
        there: from when to when each asset was met at its address.
        last: when it was seen last itself, as a stored moment.

    Returns:
        A stored moment; None where it can be told, or nobody else was met there since.
    """
    if known[asset].named:
        return None
    others = (tenure.last for other, tenure in there.items() if other in known and known[other].named)
    return min((each for each in others if each > last), default=None)


def words_of(known: Known) -> list[Tenure]:
    """What an asset was known by but for cards and addresses."""
    return [
        tenure
        for kind, values in known.kinds.items()
        if kind not in {ADDRESS, CARD}
        for tenure in values.values()
    ]


def was_twice(known: Known, scan: int) -> bool:
    """Whether an earlier scan met it at several addresses: it has two cards, or a lease ended meanwhile."""
    scans = [tenure.scan for tenure in known.kinds.get(ADDRESS, {}).values() if tenure.scan != scan]
    return len(scans) > len(set(scans))


def went_together(one: Known, other: Known, address: str, since: int = 0) -> bool:
    """Whether a scan after one of that number met both at an address other than this."""
    mine, theirs = one.kinds.get(ADDRESS, {}), other.kinds.get(ADDRESS, {})
    places = mine.keys() & theirs.keys() - {address}
    return any(mine[place].scan == theirs[place].scan > since for place in places)
