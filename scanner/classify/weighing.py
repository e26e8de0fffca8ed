"""From claims to a candidate set: what agrees narrows, what contradicts is kept side by side.

Nothing here knows a product. A claim is a set of releases, whose words it is, and how far it goes:

* it *identifies* (a product, a build, a family): these make the candidates;
* it *bounds* (not before, not after): it can only take candidates away, and only what cannot be;
* it *suggests*: it never narrows what a host said of itself. It confirms, or it raises a doubt; only where
  nothing better is known does it make candidates, and then they are a hint. Where it is of the system itself
  (how it opens a connection) and does not fit, words are never certain;
* it *names* a family that the candidates are not: then something else answers there too, or they are
  imitated.

A machine is one system, and services that run on it. The candidates are systems; services stand for them only
where nothing is known of the system.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scanner.classify.facts import union
from scanner.model import Certainty

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from scanner.classify.releases import ReleaseSets
    from scanner.fingerprints import Match

_BOUNDS: Final = frozenset({"since", "until", "role", "edition", "bits"})


@dataclass(frozen=True, slots=True)
class Heard:
    """One match, with the releases that it allows."""

    match: Match
    allowed: int
    """The releases for which everything asserted holds; 0 where no known release answers so."""
    reach: int
    """What else may be true beside it: of a system, its services; of a service, its systems."""
    likely: int
    """The releases for which everything suggested holds."""
    fits: int
    """The same, and what may be true beside them."""
    named: int
    """Where a family is named and nothing asserted: its releases; where it has none, all undated ones."""

    @property
    def identifies(self) -> bool:
        """It asserts more than bounds."""
        return any(key not in _BOUNDS for key in self.match.asserts)

    @property
    def suggests(self) -> bool:
        """It has something to say beyond what it proves."""
        return bool(self.match.suggests)

    def contradicts(self, candidates: int) -> bool:
        """Whether the system itself, below all words, does what none of these does."""
        return self.match.fingerprint.contradicts and self.suggests and not self.fits & candidates

    @property
    def voice(self) -> str:
        """Whose words they are."""
        return self.match.fingerprint.voice


@dataclass(frozen=True, slots=True)
class Weighed:
    """What the claims leave, all together."""

    candidates: int
    certainty: Certainty
    sides: tuple[int, ...] = ()
    """Where they contradict each other: the candidates of each consistent set of claims."""
    services: int = 0
    """What runs on the system, where the candidates are systems."""
    doubtful: bool = False
    """Others are known to answer the same, and no second voice confirms it."""
    others: tuple[Heard, ...] = ()
    """What names another family than the candidates."""
    against: tuple[Heard, ...] = ()
    """What the system itself does that the candidates do not do."""


def hear(match: Match, sets: ReleaseSets) -> Heard:
    """Look up what a match allows and what it makes likely."""
    allowed = sets.allowed(match.asserts)
    likely = sets.allowed(match.suggests)
    family = "" if match.asserts else match.names.get("family", "")
    named = sets.of_family(family) if family else 0
    bounds = not any(key not in _BOUNDS for key in match.asserts)
    reach = allowed | sets.services if bounds else sets.reach(allowed)
    fits = likely | sets.services if likely & sets.systems else sets.reach(likely)
    return Heard(match, allowed, reach, likely, fits, named)


def consistent_sides(claims: Iterable[int], systems: int) -> tuple[int, ...]:
    """The intersections of every largest set of claims that can be true together, one for each seed.

    Claims that leave no system together contradict each other, whatever services they leave. With n claims
    this takes n² steps, however they contradict each other; each claim is in one side at least.
    """
    ordered = sorted(set(claims), key=lambda bits: (bits.bit_count(), bits))
    sides = dict.fromkeys(_side(seed, ordered, systems) for seed in ordered)
    return tuple(sides)


def _side(seed: int, claims: Sequence[int], systems: int) -> int:
    for claim in claims:
        if seed & claim & systems:
            seed &= claim
    return seed


def _common(parts: Iterable[int], every: int) -> int:
    for part in parts:
        every &= part
    return every


def weigh(heard: Sequence[Heard], sets: ReleaseSets) -> Weighed:
    """The candidates that all claims leave together, and how far they are to be believed."""
    said = [each for each in heard if each.identifies]
    if not said:
        return _circumstances(heard, sets)
    known = [each for each in said if each.allowed]
    if not known:
        return Weighed(0, Certainty.HINT)
    bounds = [each.reach for each in heard if each.match.asserts and not each.identifies]
    sides = consistent_sides([*(each.reach for each in known), *bounds], sets.systems)
    parts = [_parts(side, known, sets) for side in sides]
    candidates, services = (union(part) for part in zip(*parts, strict=True))
    if len(sides) > 1 or len(known) < len(said):
        shown = tuple(left for left, _ in parts)
        return Weighed(candidates | sets.anything, Certainty.PROBABLE, shown, services)
    others = tuple(each for each in heard if each.named and not each.named & candidates)
    if others:
        return Weighed(candidates | sets.anything, Certainty.PROBABLE, (candidates,), services, others=others)
    against = tuple(each for each in heard if each.contradicts(candidates))
    if against:
        imitated = all(each.match.fingerprint.imitated for each in known)
        instead = union(each.fits for each in against) | sets.anything if imitated else 0
        return Weighed(candidates | instead, Certainty.PROBABLE, (candidates,), services, against=against)
    solid = [each for each in known if not each.match.fingerprint.imitated]
    proved = _parts(_common([*(each.reach for each in solid), *bounds], sets.every), solid, sets)[0]
    doubtful = proved != candidates and _is_alone(heard, known, candidates)
    certainty = Certainty.PROBABLE if doubtful else Certainty.CERTAIN
    return Weighed(candidates, certainty, (candidates,), services, doubtful)


def _parts(side: int, known: Sequence[Heard], sets: ReleaseSets) -> tuple[int, int]:
    """What a side leaves of the claims that hold in it: the candidates, and the services beside them.

    A claim may be one of a system or else of a service (an NTLM version that a library says too): then both
    are candidates, until something else tells the one or the other.
    """
    held = [each.allowed for each in known if not side & ~each.reach]
    services = side & sets.services & union(held)
    alone = side & union(allowed for allowed in held if not allowed & sets.systems)
    systems = side & union(each for each in held if each & sets.systems and not each & alone)
    if any(not allowed & sets.services for allowed in held):
        systems &= sets.systems
    return (systems, services & ~systems) if systems else (services, 0)


def _circumstances(heard: Sequence[Heard], sets: ReleaseSets) -> Weighed:
    """Nothing identifies: what the bounds leave, or, where there are none, what is suggested; as a hint.

    Both leave the releases that they speak of, and anything else beside them: no date is certain then. A
    suggestion is never a ceiling for what bounds leave: a dialect may be low because of who asked.
    """
    limits = [each for each in heard if each.match.asserts]
    likely = [each for each in heard if each.suggests]
    spoken = union(sets.spoken_of(each.match.asserts) for each in limits)
    if spoken:
        found = union(consistent_sides((each.allowed for each in limits), sets.systems))
        return Weighed(found & spoken | sets.anything, Certainty.HINT)
    if likely:
        found = _common((each.fits for each in likely), sets.every) or union(each.fits for each in likely)
        found &= sets.layer(each.likely for each in likely)
        return Weighed(found | sets.anything, Certainty.HINT)
    return Weighed(0, Certainty.HINT)


def _is_alone(heard: Sequence[Heard], known: Sequence[Heard], candidates: int) -> bool:
    """Whether no second voice says so too.

    Two voices confirm each other when each identifies or suggests something that the candidates fit; a
    suggestion that they do not fit makes imitated words doubtful again, and one that fits those who imitate
    as well confirms nothing.
    """
    suggestions = [each for each in heard if each.suggests]
    if not all(each.fits & candidates for each in suggestions):
        return True
    second = [each for each in suggestions if each.match.asserts or not each.match.fingerprint.imitated]
    return len({each.voice for each in [*known, *second]}) < 2  # noqa: PLR2004 - a second one
