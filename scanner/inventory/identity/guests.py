"""Whether another machine was taken for an asset by a card alone: a dock that until then was one laptop's.

Its words looked like those of a new system on old hardware. But what was replaced does not come back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scanner.inventory.identity.known import Part
from scanner.inventory.identity.traits import CARD, bare, rules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scanner.inventory.identity.known import Known, Tenure
    from scanner.inventory.identity.question import Question


def guest_of(question: Question, asset: int) -> Part | None:
    """What of an asset is a guest's, if anything is: the host is what the asset was before the guest came.

    It bears the old name and has what came with the old system; and it tells a card that was not told when
    the guest was heard last. Two systems of one machine would tell the same.
    """
    known, kinds = question.known[asset], rules().kinds
    words = {
        (kind, value): tenure
        for kind, values in known.kinds.items()
        if len(values) > 1 and kinds[kind].differs and kinds[kind].group in {"names", "installed"}
        for value, tenure in _later(question, values, kind).items()
    }
    if len({kinds[kind].group for kind, _ in words}) < 2:  # noqa: PLR2004 - a name, and a system
        return None
    if not _is_carried_by_another(question, known, max(tenure.scan for tenure in words.values())):
        return None
    how = " ".join([CARD, *sorted({f"-{kind.replace(' ', '_')}" for kind, _ in words})])
    return Part(how, words=frozenset(words))


def _later(question: Question, values: Mapping[str, Tenure], kind: str) -> dict[str, Tenure]:
    """Of an asset's values those that came after the host's, and that the host has no more."""
    mine = {value for each, value in question.traits if each == kind}
    names = {bare(kind, value) for value in mine}
    since = min((tenure.first for value, tenure in values.items() if value in mine), default=None)
    return {
        value: tenure
        for value, tenure in values.items()
        if since is not None and tenure.first > since and bare(kind, value) not in names
    }


def _is_carried_by_another(question: Question, known: Known, scan: int) -> bool:
    """Whether a scan heard of one card of an asset, and the host has another one."""
    cards = known.kinds.get(CARD, {})
    mine = {value for kind, value in question.traits if kind == CARD}
    return any(card not in cards or cards[card].scan < scan for card in mine) and any(
        tenure.scan == scan for card, tenure in cards.items() if card not in mine
    )
