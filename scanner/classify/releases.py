"""Which releases a claim allows: sets of releases as bits of one number, looked up and never searched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner.classify.facts import Facts, union
from scanner.classify.hosting import Hosting

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from scanner.fingerprints import Claim
    from scanner.lifecycle import Lifecycle

_NAMES_KEPT: Final = 1024


class ReleaseSets:
    """The releases of the lifecycle data, by everything that can be claimed of one."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self.releases = lifecycle.releases
        self._facts = Facts(lifecycle.releases)
        self._names: dict[int, tuple[str, ...]] = {}
        self._agreed: dict[int, dict[str, str]] = {}
        self.every = self._facts.every
        self.anything = self._facts.of_ids(lifecycle.anything)
        undated = (each.id for each in lifecycle.releases.values() if each.end is None)
        self._undated = self._facts.of_ids(undated)
        hosting = Hosting(lifecycle.releases, self._facts)
        self.systems, self.services, self.reach = hosting.systems, hosting.services, hosting.reach

    def names(self, bits: int) -> tuple[str, ...]:
        """The ids of a set, sorted."""
        if (known := self._names.get(bits)) is not None:
            return known
        names = tuple(name for place, name in enumerate(self._facts.ids) if bits >> place & 1)
        if len(self._names) < _NAMES_KEPT:
            self._names[bits] = names
        return names

    def agreed(self, bits: int) -> Mapping[str, str]:
        """What all releases of a set have in common, of vendor, family and product."""
        if (known := self._agreed.get(bits)) is not None:
            return known
        releases = [self.releases[name] for name in self.names(bits)]
        named = {name: {getattr(each, name) for each in releases} for name in ("vendor", "family", "product")}
        agreed = {name: values.pop() for name, values in named.items() if len(values) == 1}
        if len(self._agreed) < _NAMES_KEPT:
            self._agreed[bits] = agreed
        return agreed

    def allowed(self, claim: Claim) -> int:
        """The releases for which every part of a claim holds; of one part, any value may hold."""
        bits = self.every
        if "build" in claim and not claim.keys() & {"product", "release"}:
            bits = self.systems  # services count their versions as they like: a bare number is none of theirs
        for key, values in claim.items():
            if key in {"since", "until"}:
                for value in values:
                    bits &= self._facts.bound(key, value)
            else:
                bits &= union(self._facts.holding(key, value) for value in values)
        return bits

    def of_family(self, family: str) -> int:
        """What a machine of this family may be; of one that the data does not know, whatever has no dates."""
        known = self._facts.holding("family", family)
        return self.reach(known) if known else self._undated | self.services

    def layer(self, claims: Iterable[int]) -> int:
        """What some claims speak of: systems where any of them does, else what they allow themselves."""
        told = union(claims)
        return self.systems if told & self.systems else told

    def spoken_of(self, claim: Claim) -> int:
        """The releases of the data files that the bounds of a claim name."""
        stems = {value.partition("=")[0] for key in ("since", "until") for value in claim.get(key, ())}
        return union(map(self._facts.of_file, stems))
