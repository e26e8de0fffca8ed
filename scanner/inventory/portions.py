"""Reading assets by portions: in one process or in several, the outcome is the same.

No transaction is open while a portion is handed over: a scan may write meanwhile, and each asset is as it was
when its portion was read.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from scanner.inventory.assets import read_assets, wanted_asset
from scanner.inventory.filtering import Sieve
from scanner.inventory.findings.standing import InState
from scanner.inventory.patterns import releases_meant
from scanner.inventory.rows import Filters
from scanner.inventory.transactions import reading
from scanner.inventory.verdicts import Verdicts
from scanner.inventory.wards import Ward, wards_of

if TYPE_CHECKING:
    from array import array
    from collections.abc import Iterator, Mapping
    from datetime import date

    from scanner.inventory.findings.states import State
    from scanner.inventory.rows import Asset
    from scanner.inventory.store import Inventory
    from scanner.model import Release

AT_ONCE: Final = 500
"""Assets that are read in one transaction."""
_FIRST: Final = 50
"""The same, of the first ones of a ward: a page, which is there at once."""


def assets_rows(
    inventory: Inventory,
    filters: Filters | None = None,
    *,
    today: date,
    evidence: bool = False,
    releases: Mapping[str, Release] | None = None,
) -> Iterator[Asset]:
    """Assets in the order of site, ward and address.

    They are read a batch at a time as they are iterated: a scan may write meanwhile, and each asset is as it
    was when its batch was read.

    Args:
        inventory: the inventory, open for as long as this is iterated.
        filters: which ones; all of them otherwise.
        today: the day that verdicts are for.
        evidence: whether their evidence is wanted as well.
        releases: today's releases, by id; the packaged ones otherwise.

    Returns:
        An iterator; it may raise InventoryError as well.

    Raises:
        ConfigError: the OS pattern means no release.
        InventoryError: the inventory cannot be read.
    """
    terms = terms_of(inventory, filters or Filters(), today=today, evidence=evidence, releases=releases)
    return Reader(inventory, terms).assets()


@dataclass(frozen=True, slots=True)
class Terms:
    """Which assets are wanted, and what they are judged by; another process may be given a copy."""

    filters: Filters
    today: date
    releases: Mapping[str, Release]
    wards: tuple[Ward, ...]
    """Those that are wanted, in their order."""
    evidence: bool = False
    state: State | None = None
    """Only assets with a finding in this state."""


@dataclass(frozen=True, slots=True)
class Portion:
    """Assets of one ward that are read together."""

    ward: int
    """Its place among the wards of the terms."""
    ids: array[int]

    def halves(self) -> tuple[Portion, Portion]:
        """The first half of it, and the rest."""
        middle = (len(self.ids) + 1) // 2
        return Portion(self.ward, self.ids[:middle]), Portion(self.ward, self.ids[middle:])


def terms_of(
    inventory: Inventory,
    filters: Filters,
    *,
    today: date,
    evidence: bool = False,
    releases: Mapping[str, Release] | None = None,
) -> Terms:
    """The terms of a question, as :func:`~scanner.inventory.assets_rows` takes it.

    Raises:
        ConfigError: the OS pattern means no release.
        InventoryError: the inventory cannot be read.
    """
    known = dict(Verdicts(today, releases).releases)
    if filters.os:
        releases_meant(filters.os, known)
    with reading(inventory) as connection:
        wards = tuple(ward for ward in wards_of(connection) if ward.matches(filters))
    return Terms(filters, today, known, wards, evidence)


class Reader:
    """Finds and reads the assets of terms."""

    def __init__(self, inventory: Inventory, terms: Terms) -> None:
        self._inventory = inventory
        self._terms = terms
        self._verdicts = Verdicts(terms.today, terms.releases)
        filters = terms.filters
        self._meant = releases_meant(filters.os, terms.releases) if filters.os else None

    def assets(self) -> Iterator[Asset]:
        """All of them, in the order of site, ward and address; InventoryError where they cannot be read."""
        for portion in self.portions(AT_ONCE):
            yield from self.read(portion)

    def portions(self, most: int) -> Iterator[Portion]:
        """The same as portions of at most so many; some of their assets may turn out not to be wanted."""
        for ward, ids in self._found():
            for start, end in pairwise([0, *range(_FIRST, len(ids), most), len(ids)]):
                yield Portion(ward, ids[start:end])

    def read(self, portion: Portion) -> list[Asset]:
        """The assets of a portion, as they are now and not when it was found.

        Raises:
            InventoryError: the inventory cannot be read.
        """
        terms, ward = self._terms, self._terms.wards[portion.ward]
        with reading(self._inventory) as connection:
            found = read_assets(
                connection, portion.ids, {ward.key: ward}, self._verdicts, evidence=terms.evidence
            )
        return [asset for asset in found if wanted_asset(asset, terms.filters, self._meant)]

    def _found(self) -> Iterator[tuple[int, array[int]]]:
        """Wards with wanted assets, as they are found."""
        state = None if self._terms.state is None else InState(self._terms.state)
        sieve = Sieve(self._terms.filters, self._meant, self._verdicts, state)
        left = iter(enumerate(self._terms.wards))
        while True:
            with reading(self._inventory) as connection:
                for place, ward in left:  # noqa: B007 - handed over below
                    if ids := sieve.ids(connection, ward):
                        break
                else:
                    return
            yield place, ids
