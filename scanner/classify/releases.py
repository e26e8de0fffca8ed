"""Which releases a claim allows: sets of releases as bits of one number, looked up and never searched."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from scanner.model import Role

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scanner.fingerprints import Claim
    from scanner.lifecycle import Lifecycle
    from scanner.model import Release

_ANY_BUILD: Final = "*"
_BOUNDS_KEPT: Final = 256


def _number(build: str) -> tuple[int, ...]:
    """A build to compare by: ``10.0.9600`` is less than ``10.0.14393``; what is no number counts as 0."""
    return tuple(int(part) if part.isascii() and part.isdigit() else 0 for part in build.split("."))


def _span(release: Release) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """The oldest and the newest build of a release; None where it names none."""
    numbers = [_number(build) for build in release.builds if build != _ANY_BUILD]
    return (min(numbers), max(numbers)) if numbers else None


class ReleaseSets:
    """The releases of the lifecycle data, by everything that can be claimed of one."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self.releases = lifecycle.releases
        self.ids = tuple(sorted(lifecycle.releases))
        self.every = (1 << len(self.ids)) - 1
        self._sets: dict[tuple[str, str], int] = defaultdict(int)
        self._bounds: dict[tuple[str, str], int] = {}
        self._spans = [_span(lifecycle.releases[name]) for name in self.ids]
        for position, name in enumerate(self.ids):
            for fact in self._facts(lifecycle.releases[name]):
                self._sets[fact] |= 1 << position
        self.anything = self.of_ids(lifecycle.anything)

    @staticmethod
    def _facts(release: Release) -> Iterable[tuple[str, str]]:
        yield "release", release.id
        yield "family", release.family.casefold()
        yield "product", release.product.casefold()
        yield "role", release.role
        yield from (("build", build) for build in release.builds)
        yield from (("ntlm_build", build) for build in release.ntlm_builds or ("",))
        yield from (("edition", edition.casefold()) for edition in release.editions or ("",))

    def of_ids(self, ids: Iterable[str]) -> int:
        """The set of the releases with these ids."""
        return sum(self._sets.get(("release", name), 0) for name in set(ids))

    def names(self, bits: int) -> tuple[str, ...]:
        """The ids of a set, sorted."""
        return tuple(name for position, name in enumerate(self.ids) if bits >> position & 1)

    def allowed(self, claim: Claim) -> int:
        """The releases for which every part of a claim holds; of one part, any value may hold."""
        bits = self.every
        for key, values in claim.items():
            if key in {"since", "until"}:
                for value in values:
                    bits &= self._bound(key, value)
            else:
                some = 0
                for value in values:
                    some |= self._holding(key, value)
                bits &= some
        return bits

    def _holding(self, key: str, value: str) -> int:
        get = self._sets.get
        if key == "build":  # a series stands for everything that begins with it
            parts = value.split(".")
            bits = get((key, _ANY_BUILD), 0)
            for length in range(1, len(parts) + 1):
                bits |= get((key, ".".join(parts[:length])), 0)
            return bits
        if key in {"edition", "role"}:  # a release that states none may be any
            return get((key, value.casefold()), 0) | get((key, Role.UNSTATED), 0)
        return get((key, value if key in {"release", "ntlm_build"} else value.casefold()), 0)

    def _bound(self, key: str, value: str) -> int:
        """All but the releases of one data file that are too old (``since``) or too new (``until``)."""
        if (known := self._bounds.get((key, value))) is not None:
            return known
        stem, _, build = value.partition("=")
        limit = _number(build)
        bits = self.every
        for position, (name, span) in enumerate(zip(self.ids, self._spans, strict=True)):
            if span and name.startswith(f"{stem}-"):
                fits = span[1] >= limit if key == "since" else span[0] <= limit
                bits &= ~(0 if fits else 1 << position)
        if len(self._bounds) < _BOUNDS_KEPT:
            self._bounds[key, value] = bits
        return bits
