"""Right, undecided or wrong: of the family, the product, the version and the verdict of one case."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Final

from scanner.lifecycle import judge
from scanner.model import Certainty, Status
from tests.accuracy.cases import RELEASES, Case, is_built

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from scanner.classify import Classifier
    from scanner.model import Identity, Release, Verdict

TODAY: Final = date(2026, 11, 23)
"""The day that the truth of the corpus was established for."""
MARKS: Final = ("right", "undecided", "wrong")
ASPECTS: Final = ("family", "product", "version", "verdict")
_SYSTEMS: Final[Mapping[str, str]] = {
    "aix": "aix", "android": "android", "aux": "aux", "digitalunix": "tru64", "esxi": "esxi",
    "freebsd": "freebsd", "hpux": "hpux", "ios": "ios", "irix": "irix", "linux": "linux", "macos": "macos",
    "enterpriselinux": "linux", "macosx": "macos", "netbsd": "netbsd", "netware": "netware",
    "openbsd": "openbsd", "openserver": "sco",
    "openvms": "openvms", "os400": "os400", "pcbsd": "freebsd", "sco": "sco", "solaris": "solaris",
    "sunos": "solaris", "tru64": "tru64", "unixware": "sco", "vmwareesxesxi": "esxi", "vxworks": "vxworks",
    "windows": "windows", "windowsce": "windows",
}  # fmt: skip
"""Families that exclude one another, under the names that people give them."""
_UNIX: Final = frozenset({"aix", "hpux", "irix", "sco", "solaris", "tru64"})
_LINUX: Final = frozenset({"android"})
"""Systems that descend from Linux: who says the one says the other."""
_GENERAL: Final = frozenset({"linux", "windows", "unix", "ios", "macosx", "macos", ""})
"""Products that say no more than the family."""
_OTHERWISE: Final[Mapping[str, str]] = {
    "windows98se": "windows98", "windowsntserver": "windowsnt", "windowsntworkstation": "windowsnt",
    "windowsserver2000": "windows2000", "windows62": "windows8",
}  # fmt: skip
"""Names of products that people do not say so here."""
_MOST_OF: Final = 0.5
"""The share of a device's own words that its name must be, or they say more than its name."""
_EDITION: Final = re.compile(r",? (?:Datacenter|Enterprise|Standard|Web) Edition$| Firmware$", re.IGNORECASE)


def plain(text: str) -> str:
    """Letters and digits alone, in lower case."""
    return re.sub(r"[^0-9a-z]", "", text.casefold())


def _words(text: str) -> set[str]:
    return set(re.findall(r"[a-z]+|\d+", text.casefold()))


def _is_of(family: str, system: str) -> bool:
    """Whether a family is a system's; Unix and Linux are those of all who descend from them."""
    known = _SYSTEMS.get(plain(family), plain(family))
    parents = {"unix": _UNIX, "linux": _LINUX}
    return known == system or known in parents.get(system, ()) or system in parents.get(known, ())


def _mark(fits: Iterable[bool]) -> str:
    """What is left fits, may fit, or does not."""
    found = list(fits)
    if not found:
        return "undecided"
    return "right" if all(found) else "undecided" if any(found) else "wrong"


@dataclass(frozen=True)
class Result:
    """What was made of a case."""

    case: Case
    identity: Identity
    dated: Verdict

    @cached_property
    def _left(self) -> list[Release]:
        return [RELEASES[name] for name in self.identity.candidates]

    @cached_property
    def _said(self) -> str:
        """Everything that the identity names, in one; a device's own words, repeated whole, name nothing."""
        named = dict(self.identity.attributes)
        words = named.pop("hardware", "")
        model = plain(self.case.product)
        if model and _MOST_OF * len(plain(words)) <= len(model):
            named["hardware"] = words
        return " ".join(named.values())

    def mark(self, aspect: str) -> str:
        """Right, undecided or wrong of one aspect; empty where nobody says."""
        marked: str = getattr(self, aspect)
        return marked

    @property
    def names_no_product(self) -> bool:
        """Whether nothing that the answer says is one product's own: its build is that of several."""
        build = self.case.build
        sharing = {each.product for each in RELEASES.values() if build and is_built(each, build)}
        said = plain(" ".join(value for values in self.case.evidence.values() for value in values))
        return len(sharing) > 1 and not any(plain(product) in said for product in sharing)

    @property
    def family(self) -> str:
        """Of the family."""
        wanted, case = self.case.family, self.case
        if case.decoy:
            return "wrong" if self.identity.certainty is Certainty.CERTAIN else "right"
        if case.releases:
            wanted = next(each.family for each in RELEASES.values() if each.product in case.releases)
        if not wanted:
            return ""
        named = self.identity.attributes.get("family")
        system = _SYSTEMS.get(plain(wanted))
        if system and (named or self._left):
            families = [named] if named else [release.family for release in self._left]
            return _mark(_is_of(family, system) for family in families)
        if self._says(wanted):
            return "right"
        if system or not named or plain(named) not in _SYSTEMS:
            return "undecided"
        return "wrong" if plain(self.case.vendor) not in plain(self._said) else "undecided"

    @property
    def product(self) -> str:
        """Of the product: where releases are left, of all of them."""
        case = self.case
        if case.decoy:
            return ""
        if case.releases or case.build:
            built = [self._fits(release) for release in self._left]
            return _mark(built)
        if case.device and self._named(case.device) == "right":
            return "right"
        wanted = _EDITION.sub("", case.product)
        if plain(wanted) in _GENERAL | {plain(case.family)}:
            distributed = plain(case.family or wanted) == "linux" and case.vendor and not case.of_maker
            return self._vendor() if distributed else ""
        if plain(wanted).startswith("windows"):
            names = tuple(_OTHERWISE.get(plain(each), plain(each)) for each in wanted.split(" or "))
            return _mark(plain(release.product).startswith(names) for release in self._left)
        return self._named(wanted)

    def _fits(self, release: Release) -> bool:
        case = self.case
        built = not case.build or is_built(release, case.build) or release.product == "Windows 10 Mobile"
        return built and (not case.releases or release.product in case.releases)

    def _vendor(self) -> str:
        """Of a distribution, which has its vendor's name."""
        wanted = plain(self.case.vendor)
        said = plain(self._said)
        if wanted == "linux":
            return ""
        return "right" if wanted in said or (said in wanted and said) else self._near(self.case.vendor)

    def _named(self, wanted: str) -> str:
        return "right" if self._says(wanted) else self._near(wanted)

    def _says(self, wanted: str) -> bool:
        """Whether a name is said, whole or in all of its words."""
        said = plain(self._said)
        return plain(wanted) in said or all(word in said for word in _words(wanted))

    def _near(self, wanted: str) -> str:
        """What is not said: undecided where what is said may be it, or is nothing; else wrong."""
        product = self.identity.attributes.get("product", "")
        common = _words(f"{self.case.vendor} {self.case.family} {wanted}") & _words(self._said)
        return "undecided" if not product or common else "wrong"

    @property
    def version(self) -> str:
        """Of the version: what is named may be shorter than what is true, never other."""
        wanted = self.case.version
        if not re.search(r"\d", wanted) or self.case.decoy:
            return ""
        if plain(self.case.product + wanted) in plain(self.identity.attributes.get("product", "")):
            return "right"  # a generation, which is part of the product's name
        said = self.identity.attributes.get("version") or self.identity.attributes.get("edition", "")
        if not said:
            builds = [build for release in self._left for build in release.builds]
            return "undecided" if not builds else _mark(_agrees(build, self.case.version) for build in builds)
        return "right" if _agrees(said, self.case.version) else "wrong"

    @property
    def verdict(self) -> str:
        """Of the verdict."""
        if self.case.ended is None:
            return ""
        told = {Status.UNSUPPORTED: True, Status.SUPPORTED: False}.get(self.dated.status)
        return "undecided" if told is None else "right" if told is self.case.ended else "wrong"


def _agrees(said: str, wanted: str) -> bool:
    first, second = (re.findall(r"\d+|[a-z]+", text.casefold().lstrip("v")) for text in (said, wanted))
    while first and first[-1] == "0":
        first.pop()
    while second and second[-1] == "0":
        second.pop()
    shorter = min(len(first), len(second))
    numbers = [[part.lstrip("0") or "0" for part in parts[:shorter]] for parts in (first, second)]
    return (shorter > 0 and numbers[0] == numbers[1]) or plain(wanted) in plain(said)


def score(cases: Iterable[Case], classifier: Classifier) -> list[Result]:
    """Every case, classified and judged."""
    found = []
    for case in cases:
        identity = classifier.classify(case.evidence)
        verdict = judge([RELEASES[name] for name in identity.candidates], TODAY)
        found.append(Result(case, identity, verdict))
    return found
