"""Which asset a host is: one that is known, several that turn out to be one, or a new one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from scanner.inventory.identity.traits import ADDRESS, CARD, rules, settles
from scanner.inventory.identity.weighing import (
    Likeness,
    alike,
    differ,
    followed,
    has_stayed,
    in_turn,
    likeness,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from scanner.inventory.identity.traits import Traits
    from scanner.inventory.identity.weighing import Holders, Known


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
    alike = sorted(map(_likeness_in(question), _akin(question)), key=_rank(question), reverse=True)
    if alike and alike[0].enough:
        best = alike[0]
        return Choice(best.asset, best.how, tuple(_also(question, best, alike[1:])))
    return _by_address(question, alike)


def _akin(question: Question) -> list[Known]:
    """The assets that have any of its traits but its address."""
    holders = question.holders
    akin = {asset for kind, value in question.traits if kind != ADDRESS for asset in holders.of(kind, value)}
    return [question.known[asset] for asset in sorted(akin) if asset in question.known]


def _likeness_in(question: Question) -> Callable[[Known], Likeness]:
    """How alike the host and an asset are, where it was met included."""

    def measured(known: Known) -> Likeness:
        found = likeness(question.traits, known, question.holders, question.scan)
        if (
            CARD in found.other
            and not any(rules().kinds[kind].group == "installed" for kind in found.same)
            and not question.agrees(known.id)
        ):
            return replace(found, score=found.score + rules().elsewhere)  # it has the name, and nothing else
        sure = "name" in found.same and not _two_certificates(question, known)
        sure = sure or _is_also_here(question, known)
        if known.is_elsewhere(question.address, question.scan):
            if not any(rules().kinds[kind].own for kind in found.same):
                return replace(found, score=0)
            if not sure:
                return replace(found, score=found.score + rules().elsewhere)
        return found

    return measured


def _is_also_here(question: Question, known: Known) -> bool:
    """Whether a host, of which a card alone is told, is an asset that had it alone, at one more address."""
    kinds = {kind for kind, _ in question.traits}
    tenures = known.kinds.get(CARD, {})
    return (
        kinds == {CARD, ADDRESS}
        and known.met_at(question.scan) < rules().addresses
        and all(
            value in tenures
            and settles(value)
            and tenures[value].before
            and len(question.holders.of(CARD, value)) == 1
            for kind, value in question.traits
            if kind == CARD
        )
    )


def _two_certificates(question: Question, known: Known) -> bool:
    """Whether one scan heard another certificate of it."""
    mine = {value for kind, value in question.traits if kind == "certificate"}
    theirs = known.kinds.get("certificate", {})
    heard = {value for value, tenure in theirs.items() if tenure.scan == question.scan}
    return bool(mine and heard) and not mine & theirs.keys()


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
        each.asset: each.how
        for each in rest
        if _joins(question, one, each)
        or _in_turn(question, one, each)
        or _went_before(question, one, question.known[each.asset])
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


def _went_before(question: Question, one: Known, other: Known) -> bool:
    """Whether the only card that both ever had is the one's for days, and all else of the other ended."""
    mine, theirs = one.kinds.get(CARD, {}), other.kinds.get(CARD, {})
    return (
        len(mine) == 1
        and mine.keys() == theirs.keys()
        and all(settles(card) and has_stayed(tenure) for card, tenure in mine.items())
        and all(len(question.holders.of(CARD, card)) == 2 for card in mine)  # noqa: PLR2004 - of these two
        and other.says_more
        and followed(one, other)
        and not _both_met(question, one.id, other.id)
    )


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
    if _has_all(question, one, other):
        return True
    alone = not _others(question, best, asset)
    may_be = alike(one, other) or (alone and followed(one, other))
    if here[0] is not None and here[1].first < here[0].last < here[1].last:
        return may_be or (alone and _is_part(question, other))
    places = mine.keys() & theirs.keys() - {question.address}
    return may_be and any(mine[each].scan == theirs[each].scan for each in places)


def _has_all(question: Question, one: Known, other: Known) -> bool:
    """Whether an asset is no more than a card that the host has as well, and nobody else."""
    cards = other.kinds.get(CARD, {}).keys()
    is_card = {kind for kind, values in other.kinds.items() if values} == {CARD, ADDRESS}
    holders = {asset for card in cards for asset in question.holders.of(CARD, card)}
    mine = {value for kind, value in question.traits if kind == CARD} | one.kinds.get(CARD, {}).keys()
    return is_card and cards <= mine and holders <= {one.id, other.id}


def _others(question: Question, *assets: int) -> list[int]:
    """Assets with more than an address, besides these, that were met here."""
    here = question.holders.of(ADDRESS, question.address)
    return [asset for asset in here if asset not in assets and question.known[asset].named]


def _is_part(question: Question, other: Known) -> bool:
    """Whether an asset is no more than a card that was never seen but here."""
    is_card = {kind for kind, values in other.kinds.items() if values} == {CARD, ADDRESS}
    return is_card and set(other.kinds[ADDRESS]) == {question.address}


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
    akin = {each.asset: each for each in alike}
    here = [
        akin.get(asset, Likeness(asset, 0))
        for asset in tenures
        if not differ(question.traits, question.known[asset])
        and not _elsewhere(question, asset)
        and (question.agrees(asset) or (asset in akin and {"name", "fqdn"} & {*akin[asset].same}))  # upgraded
    ]
    named = [asset for asset in tenures if question.known[asset].named]
    silent = {kind for kind, _ in question.traits} == {ADDRESS}
    just_met = [each for each in here if tenures[each.asset].scan == question.scan]
    card_only = {kind for kind, _ in question.traits} == {CARD, ADDRESS}
    known_by_more = [
        each for each in here if each.score > rules().passing_weight or (card_only and CARD in each.same)
    ]
    if just_met:
        here = just_met
    elif known_by_more:
        here = known_by_more
    elif (
        len(named) > 1
        or any(not _is_at_home(question, each.asset) for each in here if each.asset in named)
        or (named and named[0] not in {each.asset for each in here})
    ):
        # The address goes from machine to machine: what says nothing of its own stays with its like.
        here = [each for each in here if silent and not question.known[each.asset].named]
    latest = max(here, key=lambda each: tenures[each.asset].last, default=None)
    return Choice() if latest is None else Choice(latest.asset, latest.how or ADDRESS)


def _is_at_home(question: Question, asset: int) -> bool:
    """Whether an asset was nowhere else since it was here: what moves on leaves its address to others."""
    tenures = question.known[asset].kinds[ADDRESS]
    return tenures[question.address].scan >= max(each.scan for each in tenures.values())


def _elsewhere(question: Question, asset: int) -> bool:
    return question.known[asset].is_elsewhere(question.address, question.scan)
