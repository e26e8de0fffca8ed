"""Whether an asset turns out to have been another machine for a while: its hardware and its system changed.

Whoever takes a machine's place under its name is first heard by that name alone, and taken for it. What is
heard later shows it: the old card is gone for days, another one is there instead, and nothing that came with
the old system was heard since.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scanner.inventory.identity.traits import ADDRESS, CARD, rules, settles
from scanner.inventory.identity.weighing import has_stayed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scanner.inventory.identity.known import Known, Tenure
    from scanner.inventory.identity.question import Question

Event = tuple[str, "Tenure"]
"""A kind of traits, and from when to when an asset was known by one value of it."""


def replaced_since(question: Question, asset: int) -> tuple[str, str]:
    """Since when an asset is another machine, as a stored moment, and what shows it; both empty if nothing.

    Cards that others have too, docks' and those made up tell nothing here.
    """
    known = question.known[asset]
    cards = _sole_cards(question, known)
    if len(cards) < 2:  # noqa: PLR2004 - one before, one since
        return "", ""
    events = [(CARD, tenure) for tenure in cards] + _made(known)
    for since in sorted({tenure.first for _, tenure in events})[1:]:
        before = [(kind, tenure) for kind, tenure in events if tenure.first < since]
        after = [(kind, tenure) for kind, tenure in events if tenure.first >= since]
        names = _names_on(known, since)
        ended = all(tenure.last < since for _, tenure in before)
        if names and ended and _has_card(before) and _has_system(after):
            return since, " ".join([*names, *(f"-{kind.replace(' ', '_')}" for kind in _kinds(after))])
    return "", ""


def _names_on(known: Known, since: str) -> list[str]:
    """The kinds of names that went on."""
    return [
        kind
        for kind, rule in rules().kinds.items()
        if rule.group == "names"
        and any(tenure.first < since <= tenure.last for tenure in known.kinds.get(kind, {}).values())
    ]


def _sole_cards(question: Question, known: Known) -> list[Tenure]:
    """The tenures of the cards that stay with a machine, and that nobody else has."""
    return [
        tenure
        for card, tenure in known.kinds.get(CARD, {}).items()
        if settles(card) and question.holders.is_alone(CARD, card)
    ]


def _made(known: Known) -> list[Event]:
    """What does not outlast a system, or a mainboard: neither names nor addresses."""
    return [
        (kind, tenure)
        for kind, values in known.kinds.items()
        if kind not in {ADDRESS, CARD}
        and rules().kinds[kind].group != "names"
        and not rules().kinds[kind].volatile
        for tenure in values.values()
    ]


def _has_card(events: Sequence[Event]) -> bool:
    """Whether there is a card among them that was there for days."""
    return any(kind == CARD and has_stayed(tenure) for kind, tenure in events)


def _has_system(events: Sequence[Event]) -> bool:
    """Whether there are such a card among them, and something that was made with a system."""
    return _has_card(events) and any(rules().kinds[kind].group == "installed" for kind, _ in events)


def _kinds(events: Sequence[Event]) -> list[str]:
    """Their kinds, in the order of the rules."""
    return [kind for kind in rules().kinds if any(kind == each for each, _ in events)]
