"""Sets of releases as bits of one number, by every single thing that can be claimed of a release."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from scanner.model import Role

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from scanner.model import Release

_ANY_BUILD: Final = "*"
_BOUNDS_KEPT: Final = 256


def union(parts: Iterable[int]) -> int:
    """What is in any of some sets."""
    bits = 0
    for part in parts:
        bits |= part
    return bits


def _number(build: str) -> tuple[int, ...]:
    """A build to compare by: ``10.0.9600`` is less than ``10.0.14393``; what is no number counts as 0."""
    return tuple(int(part) if part.isascii() and part.isdigit() else 0 for part in build.split("."))


def _series(build: str) -> Iterator[str]:
    """What a build begins with: ``10.0`` and ``10`` of ``10.0.17763``."""
    while dot := build.rfind(".") + 1:
        build = build[: dot - 1]
        yield build


def _span(release: Release) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """The oldest and the newest build of a release; None where it names none."""
    numbers = [_number(build) for build in release.builds if build != _ANY_BUILD]
    return (min(numbers), max(numbers)) if numbers else None


def _facts(release: Release) -> Iterable[tuple[str, str]]:
    yield "release", release.id
    if release.role is not Role.SERVICE:  # whatever it runs on has a family
        yield "family", release.family.casefold()
    yield from (("product", name.casefold()) for name in {release.product, *release.called})
    yield "role", release.role
    yield from (("build", build) for build in release.builds)
    yield from (("series", series) for build in release.builds for series in _series(build))
    yield from (("ntlm_build", build) for build in release.ntlm_builds or ("",))
    yield from (("edition", edition.casefold()) for edition in release.editions or ("",))
    yield from (("bits", bits) for bits in release.bits or ("",))


class Facts:
    """The releases, one bit each in the order of their ids, by key and value of a claim."""

    def __init__(self, releases: Mapping[str, Release]) -> None:
        self.ids = tuple(sorted(releases))
        self.every = (1 << len(self.ids)) - 1
        self._sets: dict[tuple[str, str], int] = defaultdict(int)
        self._bounds: dict[tuple[str, str], int] = {}
        self._spans = [_span(releases[name]) for name in self.ids]
        for place, name in enumerate(self.ids):
            for fact in _facts(releases[name]):
                self._sets[fact] |= 1 << place

    def of_ids(self, ids: Iterable[str]) -> int:
        """The releases with these ids."""
        return union(self._sets.get(("release", name), 0) for name in ids)

    def of_file(self, stem: str) -> int:
        """The releases of one data file."""
        known = self._bounds.get(("file", stem))
        if known is None:
            places = (place for place, name in enumerate(self.ids) if name.startswith(f"{stem}-"))
            known = self._bounds["file", stem] = union(1 << place for place in places)
        return known

    def holding(self, key: str, value: str) -> int:
        """The releases of which something may be said."""
        get = self._sets.get
        if key == "build":  # a series stands for everything that begins with it, said or known
            builds = (value, *_series(value), _ANY_BUILD)
            return union(get((key, build), 0) for build in builds) | get(("series", value), 0)
        if key in {"edition", "role", "bits"}:  # a release that states none may be any
            return get((key, value.casefold()), 0) | get((key, Role.UNSTATED), 0)
        return get((key, value if key in {"release", "ntlm_build"} else value.casefold()), 0)

    def bound(self, key: str, value: str) -> int:
        """All but the releases of one data file that are too old (``since``) or too new (``until``)."""
        if (known := self._bounds.get((key, value))) is not None:
            return known
        stem, _, build = value.partition("=")
        limit = _number(build)
        bits = self.every
        for place, (name, span) in enumerate(zip(self.ids, self._spans, strict=True)):
            if span and name.startswith(f"{stem}-"):
                fits = span[1] >= limit if key == "since" else span[0] <= limit
                bits &= ~(0 if fits else 1 << place)
        if len(self._bounds) < _BOUNDS_KEPT:
            self._bounds[key, value] = bits
        return bits
