"""From claims to a candidate set: what agrees narrows, what contradicts is kept side by side.

Nothing here knows a product. A claim is a set of releases, whose words it is, and how far it goes:

* it *identifies* (a product, a build, a family): these make the candidates;
* it *bounds* (not before, not after): it can only take candidates away, and only what cannot be;
* it *suggests*: it never narrows what a host said of itself. It confirms, or it raises a doubt; only where
  nothing better is known does it make candidates, and then they are a hint.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scanner.model import Certainty

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from scanner.classify.releases import ReleaseSets
    from scanner.fingerprints import Match

_BOUNDS: Final = frozenset({"since", "until", "role", "edition"})


@dataclass(frozen=True, slots=True)
class Heard:
    """One match, with the releases that it allows."""

    match: Match
    allowed: int
    """The releases for which everything asserted holds; 0 where no known release answers so."""
    likely: int
    """The releases for which everything suggested holds."""

    @property
    def identifies(self) -> bool:
        """It asserts more than bounds."""
        return any(key not in _BOUNDS for key in self.match.asserts)

    @property
    def suggests(self) -> bool:
        """It has something to say beyond what it proves."""
        return bool(self.match.suggests)


@dataclass(frozen=True, slots=True)
class Weighed:
    """What the claims leave, all together."""

    candidates: int
    certainty: Certainty
    sides: tuple[int, ...] = ()
    """Where they contradict each other: the candidates of each consistent set of claims."""
    doubtful: bool = False
    """Others are known to answer the same, and no second voice confirms it."""


def hear(match: Match, sets: ReleaseSets) -> Heard:
    """Look up what a match allows and what it makes likely."""
    return Heard(match, sets.allowed(match.asserts), sets.allowed(match.suggests))


def consistent_sides(claims: Iterable[int]) -> tuple[int, ...]:
    """The intersections of every largest set of claims that can be true together, one for each seed.

    With n claims this takes n² steps, however they contradict each other; each claim is in one side at least.
    """
    ordered = sorted(set(claims), key=lambda bits: (bits.bit_count(), bits))
    sides = dict.fromkeys(_side(seed, ordered) for seed in ordered)
    return tuple(sides)


def _side(seed: int, claims: Sequence[int]) -> int:
    for claim in claims:
        seed = seed & claim or seed
    return seed


def _union(parts: Iterable[int]) -> int:
    bits = 0
    for part in parts:
        bits |= part
    return bits


def _common(parts: Iterable[int], every: int) -> int:
    for part in parts:
        every &= part
    return every


def weigh(heard: Sequence[Heard], sets: ReleaseSets) -> Weighed:
    """The candidates that all claims leave together, and how far they are to be believed."""
    said = [each for each in heard if each.identifies]
    if not said:
        return _circumstances(heard, sets)
    known = [each.allowed for each in said if each.allowed]
    if not known:
        return Weighed(0, Certainty.HINT)
    bounds = [each.allowed for each in heard if each.match.asserts and not each.identifies]
    sides = consistent_sides([*known, *bounds])
    if len(sides) > 1 or len(known) < len(said):
        return Weighed(_union(sides) | sets.anything, Certainty.PROBABLE, sides)
    doubtful = _doubtful(heard, said, sides[0], _common(bounds, sets.every))
    return Weighed(sides[0], Certainty.PROBABLE if doubtful else Certainty.CERTAIN, doubtful=doubtful)


def _circumstances(heard: Sequence[Heard], sets: ReleaseSets) -> Weighed:
    """Nothing identifies: what the bounds leave, or, where there are none, what is suggested; as a hint.

    A suggestion is never a ceiling for what the bounds leave: a dialect may be low because of who asked.
    """
    limits = [each.allowed for each in heard if each.match.asserts]
    likely = [each.likely for each in heard if each.suggests]
    if limits:
        return Weighed(_union(consistent_sides(limits)), Certainty.HINT)
    if likely:
        return Weighed(_common(likely, sets.every) or _union(likely), Certainty.HINT)
    return Weighed(0, Certainty.HINT)


def _doubtful(heard: Sequence[Heard], said: Sequence[Heard], candidates: int, bounds: int) -> bool:
    """Only words that are known to be imitated led here, and no second voice says so too.

    Two voices confirm each other when each identifies or suggests something that the candidates fit; a
    suggestion that they do not fit makes imitated words doubtful again.
    """
    solid = [each.allowed for each in said if not each.match.fingerprint.imitated]
    if solid and _common(solid, bounds) == candidates:
        return False
    suggestions = [each for each in heard if each.suggests]
    if not all(each.likely & candidates for each in suggestions):
        return True
    return len({each.match.fingerprint.voice for each in [*said, *suggestions]}) < 2  # noqa: PLR2004 - a second one
