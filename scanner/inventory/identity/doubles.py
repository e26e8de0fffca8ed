"""What was met of a machine apart from it, and is gone: by its traits it was that machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner.inventory.identity.traits import ADDRESS, CARD, rules, settles, weight_of
from scanner.inventory.identity.weighing import followed
from scanner.inventory.utc import moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from scanner.inventory.identity.known import Known
    from scanner.inventory.identity.question import Question


def _is_double(question: Question, one: Known, other: Known) -> bool:
    """Whether an asset has nothing that the one has not, and was met but once, or has been gone for days.

    A machine that is met at two addresses in one scan, and says little at one of them, is taken for two.
    """
    if other.met_at(question.scan) or not _is_within(one, other):
        return False
    shared = set(_theirs_alone(question, one, other))
    installed = any(rules().kinds[kind].group == "installed" for kind in shared)
    once = not other.lasted and _was_missed(question, one, other)
    return bool(shared) and (once or (installed and _is_gone(one, other)))


def _was_renamed(question: Question, one: Known, other: Known) -> bool:
    """Whether a system goes on under another name: what came with it is nobody else's, and the old is gone.

    Clones have what their image has, but their image goes on, or others have it too.
    """
    installed = any(rules().kinds[kind].group == "installed" for kind in _theirs_alone(question, one, other))
    return (
        installed
        and one.lasted
        and not other.met_at(question.scan)
        and followed(one, other, question.holders)
        and _is_gone(one, other)
    )


def _is_its_card(question: Question, one: Known, other: Known) -> bool:
    """Whether an asset is no more than the only card that the one has as well, and nobody else ever had."""
    cards = other.kinds.get(CARD, {}).keys()
    return (
        not other.says_more
        and cards == one.kinds.get(CARD, {}).keys()
        and len(cards) == 1
        and all(settles(card) and len(question.holders.of(CARD, card)) == 2 for card in cards)  # noqa: PLR2004 - of these two
        and not other.met_at(question.scan)
    )


def _is_within(one: Known, other: Known) -> bool:
    """Whether of all that is known of an asset, but for its cards, the one has something as well."""
    return all(
        not values or values.keys() & one.kinds.get(kind, {}).keys()
        for kind, values in other.kinds.items()
        if kind != CARD and rules().kinds[kind].differs
    )


def _theirs_alone(question: Question, one: Known, other: Known) -> Iterator[str]:
    """The kinds of which two assets share what weighs enough, and nobody else has."""
    for kind, values in other.kinds.items():
        if kind in {ADDRESS, CARD}:
            continue
        for value in values.keys() & one.kinds.get(kind, {}).keys():
            if weight_of(kind, value) >= rules().enough and question.holders.of(kind, value).keys() <= {
                one.id,
                other.id,
            }:
                yield kind


def _was_missed(question: Question, one: Known, other: Known) -> bool:
    """Whether an earlier scan met the one, and the other no more."""
    mine = (tenure.scan for tenure in one.kinds.get(ADDRESS, {}).values())
    last = max((scan for scan in mine if scan != question.scan), default=0)
    return last > max((tenure.scan for tenure in other.kinds.get(ADDRESS, {}).values()), default=last)


def _is_gone(one: Known, other: Known) -> bool:
    """Whether scans met the one for days after they last met the other."""
    met = one.last and other.last
    return bool(met) and (moment(one.last) - moment(other.last)).days >= rules().settled_days


DOUBLES: Final[tuple[Callable[[Question, Known, Known], bool], ...]] = (
    _is_double,
    _was_renamed,
    _is_its_card,
)
"""What shows that an asset was another one, once."""
