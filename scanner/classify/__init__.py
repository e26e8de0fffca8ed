"""Evidence to candidates: every release that the evidence allows, and why; never a guess.

The knowledge is data (``fingerprints`` and ``lifecycle``); here it is only asked. Classifying is pure, and
the same words always give the same :class:`~scanner.model.Identity`, so an inventory keeps each of them once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

from scanner.classify import reasons
from scanner.classify.releases import ReleaseSets
from scanner.classify.weighing import Heard, Weighed, hear, weigh
from scanner.errors import DataError
from scanner.fingerprints import NAMES, load_fingerprints
from scanner.lifecycle import load_lifecycle
from scanner.model import Identity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from scanner.fingerprints import Claim, Fingerprints
    from scanner.language import Message
    from scanner.lifecycle import Lifecycle
    from scanner.model import Evidence

_KEPT: Final = 8192
"""How many identities are remembered; a site's machines share a few hundred."""
_HEARD: Final = 16
"""How many values of one key are listened to: no honest host says so many different things."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the proof."""

    key: str
    value: str
    fingerprint: str
    """Its name; empty where no fingerprint recognised the value."""
    file: str
    asserts: Mapping[str, str]
    """What it asserts, or, where it asserts nothing, what it suggests."""
    told: Message | None
    remaining: tuple[str, ...]
    """Ids of the releases that are left after this step."""


class Classifier:
    """The fingerprints and the releases, ready to be asked."""

    def __init__(self, fingerprints: Fingerprints, lifecycle: Lifecycle) -> None:
        """Make one.

        Raises:
            DataError: a fingerprint asserts what no release of the lifecycle data fits.
        """
        self._fingerprints = fingerprints
        self._sets = ReleaseSets(lifecycle)
        self._keys = tuple(sorted(fingerprints.by_key))
        self._groups = frozenset(key.partition(".")[0] for key in self._keys)
        self._identities: dict[tuple[object, ...], Identity] = {}
        same = fingerprints.version == lifecycle.version
        self.version = fingerprints.version if same else f"{fingerprints.version}/{lifecycle.version}"
        """Of the data; kept beside each identity."""
        _check_claims(fingerprints, self._sets)

    def classify(self, evidence: Evidence) -> Identity:
        """Every release that the evidence allows, how far that is to be believed, and why.

        Evidence that differs only in what no fingerprint looks at gives the same object.
        """
        foreign = [key for key in evidence if key.partition(".")[0] not in self._groups]
        known = (*map(evidence.get, self._keys), *sorted(foreign))
        identity = self._identities.get(known)
        if identity is None:
            identity = self._identify(evidence, sorted(foreign))
            if len(self._identities) >= _KEPT:
                del self._identities[next(iter(self._identities))]
            self._identities[known] = identity
        return identity

    def proof(self, evidence: Evidence) -> tuple[Step, ...]:
        """How the candidates of some evidence came about, value by value."""
        heard = self._hear(evidence)
        weighed = weigh(heard, self._sets)
        steps = [
            self._step(each, left, told) for each, left, told in _narrowing(heard, weighed, self._sets.every)
        ]
        matched = {(step.key, step.value) for step in steps}
        left = self._sets.names(weighed.candidates)
        silent = [
            (key, value) for key in sorted(evidence) for value in evidence[key] if (key, value) not in matched
        ]
        return (*steps, *(Step(key, value, "", "", {}, None, left) for key, value in silent))

    def _step(self, heard: Heard, left: int, told: Message) -> Step:
        match = heard.match
        claim = match.asserts or match.suggests
        asserts = {key: ", ".join(values) for key, values in claim.items()}
        fingerprint = match.fingerprint
        return Step(
            fingerprint.key,
            match.value,
            fingerprint.name,
            fingerprint.file,
            asserts,
            told,
            self._sets.names(left),
        )

    def _hear(self, evidence: Evidence) -> list[Heard]:
        """What the fingerprints make of it: what identifies first, then bounds, then suggestions."""
        match = self._fingerprints.match
        values = (
            (key, value) for key in self._keys for value in dict.fromkeys(evidence.get(key, ())[:_HEARD])
        )
        found = [hear(found, self._sets) for key, value in values if (found := match(key, value))]
        return sorted(found, key=lambda each: (not each.identifies, not each.match.asserts))

    def _identify(self, evidence: Evidence, foreign: Sequence[str]) -> Identity:
        heard = self._hear(evidence)
        weighed = weigh(heard, self._sets)
        return Identity(
            candidates=self._sets.names(weighed.candidates),
            certainty=weighed.certainty,
            reasons=(
                *(told for _, _, told in _narrowing(heard, weighed, self._sets.every)),
                *reasons.open_questions(weighed, heard, self._sets),
                *reasons.unused(foreign),
            ),
            attributes=_attributes(heard, weighed, self._sets),
        )


def _narrowing(heard: Sequence[Heard], weighed: Weighed, every: int) -> Iterator[tuple[Heard, int, Message]]:
    """Each claim, the releases left after it, and the sentence that says so."""
    left = every
    for each in heard:
        if each.match.asserts:
            left = left & each.allowed or (weighed.candidates if each.allowed else left)
            yield each, left, reasons.said(each, left)
        else:
            yield each, weighed.candidates, reasons.suggested(each, weighed.candidates)


def _attributes(heard: Sequence[Heard], weighed: Weighed, sets: ReleaseSets) -> dict[str, str]:
    """What the host named, else what all candidates agree on, else what was said of an unknown release.

    Words that claim no release name only what nothing else does.
    """
    releases = [sets.releases[name] for name in sets.names(weighed.candidates)]
    found: dict[str, str] = {}
    for each in heard:
        if each.match.asserts or each.suggests:
            found = {**each.match.names, **found}
    for name in ("vendor", "family", "product"):
        agreed = {getattr(release, name) for release in releases}
        if len(agreed) == 1:
            found.setdefault(name, agreed.pop())
    claims = [each.match.asserts for each in heard if each.allowed & weighed.candidates or not releases]
    for name, key in (("edition", "edition"), ("version", "build"), *(() if releases else _SAID_OF_UNKNOWN)):
        for value in _single(claims, key):
            found.setdefault(name, value)
    builds = {build for claim in claims for build in claim.get("ntlm_build", ()) if build}
    for build in builds:
        if releases and all(build in release.builds for release in releases):
            found.setdefault("version", build)
    for each in heard:
        found = {**each.match.names, **found}
    return {name: found[name] for name in NAMES if found.get(name)}


_SAID_OF_UNKNOWN: Final = (("family", "family"), ("product", "product"), ("version", "ntlm_build"))


def _single(claims: Sequence[Claim], key: str) -> Iterator[str]:
    """The one value that is asserted of a key, where all claims that assert it assert the same."""
    values = {value for claim in claims for value in claim.get(key, ())}
    if len(values) == 1:
        yield from values


def _check_claims(fingerprints: Fingerprints, sets: ReleaseSets) -> None:
    """Every example must leave a release: a claim that nothing fits is a mistake in it."""
    for key, entries in fingerprints.by_key.items():
        for fingerprint in entries:
            for value, _ in fingerprint.examples:
                match = fingerprints.match(key, value)
                for claim in (match.asserts, match.suggests) if match else ():
                    if not sets.allowed(claim):
                        raise DataError(
                            'no release fits what is said of "{value}"', file=fingerprint.file,
                            key=fingerprint.name, value=value,
                        )  # fmt: skip


@cache
def default_classifier() -> Classifier:
    """The one that knows the data that ships with the product."""
    return Classifier(load_fingerprints(), load_lifecycle())
