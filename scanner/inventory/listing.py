"""A page of the list of machines, out of a million: what is looked at for it is bounded.

Few machines are all read: they can be counted, and sorted by anything. Many are read in the order of site,
ward and address, a page at a time; the next page begins behind the last machine of this one.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from ipaddress import ip_address
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Final, Self

from sqlalchemy import and_, func, or_, select

from scanner.addresses import number_of
from scanner.inventory.assets import read_assets, wanted_asset
from scanner.inventory.filtering import Sieve, here
from scanner.inventory.findings.standing import InState
from scanner.inventory.ledger import packed
from scanner.inventory.order import natural
from scanner.inventory.patterns import releases_meant
from scanner.inventory.tables import ASSETS
from scanner.inventory.transactions import reading
from scanner.inventory.verdicts import Verdicts
from scanner.inventory.wards import wards_of
from scanner.model import Certainty, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sqlalchemy import ColumnElement
    from sqlalchemy.engine import Connection

    from scanner.inventory.portions import Terms
    from scanner.inventory.rows import Asset, Place
    from scanner.inventory.store import Inventory
    from scanner.inventory.wards import Ward

SIZE: Final = 50
"""Machines of a page."""
FEW: Final = 1000
"""So many machines are all read, counted and sorted."""
LOOKED_AT: Final = 20_000
"""So many machines are looked at one by one for a page; then the reader decides whether to look further."""
_AT_ONCE: Final = 500
_LARGEST_ID: Final = (1 << 63) - 1
_PARTS: Final = 4

SORTS: Final[dict[str, Callable[[Asset], object]]] = {
    "address": lambda asset: number_of(asset.address),
    "name": lambda asset: natural(asset.name),
    "ward": lambda asset: (natural(asset.place.site), natural(asset.place.ward)),
    "os": lambda asset: natural(asset.os),
    "status": lambda asset: list(Status).index(asset.verdict.status),
    "certainty": lambda asset: list(Certainty).index(asset.identity.certainty),
    "end": lambda asset: str(asset.verdict.earliest or "9"),
    "seen": lambda asset: asset.last_seen,
}
"""What few machines can be sorted by."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page begins: behind a machine, or at a ward."""

    site: int
    ward: int
    """0: outside every ward."""
    address: str = ""
    """Empty: at the beginning of the ward."""
    asset: int = 0

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """The cursor that was written so; None: it is none."""
        parts = text.split("-")
        numbers = parts[:2] + parts[3:]
        if len(parts) not in (2, _PARTS) or not all(each.isascii() and each.isdecimal() for each in numbers):
            return None
        site, ward, *asset = map(int, (each[:20] for each in numbers))
        try:
            address = str(ip_address(parts[2])) if asset else ""
        except ValueError:
            return None
        return None if max(site, ward, *asset) > _LARGEST_ID else cls(site, ward, address, *asset)

    def __str__(self) -> str:
        behind = f"-{self.address}-{self.asset}" if self.asset else ""
        return f"{self.site}-{self.ward}{behind}"


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of the list."""

    assets: tuple[Asset, ...] = ()
    number: int | None = None
    """Of all machines that are wanted; None: that was not counted."""
    more_than: int = 0
    """They are more than so many, where they were not counted."""
    is_sortable: bool = False
    """Whether they are few enough to be sorted by anything."""
    before: Cursor | None = None
    """Where the page before begins; None: it is the first of all, or there is none."""
    has_before: bool = False
    after: Cursor | None = None
    """Where the next page begins; None: there is none."""
    looked_at: int = 0
    """So many were looked at one by one, and then it was enough; 0: all that were to be."""
    is_lost: bool = False
    """Whether what the page was to begin behind is not in the list any more."""


def wards_seen(inventory: Inventory, sees: Callable[[Place], bool]) -> tuple[Ward, ...]:
    """The wards that somebody sees, in their order; what lies outside every ward is one of each site.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    with reading(inventory) as connection:
        return tuple(ward for ward in wards_of(connection) if sees(ward.where))


def list_machines(
    inventory: Inventory, terms: Terms, *, sort: str = "", cursor: Cursor | None = None
) -> Listed:
    """A page.

    Args:
        inventory: the inventory.
        terms: which machines.
        sort: one of :data:`SORTS`, a dash before it for the other direction; empty: by site, ward, address.
        cursor: where it begins; None: the first page.

    Raises:
        ConfigError: the OS pattern means no release.
        InventoryError: the inventory cannot be read.
    """
    with reading(inventory) as connection:
        looking = _Looking(connection, terms)
        few = looking.few()
        if few is not None:
            return _few(_sorted(few, sort), looking, cursor)
        return _many(looking, cursor)


class _Looking:
    """Looks for the machines of terms, in one transaction."""

    def __init__(self, connection: Connection, terms: Terms) -> None:
        self.connection, self.terms = connection, terms
        self.places = {ward.key: place for place, ward in enumerate(terms.wards)}
        self.looked_at = 0
        """Machines that were looked at one by one."""
        self._meant = releases_meant(terms.filters.os, terms.releases) if terms.filters.os else None
        self._verdicts = Verdicts(terms.today, terms.releases)
        state = None if terms.state is None else InState(terms.state)
        self._sieve = Sieve(terms.filters, self._meant, self._verdicts, state)
        self._known: dict[int, array[int]] = {}

    @property
    def is_enough(self) -> bool:
        """Whether so many were looked at that the reader is asked first."""
        return self.looked_at > LOOKED_AT

    def knows(self, place: int) -> bool:
        """Whether the machines of a ward were found before."""
        return place in self._known

    def ids(self, place: int, *beyond: ColumnElement[bool]) -> array[int]:
        """Of the machines of a ward that may be wanted."""
        if place in self._known and not beyond:
            return self._known[place]
        ward = self.terms.wards[place]
        if self._sieve.looks_at_each(self.connection):
            size = select(func.count()).select_from(ASSETS).where(*here(ward))
            self.looked_at += self.connection.scalar(size) or 0
        found = self._sieve.ids(self.connection, ward, *beyond)
        if not beyond:
            self._known[place] = found
        return found

    def read(self, ids: Sequence[int]) -> Iterator[Asset]:
        """The machines of these ids that are wanted, as many as are taken."""
        wards = {ward.key: ward for ward in self.terms.wards}
        for start, end in pairwise([0, *range(SIZE + 1, len(ids), _AT_ONCE), len(ids)]):
            for asset in read_assets(self.connection, ids[start:end], wards, self._verdicts, evidence=False):
                if wanted_asset(asset, self.terms.filters, self._meant):
                    yield asset

    def few(self) -> list[Asset] | None:
        """All machines that are wanted; None: they are many, or that would be long to tell."""
        ids = array("q")
        for place in range(len(self.terms.wards)):
            ids += self.ids(place)
            if len(ids) > FEW or self.is_enough:
                return None
        return list(self.read(ids))

    def behind(self, asset: Asset) -> Cursor:
        """Where the page after a machine begins."""
        ward = next(ward for ward in self.terms.wards if ward.where.site == asset.place.site
                    and ward.name == asset.place.ward)  # fmt: skip
        return Cursor(ward.key[0], ward.key[1] or 0, asset.address, asset.id)


def _sorted(assets: list[Asset], sort: str) -> list[Asset]:
    key = SORTS.get(sort.removeprefix("-"))
    if key is None:
        return assets
    return sorted(assets, key=key, reverse=sort.startswith("-"))  # type: ignore[arg-type] # each sorts


def _few(assets: list[Asset], looking: _Looking, cursor: Cursor | None) -> Listed:
    start, is_lost = 0, False
    if cursor is not None:
        start = next((place for place, each in enumerate(assets, 1) if each.id == cursor.asset), 0)
        is_lost = not start
    page = assets[start : start + SIZE]
    first = start - SIZE
    return Listed(
        tuple(page),
        number=len(assets),
        is_sortable=True,
        before=looking.behind(assets[first - 1]) if first > 0 else None,
        has_before=start > 0,
        after=looking.behind(page[-1]) if start + SIZE < len(assets) else None,
        is_lost=is_lost,
    )


def _many(looking: _Looking, cursor: Cursor | None) -> Listed:
    wards = looking.terms.wards
    first: int | None = None
    if cursor is not None:
        looking.looked_at = 0
        first = looking.places.get((cursor.site, cursor.ward or None))
    is_lost = cursor is not None and first is None
    found: list[Asset] = []
    further: Cursor | None = None
    for place in range(first or 0, len(wards)):
        if looking.is_enough and not looking.knows(place):
            further = Cursor(wards[place].key[0], wards[place].key[1] or 0)
            break
        begins = cursor is not None and place == first and cursor.asset
        ids = looking.ids(place, _behind(cursor)) if begins and cursor else looking.ids(place)
        found += islice(looking.read(ids), SIZE + 1 - len(found))
        if len(found) > SIZE:
            break
    has_more = len(found) > SIZE
    sure = len(found[:SIZE]) if looking.terms.filters.text or further else FEW
    return Listed(
        tuple(found[:SIZE]),
        more_than=sure if has_more or further or first else 0,
        has_before=cursor is not None and not is_lost,
        after=looking.behind(found[SIZE - 1]) if has_more else further,
        looked_at=0 if has_more or further is None else looking.looked_at,
        is_lost=is_lost,
    )


def _behind(cursor: Cursor) -> ColumnElement[bool]:
    """That an asset comes after the cursor in its ward."""
    place, length = packed(number_of(cursor.address)), func.length(ASSETS.c.packed)
    later = or_(ASSETS.c.packed > place, and_(ASSETS.c.packed == place, ASSETS.c.id > cursor.asset))
    return or_(length > len(place), and_(length == len(place), later))
