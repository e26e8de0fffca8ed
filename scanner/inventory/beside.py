"""What stands beside what is known of a machine: words that others heard, words of its own.

What agrees stands side by side from now on; of a key that both know, the newer words stand. Where the two
contradict each other, or name two machines, the newer of them stands alone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeAlias

from scanner.model import Certainty
from scanner.wire import VALUES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from scanner.classify import Classifier
    from scanner.model import Evidence, Observation

Seen: TypeAlias = "tuple[Observation, ...]"

_SEEN_MACS: Final = ("neighbour.mac", "mac.address")
"""What neighbours saw, ours or another scanner's: the same."""
_NAMES: Final = (
    (("netbios.mac",), ("netbios.mac",)),
    (_SEEN_MACS, _SEEN_MACS),
    (("dhcp.mac",), ("dhcp.mac",)),
    (("dhcp.mac",), ("netbios.mac",)),
    (("dhcp.mac",), _SEEN_MACS),
    *(((name,), (name,)) for name in ("ntlm.dns_name", "ntlm.netbios_name", "netbios.name", "dhcp.hostname")),
)
"""The evidence keys that tell machines apart, by pairs: a leased address goes from machine to machine."""


def united(observations: Iterable[Observation]) -> Evidence:
    """The evidence of all observations; different values of one key stand side by side, each once."""
    found: dict[str, tuple[str, ...]] = {}
    for seen in observations:
        for key, values in seen.evidence.items():
            found[key] = tuple(dict.fromkeys((*found.get(key, ()), *values)))[:VALUES]
    return found


def beside(new: Seen, known: Seen, classifier: Classifier) -> Seen:
    """What to record of a host: the new words and those that are known; nothing where only these stand."""
    if not known or not any(seen.evidence for seen in new):
        return new
    is_news = max(seen.at for seen in new) >= max(seen.at for seen in known)
    if _contradict(united(new), united(known), classifier):
        return new if is_news else ()
    first, second = (new, known) if is_news else (known, new)
    said = united(first)
    rest = (
        replace(seen, evidence={key: values for key, values in seen.evidence.items() if key not in said})
        for seen in second
    )
    return (*first, *(seen for seen in rest if seen.evidence))


def other_cards(one: Evidence, other: Evidence) -> bool:
    """Whether two pieces of evidence tell of different network cards, as the same source names them."""
    return any(_differ(one, other, (key,), (key,)) for key in ("mac.address", "dhcp.mac"))


def _contradict(one: Evidence, other: Evidence, classifier: Classifier) -> bool:
    """Whether two pieces of evidence cannot be of one machine as it is."""
    if any(_differ(one, other, *keys) or _differ(other, one, *keys) for keys in _NAMES):
        return True
    mine, theirs = classifier.classify(one), classifier.classify(other)
    told = all(each.candidates and each.certainty is not Certainty.HINT for each in (mine, theirs))
    return told and not set(mine.candidates) & set(theirs.candidates)


def _differ(one: Evidence, other: Evidence, keys: Sequence[str], other_keys: Sequence[str]) -> bool:
    """Whether both have such words, and none in common."""
    mine = {value.casefold() for key in keys for value in one.get(key, ())}
    theirs = {value.casefold() for key in other_keys for value in other.get(key, ())}
    return bool(mine and theirs) and not mine & theirs
