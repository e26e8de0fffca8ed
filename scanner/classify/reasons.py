"""The proof as sentences: evidence, fingerprint, what is left, and what is still open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner.language import Message

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from scanner.classify.releases import ReleaseSets
    from scanner.classify.weighing import Heard, Weighed

_NAMED: Final = 4
"""Up to how many releases are named where candidates are told in a sentence."""


def _values(heard: Heard, **more: str) -> dict[str, str]:
    fingerprint = heard.match.fingerprint
    shown = {"key": fingerprint.key, "value": heard.match.value}
    return {**shown, "fingerprint": fingerprint.name, "file": fingerprint.file, **more}


def said(heard: Heard, left: int, sets: ReleaseSets) -> Message:
    """An assertion, and which candidates are left after it."""
    if not heard.allowed:
        return Message(
            '{key} is "{value}": {fingerprint} ({file}); no known release answers so', _values(heard)
        )
    text = '{key} is "{value}": {fingerprint} ({file}); candidates left: {count} ({names})'
    return Message(text, _values(heard, count=str(left.bit_count()), names=_told(left, sets)))


def suggested(heard: Heard, candidates: int) -> Message:
    """A suggestion or a name, and whether what was said agrees with it."""
    unlikely = heard.suggests and not heard.fits & candidates
    if candidates and (unlikely or (heard.named and not heard.named & candidates)):
        return Message('{key} is "{value}": {fingerprint} ({file}); it does not fit the rest', _values(heard))
    return Message('{key} is "{value}": {fingerprint} ({file}); it fits', _values(heard))


def _told(bits: int, sets: ReleaseSets) -> str:
    ids = sets.names(bits)
    more = ", …" if len(ids) > _NAMED else ""
    return ", ".join(sets.releases[each].name for each in ids[:_NAMED]) + more


def open_questions(weighed: Weighed, heard: Sequence[Heard], sets: ReleaseSets) -> Iterable[Message]:
    """Why the candidates are not certain."""
    if len(weighed.sides) > 1:
        told = " | ".join(_told(side, sets) for side in weighed.sides)
        yield Message("the evidence contradicts itself: {sides}", {"sides": told})
        for key, values in _various(heard, weighed.sides):
            yield Message(
                "{key} was given as {values}: several systems seem to stand behind this address (address "
                "translation, a load balancer)",
                {"key": key, "values": values},
            )
    for other in weighed.others:
        yield Message(
            "{fingerprint} is another system than the candidates: something else answers there too, or they "
            "are imitated",
            {"fingerprint": other.match.fingerprint.name},
        )
    for other in weighed.against:
        yield Message(
            "{fingerprint} is how another system opens or accepts connections: something else stands before "
            "it or behind this address, or the words are imitated",
            {"fingerprint": other.match.fingerprint.name},
        )
    if weighed.doubtful:
        alike = (each.match.fingerprint for each in heard if each.match.asserts)
        names = sorted({fingerprint.name for fingerprint in alike if fingerprint.imitated})
        yield Message(
            "others are known to answer so too, and nothing else confirms it: {names}",
            {"names": ", ".join(names)},
        )
    if not heard:
        yield Message("nothing was heard that a fingerprint recognises")


def several(key: str, names: Sequence[str]) -> Message:
    """That machines of several names are heard behind one address."""
    return Message(
        "{key} was given as {values}: several machines seem to stand behind this address (address "
        "translation)",
        {"key": key, "values": ", ".join(names)},
    )


def _various(heard: Sequence[Heard], sides: Sequence[int]) -> Iterator[tuple[str, str]]:
    """The keys of which a host gave values that belong to different sides."""
    said: dict[str, list[Heard]] = {}
    for each in heard:
        if each.identifies and each.allowed:
            said.setdefault(each.match.fingerprint.key, []).append(each)
    for key, claims in said.items():
        if len(claims) > 1 and not any(all(side & each.reach for each in claims) for side in sides):
            yield key, ", ".join(each.match.value for each in claims)


def services(found: int, sets: ReleaseSets) -> Iterator[Message]:
    """What runs on the system, with its own end of support."""
    for name in sets.names(found):
        release = sets.releases[name]
        values = {"service": release.name, "source": release.source}
        if release.end is None:
            yield Message("{service} runs on it; it has no end of support of its own", values)
        else:
            text = "{service} may run on it: its own support ends on {date} ({source})"
            yield Message(text, {**values, "date": release.end.isoformat()})


def unused(keys: Sequence[str]) -> Iterable[Message]:
    """Evidence that nothing here looks at: kept, and said."""
    if keys:
        yield Message("no fingerprint uses: {keys}", {"keys": ", ".join(keys)})
