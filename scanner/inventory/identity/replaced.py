"""Whether an asset turns out to have been another machine for a while: its hardware and its system changed.

Whoever takes a machine's place under its name is first heard by that name alone, and taken for it. What is
heard later shows it: the old card is gone for days, another one is there instead, and nothing that came with
the old system was heard since.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from scanner.inventory.identity.known import Part, went_together
from scanner.inventory.identity.traits import ADDRESS, CARD, rules, settles
from scanner.inventory.identity.weighing import has_stayed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scanner.inventory.identity.known import Known, Tenure
    from scanner.inventory.identity.question import Question


class _Event(NamedTuple):
    """From when to when an asset was known by something."""

    kind: str
    value: str
    tenure: Tenure


def replaced_since(question: Question, asset: int) -> Part | None:
    """Since when an asset is another machine, if anything shows that it is.

    Cards that others have too, docks' and those made up tell nothing here.
    """
    known = question.known[asset]
    cards = [
        card for each in (known, *_cards_beside(question, known)) for card in _sole_cards(question, each)
    ]
    if len(cards) < 2:  # noqa: PLR2004 - one before, one since
        return None
    events = cards + _made(known)
    for since in sorted({each.tenure.first for each in events})[1:]:
        before = [each for each in events if each.tenure.first < since]
        after = [each for each in events if each.tenure.first >= since]
        names = _names_on(known, since)
        ended = all(
            each.tenure.last < since and (each.kind, each.value) not in question.traits for each in before
        )
        if names and ended and _has_card(before) and _has_system(after):
            how = " ".join([*names, *(f"-{kind.replace(' ', '_')}" for kind in _kinds(after))])
            return Part(how, since)
    return None


def _cards_beside(question: Question, known: Known) -> list[Known]:
    """Assets that are no more than a card, and that scans meet wherever they meet this one."""
    here = question.holders.of(ADDRESS, question.address)
    met = [question.known[asset] for asset, tenure in here.items() if tenure.scan == question.scan]
    return [
        each
        for each in met
        if each.id != known.id and not each.says_more and went_together(known, each, question.address)
    ]


def _names_on(known: Known, since: str) -> list[str]:
    """The kinds of names that went on."""
    return [
        kind
        for kind, rule in rules().kinds.items()
        if rule.group == "names"
        and any(tenure.first < since <= tenure.last for tenure in known.kinds.get(kind, {}).values())
    ]


def _sole_cards(question: Question, known: Known) -> list[_Event]:
    """The cards that stay with a machine, and that nobody else had until it had them no more."""
    holders = question.holders
    return [
        _Event(CARD, card, tenure)
        for card, tenure in known.kinds.get(CARD, {}).items()
        if settles(card)
        and (CARD, card) not in holders.common
        and all(
            each == known.id or other.first > tenure.last for each, other in holders.of(CARD, card).items()
        )
    ]


def _made(known: Known) -> list[_Event]:
    """What does not outlast a system, or a mainboard: neither names nor addresses."""
    return [
        _Event(kind, value, tenure)
        for kind, values in known.kinds.items()
        if kind not in {ADDRESS, CARD}
        and rules().kinds[kind].group != "names"
        and not rules().kinds[kind].volatile
        for value, tenure in values.items()
    ]


def _has_card(events: Sequence[_Event]) -> bool:
    """Whether there is a card among them that was there for days."""
    return any(each.kind == CARD and has_stayed(each.tenure) for each in events)


def _has_system(events: Sequence[_Event]) -> bool:
    """Whether there are such a card among them, and something that was made with a system."""
    return _has_card(events) and any(rules().kinds[each.kind].group == "installed" for each in events)


def _kinds(events: Sequence[_Event]) -> list[str]:
    """Their kinds, in the order of the rules."""
    return [kind for kind in rules().kinds if any(kind == each.kind for each in events)]
