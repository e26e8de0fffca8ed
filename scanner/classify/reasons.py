"""The proof as sentences: evidence, fingerprint, what is left, and what is still open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner.language import Message

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from scanner.classify.releases import ReleaseSets
    from scanner.classify.weighing import Heard, Weighed

_NAMED: Final = 4
"""Up to how many releases are named where candidates are told in a sentence."""


def _values(heard: Heard, **more: str) -> dict[str, str]:
    fingerprint = heard.match.fingerprint
    shown = {"key": fingerprint.key, "value": heard.match.value}
    return {**shown, "fingerprint": fingerprint.name, "file": fingerprint.file, **more}


def said(heard: Heard, left: int) -> Message:
    """An assertion, and how many candidates are left after it."""
    if not heard.allowed:
        return Message(
            '{key} is "{value}": {fingerprint} ({file}); no known release answers so', _values(heard)
        )
    text = '{key} is "{value}": {fingerprint} ({file}); candidates left: {count}'
    return Message(text, _values(heard, count=str(left.bit_count())))


def suggested(heard: Heard, candidates: int) -> Message:
    """A suggestion, and whether what was said agrees with it."""
    if heard.suggests and not heard.likely & candidates:
        return Message('{key} is "{value}": {fingerprint} ({file}); it does not fit the rest', _values(heard))
    return Message('{key} is "{value}": {fingerprint} ({file}); it fits', _values(heard))


def _told(bits: int, sets: ReleaseSets) -> str:
    names = [sets.releases[name].name for name in sets.names(bits)]
    more = ", …" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def open_questions(weighed: Weighed, heard: Sequence[Heard], sets: ReleaseSets) -> Iterable[Message]:
    """Why the candidates are not certain."""
    if len(weighed.sides) > 1:
        told = " | ".join(_told(side, sets) for side in weighed.sides)
        yield Message("the evidence contradicts itself: {sides}", {"sides": told})
    if weighed.doubtful:
        names = sorted({each.match.fingerprint.name for each in heard if each.match.fingerprint.imitated})
        yield Message(
            "others are known to answer so too, and nothing else confirms it: {names}",
            {"names": ", ".join(names)},
        )
    if not heard:
        yield Message("nothing was heard that a fingerprint recognises")


def unused(keys: Sequence[str]) -> Iterable[Message]:
    """Evidence that nothing here looks at: kept, and said."""
    if keys:
        yield Message("no fingerprint uses: {keys}", {"keys": ", ".join(keys)})
