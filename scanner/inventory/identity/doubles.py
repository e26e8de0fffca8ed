"""What was met of a machine apart from it, and is gone: by its traits it was that machine."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from scanner.inventory.identity.holders import stays_with
from scanner.inventory.identity.known import words_of
from scanner.inventory.identity.traits import (
    ADDRESS,
    CARD,
    ENGINE,
    REMEMBERED,
    is_cut,
    rules,
    settles,
    weight_of,
)
from scanner.inventory.identity.weighing import cards_differ, followed, has_stayed
from scanner.inventory.utc import moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from scanner.inventory.identity.known import Known, Tenure
    from scanner.inventory.identity.question import Question
    from scanner.inventory.identity.traits import Words

_NUMBERED: Final = re.compile(r"(?i:(?=[a-f]*[0-9])[0-9a-f]{6})")
"""Half of a card's address or more, as makers put it into names of devices: longer than models' numbers."""


def _is_double(question: Question, one: Known, other: Known) -> bool:
    """Whether an asset has nothing that the one has not, and was met but once, or has been gone for days.

    A machine that is met at two addresses in one scan, and says little at one of them, is taken for two.
    """
    if not _is_past(question, one, other):
        return False
    shared = set(_theirs_alone(question, one, other))
    installed = any(rules().kinds[kind].group == "installed" for kind in shared)
    differ = cards_differ(one, other, question.holders)
    # two of one model have its key, and that alone; a laptop in its dock has its name as well
    if differ and not _names(one) & _names(other):
        return False
    return bool(shared) and (installed or not differ or not other.lasted)


def _is_past(question: Question, one: Known, other: Known) -> bool:
    """Whether an asset that has nothing else than the one was met but once and then missed, or is gone."""
    once = not other.lasted and _was_missed(question, one, other)
    return (
        not _is_there(question, other) and _is_within(one, other) and (once or _is_gone(question, one, other))
    )


def _was_renamed(question: Question, one: Known, other: Known) -> bool:
    """Whether a system goes on under another name: what came with it is nobody else's, and the old is gone.

    Clones have what their image has, but their image goes on, or others have it too.
    """
    return _has_followed(question, one, other) and any(
        rules().kinds[kind].group == "installed" for kind in _theirs_alone(question, one, other)
    )


def _was_installed_anew(question: Question, one: Known, other: Known) -> bool:
    """Whether a new system goes on under the name that a domain has once, and the old one is gone.

    Whoever takes a machine's place may take its name too: so both have a card that nobody else has, or
    neither has any.
    """
    mine, theirs = one.kinds.get(CARD, {}).keys(), other.kinds.get(CARD, {}).keys()
    return (
        (not (mine or theirs) or _have_alone(question, one, other))
        and _has_followed(question, one, other)
        and any(rules().kinds[kind].group == "names" for kind in _theirs_alone(question, one, other))
    )


def _bears_its_name(question: Question, one: Known, other: Known) -> bool:
    """Whether a new system of no domain goes on where the old one was, under a name that nobody else bears.

    Or elsewhere, where its maker made the name of its card's address or of its number.
    """
    cards = [each.kinds.get(CARD, {}) for each in (one, other)]
    engines = [each.kinds.get(ENGINE, {}).keys() for each in (one, other)]
    mine, theirs = _names(one), _names(other)
    return (
        (not all(cards) or _have_alone(question, one, other))
        and (not all(engines) or bool(engines[0] & engines[1]))
        and not any(weight_of(*name) >= rules().enough for name in mine | theirs)
        and _has_followed(question, one, other)
        and any(
            question.holders.of(kind, name).keys() == {one.id, other.id}
            and not (kind == "name" and is_cut(name))
            and (_NUMBERED.search(name) or _last_place(other) in one.kinds[ADDRESS])
            for kind, name in mine & theirs
        )
    )


def _names(known: Known) -> set[Words]:
    """What an asset is called."""
    kinds = rules().kinds
    return {
        (kind, name) for kind, names in known.kinds.items() if kinds[kind].group == "names" for name in names
    }


def _last_place(known: Known) -> str:
    """Where an asset was met last."""
    places = known.kinds[ADDRESS]
    return max(places, key=lambda place: places[place].last)


def _have_alone(question: Question, one: Known, other: Known) -> bool:
    """Whether two assets share a card that stays with a machine, and nobody else has it."""
    shared = one.kinds.get(CARD, {}).keys() & other.kinds.get(CARD, {}).keys()
    return any(stays_with(question.holders, card, one.id, other.id) for card in shared)


def _kept_its_card(question: Question, one: Known, other: Known) -> bool:
    """Whether one came after the other, and both told of the only cards that nobody else has.

    Of one of them for days. A laptop that is installed anew is first met in a dock; its radio shows later
    whose it was.
    """
    mine, theirs = one.kinds.get(CARD, {}), other.kinds.get(CARD, {})
    cards = mine.keys() | theirs.keys()
    sole = [card for card in cards if stays_with(question.holders, card, one.id, other.id)]
    return (
        all(card in known and known[card].key != REMEMBERED for card in sole for known in (mine, theirs))
        and any(has_stayed(mine[card]) and has_stayed(theirs[card]) for card in sole)
        and _has_followed(question, one, other)
    )


def _has_followed(question: Question, one: Known, other: Known) -> bool:
    """Whether an asset is gone, and all that tells the one from it came afterwards."""
    return (
        (one.lasted or not one.met_at(question.scan))  # it is met now as well
        and not _is_there(question, other)
        and _is_gone(question, one, other)
        and followed(one, other, question.holders)
    )


def _is_its_card(question: Question, one: Known, other: Known) -> bool:
    """Whether an asset is no more than cards that the one has as well, and nobody else ever had."""
    cards = other.kinds.get(CARD, {}).keys()
    mine = one.kinds.get(CARD, {}).keys() | {value for kind, value in question.traits if kind == CARD}
    return (
        bool(cards)
        and cards <= mine
        and other.is_less(one, but=(ADDRESS, CARD))
        and all(settles(card) and _have_less(question, one, card) for card in cards)
        and not other.met_at(question.scan)
    )


def _have_less(question: Question, one: Known, card: str) -> bool:
    """Whether all who have a card have nothing, but for cards, that the one has not."""
    holders = question.holders.of(CARD, card).keys() - {one.id}
    return all(
        each in question.known and question.known[each].is_less(one, but=(ADDRESS, CARD)) for each in holders
    )


def _is_within(one: Known, other: Known) -> bool:
    """Whether of all that is known of an asset, but for its cards, the one has something as well."""
    return all(
        not values or values.keys() & one.kinds.get(kind, {}).keys()
        for kind, values in other.kinds.items()
        if kind != CARD and rules().kinds[kind].differs
    )


def _theirs_alone(question: Question, one: Known, other: Known) -> Iterator[str]:
    """The kinds of which two assets share what weighs enough, and nobody else has but their doubles."""
    for kind, values in other.kinds.items():
        if kind in {ADDRESS, CARD}:
            continue
        for value in values.keys() & one.kinds.get(kind, {}).keys():
            others = question.holders.of(kind, value).keys() - {one.id, other.id}
            if question.holders.weight_of(kind, value) >= rules().enough and all(
                each in question.known and _is_past(question, one, question.known[each]) for each in others
            ):
                yield kind


def _was_missed(question: Question, one: Known, other: Known) -> bool:
    """Whether an earlier scan met the one, and the other no more."""
    mine = (tenure.scan for tenure in one.kinds.get(ADDRESS, {}).values())
    last = max((scan for scan in mine if scan != question.scan), default=0)
    return last > max((tenure.scan for tenure in other.kinds.get(ADDRESS, {}).values()), default=last)


def _signs(question: Question, other: Known) -> list[Tenure]:
    """What shows that an asset is there: of what is met by the cards of docks, which go round, its words."""
    words = words_of(other)
    docked = words and question.holders.go_round(other.kinds.get(CARD, ()))
    return words if docked else [*other.kinds.get(ADDRESS, {}).values()]


def _is_there(question: Question, other: Known) -> bool:
    """Whether this scan met an asset."""
    return any(tenure.scan == question.scan for tenure in _signs(question, other))


def _is_gone(question: Question, one: Known, other: Known) -> bool:
    """Whether scans met the one for days after they last met the other."""
    last = max((tenure.last for tenure in _signs(question, other)), default="")
    return bool(one.last and last) and (moment(one.last) - moment(last)).days >= rules().settled_days


DOUBLES: Final[tuple[Callable[[Question, Known, Known], bool], ...]] = (
    _is_double,
    _was_renamed,
    _was_installed_anew,
    _bears_its_name,
    _kept_its_card,
    _is_its_card,
)
"""What shows that an asset was another one, once."""
