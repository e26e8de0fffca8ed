"""Which assets turn out to be one with the asset that a host is: what was met apart comes together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner.inventory.identity.doubles import DOUBLES
from scanner.inventory.identity.holders import stays_with
from scanner.inventory.identity.known import went_together, words_of
from scanner.inventory.identity.traits import ADDRESS, CARD, rules, settles
from scanner.inventory.identity.weighing import alike, followed, has_stayed, in_turn, system_in_turn
from scanner.inventory.utc import moment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scanner.inventory.identity.known import Known, Tenure
    from scanner.inventory.identity.question import Question
    from scanner.inventory.identity.weighing import Likeness

_BESIDE: Final = 2
"""Scans that met two assets of one name side by side: one of them hands on what the other one says."""


def also_it(question: Question, best: Likeness, rest: Sequence[Likeness]) -> tuple[tuple[int, str], ...]:
    """Assets that the host shows to be one with the best: as surely, and against nothing that is known."""
    one = question.known[best.asset]
    found = {
        each.asset: each.how
        for each in rest
        if _joins(question, one, each)
        or _in_turn(question, one, each)
        or _went_before(question, one, question.known[each.asset])
    }
    found |= doubles_of(question, best.asset, rest)
    for asset in (*_nameless(question, best.asset), *_together(question, best.asset)):
        found.setdefault(asset, ADDRESS)
    return tuple((asset, how) for asset, how in found.items() if {best.asset, asset} not in question.apart)


def doubles_of(question: Question, asset: int, akin: Sequence[Likeness]) -> tuple[tuple[int, str], ...]:
    """Assets among those with any of the host's traits that were this one, once; each with what shows it."""
    one = question.known[asset]
    return tuple(
        (each.asset, each.how)
        for each in akin
        if each.asset != asset
        and {asset, each.asset} not in question.apart
        and any(shows(question, one, question.known[each.asset]) for shows in DOUBLES)
    )


def _joins(question: Question, one: Known, each: Likeness) -> bool:
    """Whether the host is another asset as surely, and nothing says that the two are not one."""
    sure = each.enough and alike(one, question.known[each.asset], question.holders)
    return sure and not _both_met(question, one.id, each.asset)


def _in_turn(question: Question, one: Known, each: Likeness) -> bool:
    """Whether an asset bears the other one's name, or has its system, in turn, and is nowhere else now."""
    if question.is_elsewhere(each.asset) or not question.agrees(each.asset):
        return False
    other = question.known[each.asset]
    if system_in_turn(one, other, question.holders) and not question.met_both(one.id, other.id):
        return True  # copies of one image are met side by side
    return in_turn(one, other, question.holders) and (
        _have_one_system(one, other) or question.met_both(one.id, other.id) < _BESIDE
    )


def _have_one_system(one: Known, other: Known) -> bool:
    """Whether two assets share anything that was made with a system: a proxy has none but its own."""
    return any(
        one.kinds.get(kind, {}).keys() & other.kinds.get(kind, {}).keys()
        for kind, rule in rules().kinds.items()
        if rule.group == "installed"
    )


def _went_before(question: Question, one: Known, other: Known) -> bool:
    """Whether the only card that both ever had is the one's for days, and all else of the other ended."""
    mine, theirs = one.kinds.get(CARD, {}), other.kinds.get(CARD, {})
    return (
        len(mine) == 1
        and mine.keys() == theirs.keys()
        and all(settles(card) and has_stayed(tenure) for card, tenure in mine.items())
        and all(len(question.holders.of(CARD, card)) == 2 for card in mine)  # noqa: PLR2004 - of these two
        and other.says_more
        and followed(one, other, question.holders)
        and not _both_met(question, one.id, other.id)
    )


def _together(question: Question, best: int) -> list[int]:
    """Assets that scans met here whenever they met this one: a router told the card, a visit the name."""
    one, here = question.known[best], question.address
    return [
        asset
        for asset, tenure in question.holders.of(ADDRESS, here).items()
        if asset != best
        and tenure.scan == question.scan
        and _are_together(question, best, asset)
        # what was heard once where it was met, and not again where both went, was another machine
        and (
            question.agrees(asset)
            or went_together(one, question.known[asset], here, question.known[asset].told)
        )
    ]


def _are_together(question: Question, best: int, asset: int) -> bool:
    """Whether two assets, met here in one scan, were met together before."""
    one, other = question.known[best], question.known[asset]
    mine, theirs = one.kinds.get(ADDRESS, {}), other.kinds.get(ADDRESS, {})
    here = mine.get(question.address), theirs[question.address]
    if _has_all(question, one, other):
        return True
    alone = not _others(question, best, asset)
    sole = alone or _has_one_card(question, other)
    ended = sole and followed(one, other, question.holders) and _has_ended(one, other)
    may_be = alike(one, other, question.holders) or ended or _got_its_card(question, one, other)
    if here[0] is not None and here[1].first < here[0].last < here[1].last:
        return may_be or (alone and _is_part(one, other))
    return may_be and went_together(one, other, question.address)


def _has_one_card(question: Question, known: Known) -> bool:
    """Whether an asset never had any card but one, which nobody else has: it is no dock's."""
    cards = known.kinds.get(CARD, {})
    return len(cards) == 1 and all(stays_with(question.holders, card, known.id) for card in cards)


def _got_its_card(question: Question, one: Known, other: Known) -> bool:
    """Whether an asset is the card of a new mainboard: the old one ended before, and the system went on."""
    cards = other.kinds.get(CARD, {})
    if other.says_more or not _has_one_card(question, other) or not all(map(has_stayed, cards.values())):
        return False
    since = min(tenure.first for tenure in cards.values())
    mine = one.kinds.get(CARD, {})
    ended = [
        tenure.last < since for card, tenure in mine.items() if stays_with(question.holders, card, one.id)
    ]
    return (
        bool(ended)
        and all(ended)
        and any(
            tenure.first < since < tenure.last
            for kind, values in one.kinds.items()
            if rules().kinds[kind].group == "installed"
            for tenure in values.values()
        )
    )


def _has_ended(one: Known, other: Known) -> bool:
    """Whether the words of an asset were heard no more for days, while its card went on.

    A dock is met with one laptop today, and with another one tomorrow.
    """
    words = [tenure.last for tenure in words_of(other)]
    if not words or not one.last:  # nobody knows where an asset was that an import told
        return not words
    return (moment(one.last) - moment(max(words))).days >= rules().settled_days


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


def _is_part(one: Known, other: Known) -> bool:
    """Whether an asset is no more than a card that was never seen but where the one was."""
    is_card = {kind for kind, values in other.kinds.items() if values} == {CARD, ADDRESS}
    return is_card and other.kinds[ADDRESS].keys() <= one.kinds.get(ADDRESS, {}).keys()


def _nameless(question: Question, best: int) -> list[int]:
    """Assets that have nothing but what the one has too, and were met only here, where nobody else was.

    Where others were before, the one must have been here before and after, and nobody else since.
    """
    here = question.holders.of(ADDRESS, question.address)
    less = [asset for asset in here if asset != best and question.known[asset].is_less(question.known[best])]
    named = [here[asset] for asset in here if question.known[asset].named and asset not in {best, *less}]

    def was_it(ghost: Tenure) -> bool:
        stayed = best in here and here[best].first < ghost.first
        return not named or (stayed and all(other.last < ghost.first for other in named))

    return [
        asset
        for asset in less
        if was_it(here[asset])
        and set(question.known[asset].kinds[ADDRESS]) == {question.address}
        and question.agrees(asset)
        and not _both_met(question, best, asset)
    ]


def _both_met(question: Question, one: int, other: int) -> bool:
    """Whether one scan met both, each at an address of its own."""
    mine, theirs = (question.known[asset].kinds.get(ADDRESS, {}) for asset in (one, other))
    return any(
        tenure.scan == each.scan and address != place
        for address, tenure in mine.items()
        for place, each in theirs.items()
    )
