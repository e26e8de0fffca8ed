"""Systems and the services that run on them: what a claim about the one leaves of the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner.classify.facts import union
from scanner.model import Role

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from scanner.classify.facts import Facts
    from scanner.model import Release

_REACHES_KEPT: Final = 4096


class Hosting:
    """Which services run on which systems."""

    def __init__(self, releases: Mapping[str, Release], facts: Facts) -> None:
        services = [release for release in releases.values() if release.role is Role.SERVICE]
        self.services = facts.of_ids(release.id for release in services)
        self.systems = facts.every & ~self.services
        self._products = tuple(self._hosted({each.product: each for each in services}, facts))
        self._reaches: dict[int, int] = {}

    def _hosted(self, services: Mapping[str, Release], facts: Facts) -> Iterator[tuple[int, int, int]]:
        """Of each product that is a service: its releases, the systems it runs on, all other services."""
        for product, release in services.items():
            bits = facts.holding("product", product)
            hosts = union(facts.holding("family", family) for family in release.hosts)
            yield bits, hosts if release.hosts else self.systems, self.services & ~bits

    def reach(self, bits: int) -> int:
        """What may be true of a machine of which so much is true.

        A machine is one system and any services that run on it, so a claim about the one leaves of the other
        whatever fits: Samba leaves every system that it runs on, and every other service beside it.
        """
        known = self._reaches.get(bits)
        if known is not None:
            return known
        reached, systems = bits, bits & self.systems
        for product, hosts, others in self._products:
            if bits & product:
                reached |= hosts | others
            elif systems & hosts:
                reached |= product
        if len(self._reaches) >= _REACHES_KEPT:
            self._reaches.clear()
        self._reaches[bits] = reached
        return reached
