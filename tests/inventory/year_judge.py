"""What became of a year: which assets hold which machines, by the table of sights, against the truth.

An asset is one machine, its hardware: one that was installed anew stays itself, one that was replaced ends.
A *word* is a value that may tell machines apart: a card, a GUID, a key, a name. A word is a machine's *own*
where no other machine ever says it in the whole year. So sights are of three sorts: *telling*, with a word
of the machine's own; *shared*, with words of several machines only (a clone's GUID, a name that was taken
over, the card of a dock); *blind*, with none. A machine is to be one asset by its telling sights, and by
all at an address that is its own for good. What is shared or blind elsewhere is counted apart, since nobody
can tell; so are *quiet* machines, which never say a word of their own, and which nothing but their address
holds together.

What no reader of the evidence could know is told from mistakes. A machine is *divided* where nothing joins
one part of what it said to the other: installed anew under another name, its card never seen. Two machines
are *alike* where one took the other's name over, and no card of both was seen: as if one had been installed
anew; or where one hands its callers on to the other, and the first scan heard nothing else of it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final, TypeAlias

from sqlalchemy import func, select

from scanner.inventory.tables import ASSETS, OBSERVATIONS, SIGHTS, TIES
from scanner.inventory.transactions import reading
from tests.inventory.year_words import HARD, NAMES, are_alike, unite, words_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy.engine import Connection

    from scanner.inventory import Inventory
    from tests.inventory.year import Sighting
    from tests.inventory.year_machines import Machine
    from tests.inventory.year_words import Word

Place: TypeAlias = tuple[int, bytes]
"""A scan, and an address as bytes."""
_NOBODY: Final = -1
"""Whose a dock is, and a router: nobody's own, even where one laptop alone was ever seen there."""


@dataclass(slots=True)
class Seen:
    """One record: whose it is, what it said, when."""

    machine: Machine
    words: frozenset[Word]
    at: str
    fixed: bool
    """Whether the address is the machine's for good."""
    asset: int = 0
    scan: int = 0
    system: int = 0
    """How often the machine had been installed anew until then."""
    how: str = ""
    """What it was known again by."""


@dataclass(slots=True)
class Figures:
    """What was found."""

    machines: int = 0
    """Those that ever said a word of their own."""
    one: int = 0
    """Of these, those that are exactly one asset."""
    split: dict[int, list[int]] = field(default_factory=dict)
    """The others: by machine, its assets."""
    divided: set[int] = field(default_factory=set)
    alike: set[int] = field(default_factory=set)
    """Machines that are joined to others to which they are alike."""
    joined: dict[int, list[int]] = field(default_factory=dict)
    """Assets with telling sights of several machines: by asset, the machines."""
    unexplained: set[int] = field(default_factory=set)
    """Those of them where one machine follows another, and no evidence is named for it."""
    quiet: Counter[bool] = field(default_factory=Counter)
    """Quiet machines with an address of their own for good: how many are exactly one asset."""
    shared: Counter[bool] = field(default_factory=Counter)
    """Sights with shared words only: how many are at their machine's asset."""
    blind: Counter[bool] = field(default_factory=Counter)
    assets: int = 0
    hollow: int = 0
    """Assets that hold no telling sight of anyone, at no address that is somebody's."""
    displaced: set[int] = field(default_factory=set)
    """Assets that count nowhere."""
    hidden: set[int] = field(default_factory=set)
    """Of these, those that hold a word of somebody's own, or all that was seen of somebody: a machine that
    nobody would be told of. One more silence at its address, beside what is told of it, is none."""
    kinds: Counter[str] = field(default_factory=Counter)
    split_kinds: Counter[str] = field(default_factory=Counter)
    lost: list[Place] = field(default_factory=list)
    """What was recorded and is not among the sights."""
    invented: list[Place] = field(default_factory=list)
    """Sights of what was never recorded."""

    @property
    def share(self) -> float:
        return self.one / self.machines if self.machines else 0.0

    @property
    def possible(self) -> float:
        """The share among the machines that evidence joins."""
        left = self.machines - sum(machine in self.divided | self.alike for machine in self.split)
        return self.one / left if left else 0.0


class Judge:
    """Hears the truth while the year goes by, and compares at its end."""

    def __init__(self) -> None:
        self.seen: dict[Place, list[Seen]] = defaultdict(list)
        self.sayers: dict[Word, set[int]] = defaultdict(set)
        self.residents: dict[bytes, set[int]] = defaultdict(set)
        self.machines: dict[int, Machine] = {}
        self._words: dict[frozenset[Word], frozenset[Word]] = {}

    def hear(self, scan: int, sighting: Sighting) -> None:
        """Take note of a record before it is given to the inventory."""
        machine, record = sighting
        packed = ip_address(record.address).packed
        words = words_of(record)
        words = self._words.setdefault(words, words)
        at = record.observations[0].at.isoformat()
        fixed = record.address in machine.addresses
        system = sum("installed anew" in change for change in machine.changes)
        self.seen[scan, packed].append(Seen(machine, words, at, fixed, system=system))
        for word in words:
            self.sayers[word].add(machine.number)
            if word[0] == "card" and word[1] not in machine.cards:
                self.sayers[word].add(_NOBODY)
        self.residents[packed].add(machine.number)
        self.machines[machine.number] = machine

    def own(self, seen: Seen) -> bool:
        """Whether it says a word of its machine's own."""
        return any(len(self.sayers[word]) == 1 for word in seen.words)

    def settled(self, packed: bytes, seen: Seen) -> bool:
        """Whether it is at an address that was its machine's alone, all the time."""
        return seen.fixed and len(self.residents[packed]) == 1

    def judge(self, inventory: Inventory) -> Figures:
        """The figures. Each record's asset is noted with it."""
        figures = Figures()
        with reading(inventory) as connection:
            self._find(connection, figures)
            figures.assets = connection.scalar(select(func.count()).select_from(ASSETS)) or 0
            wanted = select(ASSETS.c.id).where(ASSETS.c.displaced.is_not(None))
            figures.displaced = set(connection.scalars(wanted))
            merged = set(connection.scalars(select(TIES.c.asset_id).where(TIES.c.how != "")))
        counted = list(self._counted())
        by_machine, by_asset = _grouped(counted)
        tellers = {each.machine.number for each in counted if self.own(each)}
        for number, assets in by_machine.items():
            kind = self.machines[number].kind
            one = len(assets) == 1 and len(by_asset[next(iter(assets))]) == 1
            if number not in tellers:
                figures.quiet[one] += 1
                continue
            figures.machines += 1
            figures.kinds[kind] += 1
            figures.one += one
            if not one:
                figures.split_kinds[kind] += 1
                figures.split[number] = sorted(assets)
        figures.divided = self._divided(set(figures.split))
        figures.joined = {asset: sorted(them) for asset, them in by_asset.items() if len(them) > 1}
        said = self._said({number for them in figures.joined.values() for number in them})
        excused = {
            asset
            for asset, them in figures.joined.items()
            if are_alike([said[number] for number in them]) or self._hands_on(them)
        }
        figures.alike = {number for asset in excused for number in figures.joined[asset]}
        unexplained = _unexplained(counted, set(figures.joined), merged)
        figures.unexplained = unexplained - excused
        figures.hollow = figures.assets - len(by_asset)
        telling = {each.asset for each in counted if self.own(each)}
        whole = [assets for assets in by_machine.values() if assets <= figures.displaced]
        figures.hidden = figures.displaced & telling.union(*whole)
        self._rest(figures, by_machine)
        return figures

    def _find(self, connection: Connection, figures: Figures) -> None:
        """Note with each record which asset it went to."""
        found = defaultdict[Place, list[int]](list)
        how = {}
        for scan, asset, packed, by in connection.execute(
            select(SIGHTS.c.scan_id, SIGHTS.c.asset_id, SIGHTS.c.packed, SIGHTS.c.how)
        ):
            found[scan, packed].append(asset)
            how[scan, packed, asset] = by
        figures.invented = [place for place in found if place not in self.seen]
        for place, records in self.seen.items():
            assets = found.get(place, [])
            if len(assets) == 1:
                for each in records:
                    each.asset = assets[0]
            elif assets:
                _by_moment(connection, place, assets, records)
            if not assets or not all(each.asset for each in records):
                figures.lost.append(place)
            for each in records:
                each.scan, each.how = place[0], how.get((*place, each.asset), "")

    def _counted(self) -> Iterator[Seen]:
        """The records that tell, and those at their machine's own address."""
        for (_, packed), records in self.seen.items():
            for each in records:
                if self.own(each) or self.settled(packed, each):
                    yield each

    def _divided(self, numbers: set[int]) -> set[int]:
        """Machines whose records nothing joins: no word of their own, no address, nor place in a scan.

        An address joins what one system said: another one that says nothing of the old one's might as well be
        another machine that took its place.
        """
        parts: dict[int, list[set[object]]] = {number: [] for number in numbers}
        for place, records in self.seen.items():
            alone = len({each.machine.number for each in records}) == 1
            for each in records:
                if each.machine.number in numbers:
                    links: set[object] = {word for word in each.words if len(self.sayers[word]) == 1}
                    if self.settled(place[1], each):
                        links.add((place[1], each.system))
                    if links and alone and len(records) > 1:
                        links.add(place)  # heard at one address in one scan
                    if links:
                        unite(parts[each.machine.number], links)
        return {number for number, groups in parts.items() if len(groups) > 1}

    def _hands_on(self, numbers: Sequence[int]) -> bool:
        """Whether one of two answers by the other's name, and said nothing else at first."""
        first = {
            number: next(words for words in self._visits(number))
            for number in numbers
            if {each.number for each in self.machines[number].mimics} & {*numbers}
        }
        return len(numbers) == 2 and any(
            not any(len(self.sayers[word]) == 1 for word in words) for words in first.values()
        )

    def _visits(self, number: int) -> Iterator[frozenset[Word]]:
        """What a machine said from one time to the next, by name."""
        for records in self.seen.values():
            for each in records:
                if each.machine.number == number and any(sort in NAMES for sort, _ in each.words):
                    yield frozenset(word for word in each.words if word[0] not in HARD)

    def _said(self, numbers: set[int]) -> dict[int, set[Word]]:
        """By machine, all the words that it said."""
        said: dict[int, set[Word]] = {number: set() for number in numbers}
        for word, sayers in self.sayers.items():
            for number in sayers & numbers:
                said[number].add(word)
        return said

    def _rest(self, figures: Figures, homes: dict[int, set[int]]) -> None:
        for (_, packed), records in self.seen.items():
            for each in records:
                if not self.own(each) and not self.settled(packed, each):
                    at_home = each.asset in homes.get(each.machine.number, ())
                    (figures.shared if each.words else figures.blind)[at_home] += 1


def _grouped(counted: Iterable[Seen]) -> tuple[dict[int, set[int]], dict[int, set[int]]]:
    by_machine, by_asset = defaultdict[int, set[int]](set), defaultdict[int, set[int]](set)
    for each in counted:
        by_machine[each.machine.number].add(each.asset)
        by_asset[each.asset].add(each.machine.number)
    return by_machine, by_asset


def _by_moment(connection: Connection, place: Place, assets: Sequence[int], records: Sequence[Seen]) -> None:
    """Several assets were at one address in one scan: which record is whose, their moments tell."""
    scan, packed = place
    rows = connection.execute(
        select(OBSERVATIONS.c.asset_id, OBSERVATIONS.c.at).where(
            OBSERVATIONS.c.asset_id.in_(assets),
            OBSERVATIONS.c.scan_id == scan,
            OBSERVATIONS.c.address == str(ip_address(packed)),
        )
    )
    at = {moment.isoformat(): asset for asset, moment in rows}
    for each in records:
        each.asset = at.get(each.at, 0)


def _unexplained(counted: Iterable[Seen], joined: set[int], merged: set[int]) -> set[int]:
    """Assets to which another machine came by its address alone, or by nothing that is named."""
    first: dict[int, int] = {}
    came: dict[tuple[int, int], set[str]] = defaultdict(set)
    for each in sorted(counted, key=lambda seen: (seen.scan, seen.at)):
        if each.asset in joined:
            first.setdefault(each.asset, each.machine.number)
            came[each.asset, each.machine.number].add(each.how)
    return {
        asset
        for (asset, machine), by in came.items()
        if machine != first[asset] and asset not in merged and by <= {"", "address"}
    }
