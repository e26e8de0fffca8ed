"""Evidence to candidates: every release that the evidence allows, and why; never a guess.

The knowledge is data (``fingerprints`` and ``lifecycle``); here it is only asked. Classifying is pure, and
the same words always give the same :class:`~scanner.model.Identity`, so an inventory keeps each of them once.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Final

from scanner.cache import Form, remembered
from scanner.classify import reasons
from scanner.classify.facts import union
from scanner.classify.makers import ADDRESSES, with_makers
from scanner.classify.releases import ReleaseSets
from scanner.classify.weighing import Heard, Weighed, hear, weigh
from scanner.data import data_directories, is_still
from scanner.errors import DataError
from scanner.fingerprints import NAMES, forget_patterns, load_fingerprints
from scanner.lifecycle import load_lifecycle
from scanner.model import Certainty, Identity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from scanner.fingerprints import Claim, Fingerprints
    from scanner.language import Message
    from scanner.lifecycle import Lifecycle
    from scanner.model import Evidence, Release

_KEPT: Final = 2048
"""How many identities are remembered; a site's machines share a few hundred."""
_LONG: Final = 16_384
"""Characters of evidence above which nothing is remembered: hosts and files say what they want."""
_NAMES: Final = ("ntlm.netbios_name", "netbios.name")
"""What a machine calls itself: it has one name, or there are several machines."""
_NETBIOS: Final = 15
"""Characters of a name in NetBIOS."""
_HEARD: Final = 16
"""How many values of one key are listened to: no honest host says so many different things."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the proof."""

    key: str
    value: str
    remaining: tuple[str, ...]
    """Ids of the releases that are left after this step."""
    told: Message | None = None
    """The step as a sentence; None where no fingerprint recognised the value."""
    fingerprint: str = ""
    file: str = ""
    asserts: Mapping[str, str] = field(default_factory=dict)
    """What it asserts, or, where it asserts nothing, what it suggests."""
    names: Mapping[str, str] = field(default_factory=dict)
    """What the host calls itself in it."""
    proves: bool = False
    """Whether it asserts."""


class Classifier:
    """The fingerprints and the releases, ready to be asked."""

    def __init__(self, fingerprints: Fingerprints, lifecycle: Lifecycle, *, checked: bool = False) -> None:
        """Make one; its claims are checked, unless that was done before.

        Raises:
            DataError: a fingerprint asserts what no release of the lifecycle data fits.
        """
        self._fingerprints = fingerprints
        self._sets = ReleaseSets(lifecycle)
        self._keys = tuple(sorted(fingerprints.by_key))
        self._groups = frozenset(key.partition(".")[0] for key in (*self._keys, *ADDRESSES))
        self._identities: dict[tuple[object, ...], Identity] = {}
        same = fingerprints.version == lifecycle.version
        self.version = fingerprints.version if same else f"{fingerprints.version}/{lifecycle.version}"
        """Of the data; kept beside each identity."""
        if not checked:
            _check_claims(fingerprints, self._sets)

    def classify(self, evidence: Evidence) -> Identity:
        """Every release that the evidence allows, how far that is to be believed, and why.

        Evidence that differs only in what no fingerprint looks at gives the same object.
        """
        evidence = with_makers(evidence)
        foreign = [key for key in evidence if key.partition(".")[0] not in self._groups]
        called = _called(evidence)
        known = (*map(evidence.get, self._keys), *sorted(foreign), *called)
        identity = self._identities.get(known)
        if identity is None:
            identity = self._identify(evidence, sorted(foreign), called)
            if sum(map(len, chain(evidence, *evidence.values()))) <= _LONG:
                if len(self._identities) >= _KEPT:
                    del self._identities[next(iter(self._identities))]
                self._identities[known] = identity
        return identity

    def proof(self, evidence: Evidence) -> tuple[Step, ...]:
        """How the candidates of some evidence came about, value by value."""
        evidence = with_makers(evidence)
        heard = self._hear(evidence)
        weighed = weigh(heard, self._sets)
        steps = [self._step(each, left, told) for each, left, told in _narrowing(heard, weighed, self._sets)]
        matched = {(step.key, step.value) for step in steps}
        left = self._sets.names(weighed.candidates)
        silent = [
            (key, value) for key in sorted(evidence) for value in evidence[key] if (key, value) not in matched
        ]
        return (*steps, *(Step(key, value, left) for key, value in silent))

    def _step(self, heard: Heard, left: int, told: Message) -> Step:
        match = heard.match
        claim = match.asserts or match.suggests
        return Step(
            match.fingerprint.key,
            match.value,
            self._sets.names(left),
            told,
            match.fingerprint.name,
            match.fingerprint.file,
            {key: ", ".join(values) for key, values in claim.items()},
            match.names,
            proves=bool(match.asserts),
        )

    def _hear(self, evidence: Evidence) -> list[Heard]:
        """What the fingerprints make of it: what identifies first, then bounds, then suggestions."""
        match = self._fingerprints.match
        values = (
            (key, value) for key in self._keys for value in dict.fromkeys(evidence.get(key, ())[:_HEARD])
        )
        found = [hear(found, self._sets) for key, value in values if (found := match(key, value))]
        return sorted(found, key=lambda each: (not each.identifies, not each.match.asserts))

    def _identify(
        self, evidence: Evidence, foreign: Sequence[str], called: Sequence[tuple[str, tuple[str, ...]]]
    ) -> Identity:
        heard = self._hear(evidence)
        weighed = weigh(heard, self._sets)
        if called and weighed.certainty is Certainty.CERTAIN:
            weighed = replace(weighed, certainty=Certainty.PROBABLE)
        return Identity(
            candidates=self._sets.names(weighed.candidates),
            certainty=weighed.certainty,
            reasons=(
                *(told for _, _, told in _narrowing(heard, weighed, self._sets)),
                *reasons.services(weighed.services, self._sets),
                *reasons.open_questions(weighed, heard, self._sets),
                *(reasons.several(key, names) for key, names in called),
                *reasons.unused(foreign),
            ),
            attributes=_attributes(heard, weighed, self._sets),
        )


def _called(evidence: Evidence) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The names of several machines, by the key that gave them; nothing where there is one name at most."""
    found = []
    for key in _NAMES:
        if len(evidence.get(key, ())) > 1:
            names = {name[:_NETBIOS].casefold(): name for name in evidence[key][:_HEARD]}
            if len(names) > 1:
                found.append((key, tuple(names.values())))
    return tuple(found)


def _narrowing(
    heard: Sequence[Heard], weighed: Weighed, sets: ReleaseSets
) -> Iterator[tuple[Heard, int, Message]]:
    """Each claim, the releases left after it, and the sentence that says so."""
    left = sets.every
    layer = sets.layer([weighed.candidates]) if weighed.candidates else sets.every
    for each in heard:
        if each.match.asserts:
            left = left & each.reach or (weighed.candidates if each.allowed else left)
            yield each, left & layer, reasons.said(each, left & layer, sets)
        else:
            held = union(weighed.sides) or weighed.candidates
            yield each, weighed.candidates, reasons.suggested(each, held)


def _attributes(heard: Sequence[Heard], weighed: Weighed, sets: ReleaseSets) -> dict[str, str]:
    """What the host named, else what all candidates agree on, else what was said of an unknown release.

    Words that claim no release name only what nothing else does; those of a service are not its system's.
    """
    candidates = weighed.candidates
    if weighed.certainty is Certainty.HINT or len(weighed.sides) > 1:  # that it may be anything else is said
        candidates &= ~sets.anything
    releases = [sets.releases[name] for name in sets.names(candidates)]
    of_service = weighed.services & sets.services
    told = [each for each in heard if not (of_service and each.allowed and not each.allowed & sets.systems)]
    found: dict[str, str] = {}
    for each in told:
        if each.match.asserts or each.suggests:
            found = {**each.match.names, **found}
    found = {**sets.agreed(candidates), **found}
    for name, value in _claimed(told, weighed, releases):
        found.setdefault(name, value)
    for each in told:
        found = {**each.match.names, **found}
    for bits in _single([each.match.asserts for each in told], "bits"):
        found.setdefault("hardware", f"{bits}-bit")
    return {name: found[name] for name in NAMES if found.get(name)}


def _claimed(
    told: Sequence[Heard], weighed: Weighed, releases: Sequence[Release]
) -> Iterator[tuple[str, str]]:
    """What claims say of the edition and the version, where all that say it agree."""
    claims = [each.match.asserts for each in told if each.allowed & weighed.candidates or not releases]
    for name, key in (("edition", "edition"), ("version", "build"), *(() if releases else _SAID_OF_UNKNOWN)):
        for value in _single(claims, key):
            yield name, value
    for build in {build for claim in claims for build in claim.get("ntlm_build", ()) if build}:
        if releases and all(build in release.builds for release in releases):
            yield "version", build


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


def default_classifier() -> Classifier:
    """The one that knows the data that ships with the product, and the site's own."""
    return _classifier(data_directories())


@cache
def _classifier(directories: tuple[Path, ...]) -> Classifier:
    fingerprints, lifecycle = load_fingerprints(), load_lifecycle()

    def checked() -> Classifier:
        from scanner.fingerprints.keeping import anew  # noqa: PLC0415 - only what is checked is made anew

        made = Classifier(anew(fingerprints), lifecycle)
        forget_patterns()
        return made

    return remembered(
        Form("claims", lambda _: "fit", lambda _: Classifier(fingerprints, lifecycle, checked=True)),
        fingerprints.version,
        checked,
        still=lambda: is_still(fingerprints.version, directories),
    )
