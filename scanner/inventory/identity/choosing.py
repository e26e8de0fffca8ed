"""Which asset a host is: one that is known, several that turn out to be one, or a new one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from scanner.inventory.identity.traits import ADDRESS, CARD, rules
from scanner.inventory.identity.weighing import alike, differ, in_turn, likeness

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from scanner.inventory.identity.traits import Traits
    from scanner.inventory.identity.weighing import Holders, Known, Likeness


_INSTALLED: Final = frozenset({"guid", "host key", "certificate"})
"""What comes with a system, and not with a name."""
_OFTEN: Final = 2
"""Other addresses at which two assets were met together before they are one, whatever their names."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What became of a host."""

    asset: int | None = None
    """None: a machine that nobody knew."""
    how: str = ""
    """What it was known again by, as it is stored."""
    also: tuple[tuple[int, str], ...] = ()
    """Assets that are the same machine as well, each with what shows it."""


@dataclass(frozen=True, slots=True)
class Question:
    """One host, and all that may be it."""

    address: str
    scan: int
    traits: Traits
    known: Mapping[int, Known]
    """The assets that have any of its traits, its address among them."""
    holders: Holders
    apart: Collection[frozenset[int]]
    """Pairs that somebody decided to be two machines."""
    agrees: Callable[[int], bool]
    """Whether an asset's system may be the host's."""


def choose(question: Question) -> Choice:
    """Decide which asset a host is."""
    alike = sorted(
        map(question_likeness(question), question.known.values()), key=_rank(question), reverse=True
    )
    if alike and alike[0].enough:
        best = alike[0]
        return Choice(best.asset, best.how, tuple(_also(question, best, alike[1:])))
    return _by_address(question, alike)


def question_likeness(question: Question) -> Callable[[Known], Likeness]:
    """How alike the host and an asset are, where it was met included."""

    def measured(known: Known) -> Likeness:
        found = likeness(question.traits, known, question.holders, question.scan)
        if CARD in found.other and not _INSTALLED.intersection(found.same) and not question.agrees(known.id):
            return replace(found, score=found.score + rules().elsewhere)  # it has the name, and nothing else
        sure = "name" in found.same and not _differ("certificate", question.traits, known)
        if not sure and known.is_elsewhere(question.address, question.scan):
            return replace(found, score=found.score + rules().elsewhere)
        return found

    return measured


def _differ(kind: str, traits: Traits, known: Known) -> bool:
    """Whether both have values of a kind, and none in common."""
    mine, theirs = {value for each, value in traits if each == kind}, known.kinds.get(kind, {}).keys()
    return bool(mine and theirs) and not mine & theirs


def _rank(question: Question) -> Callable[[Likeness], tuple[object, ...]]:
    """The best first; of equals, whoever had the address last, then the oldest asset.

    Who is known by more than a card comes first: a card may be a dock's.
    """
    tenures = question.holders.of(ADDRESS, question.address)

    def rank(each: Likeness) -> tuple[object, ...]:
        by_more = each.enough and bool({*each.same} - {CARD, ADDRESS})
        return by_more, each.score, tenures[each.asset].last if each.asset in tenures else "", -each.asset

    return rank


def _also(question: Question, best: Likeness, rest: Sequence[Likeness]) -> list[tuple[int, str]]:
    """Assets that the host shows to be one with the best: as surely, and against nothing that is known."""
    one = question.known[best.asset]
    found = {
        each.asset: each.how for each in rest if _joins(question, one, each) or _in_turn(question, one, each)
    }
    for asset in (*_nameless(question, best.asset), *_together(question, best.asset)):
        found.setdefault(asset, ADDRESS)
    return [(asset, how) for asset, how in found.items() if {best.asset, asset} not in question.apart]


def _joins(question: Question, one: Known, each: Likeness) -> bool:
    """Whether the host is another asset as surely, and nothing says that the two are not one."""
    sure = each.enough and alike(one, question.known[each.asset])
    return sure and not _both_met(question, one.id, each.asset)


def _in_turn(question: Question, one: Known, each: Likeness) -> bool:
    """Whether an asset bears the other one's name in turn, and is nowhere else now."""
    is_other = _elsewhere(question, each.asset) or not question.agrees(each.asset)
    return not is_other and in_turn(one, question.known[each.asset], question.holders)


def _together(question: Question, best: int) -> list[int]:
    """Assets that scans met here whenever they met this one: a router told the card, a visit the name."""
    tenures = question.holders.of(ADDRESS, question.address)
    return [
        asset
        for asset, tenure in tenures.items()
        if asset != best
        and tenure.scan == question.scan
        and _are_together(question, best, asset)
        and question.agrees(asset)
    ]


def _are_together(question: Question, best: int, asset: int) -> bool:
    """Whether two assets, met here in one scan, were met together before."""
    one, other = question.known[best], question.known[asset]
    mine, theirs = one.kinds.get(ADDRESS, {}), other.kinds.get(ADDRESS, {})
    here = mine.get(question.address), theirs[question.address]
    if here[0] is not None and alike(one, other) and here[1].first < here[0].last < here[1].last:
        return True
    places = [each for each in mine.keys() & theirs.keys() if mine[each].scan == theirs[each].scan]
    return len([each for each in places if each != question.address]) >= _OFTEN


def _nameless(question: Question, best: int) -> list[int]:
    """Assets of which nothing is known but that they answered here, where nobody else was: this one."""
    here = question.holders.of(ADDRESS, question.address)
    named = [asset for asset in here if question.known[asset].named and asset != best]
    return [
        asset
        for asset in here
        if asset != best
        and not named
        and set(question.known[asset].kinds[ADDRESS]) == {question.address}
        and question.agrees(asset)
        and not _both_met(question, best, asset)
    ]


def _both_met(question: Question, one: int, other: int) -> bool:
    """Whether one scan met both, each at an address of its own."""
    addresses = [question.known[asset].kinds.get(ADDRESS, {}).values() for asset in (one, other)]
    mine, theirs = ({tenure.scan for tenure in tenures} for tenures in addresses)
    return bool(mine & theirs)


def _by_address(question: Question, alike: Sequence[Likeness]) -> Choice:
    """Where too little tells: the machine that alone had this address, if nothing speaks against it."""
    tenures = question.holders.of(ADDRESS, question.address)
    here = [each for each in alike if each.asset in tenures and question.agrees(each.asset)]
    here = [
        each
        for each in here
        if not differ(question.traits, question.known[each.asset]) and not _elsewhere(question, each.asset)
    ]
    named = [asset for asset in tenures if question.known[asset].named]
    silent = {kind for kind, _ in question.traits} == {ADDRESS}
    just_met = [each for each in here if tenures[each.asset].scan == question.scan]
    if just_met:
        here = just_met
    elif len(named) > 1 or (named and named[0] not in {each.asset for each in here}):
        # The address goes from machine to machine: what says nothing of its own stays with its like.
        here = [each for each in here if silent and not question.known[each.asset].named]
    latest = max(here, key=lambda each: tenures[each.asset].last, default=None)
    return Choice() if latest is None else Choice(latest.asset, ADDRESS)


def _elsewhere(question: Question, asset: int) -> bool:
    return question.known[asset].is_elsewhere(question.address, question.scan)
