"""What listening told of hosts before a scan comes: it stands beside their answers, or spares them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Final

from scanner.addresses import AddressSet, address_of, number_of
from scanner.inventory import listened_at, listened_of, listening_runs
from scanner.inventory.beside import beside, united
from scanner.model import Certainty

if TYPE_CHECKING:
    from datetime import datetime

    from scanner.classify import Classifier
    from scanner.inventory import Inventory
    from scanner.model import Observation

SPARED_FOR: Final = timedelta(days=7)
"""For so long what listening told of a host spares it the questions of a scan that is passive first."""
_KEPT_FOR: Final = timedelta(days=30)
"""For so long it stands beside what the host answers."""
_AT_ONCE: Final = 500
"""Hosts that are looked up in one transaction."""


@dataclass(frozen=True, slots=True)
class Listened:
    """What listening told of the machines of a site."""

    inventory: Inventory
    site: str
    runs: frozenset[int]
    since: datetime
    addresses: AddressSet
    """Where it heard anything since then."""

    def beside(
        self, address: str, answers: tuple[Observation, ...], classifier: Classifier
    ) -> tuple[Observation, ...]:
        """What a host answered, and what listening heard of it that does not contradict.

        Raises:
            InventoryError: the inventory cannot be read.
        """
        if number_of(address) not in self.addresses:
            return answers
        heard = listened_of(self.inventory, self.site, [address], self.runs, self.since)
        return beside(answers, heard.get(address, ()), classifier)

    def certain(self, classifier: Classifier, within: AddressSet) -> AddressSet:
        """The addresses of machines that are known with certainty by what listening heard alone.

        Raises:
            InventoryError: the inventory cannot be read.
        """
        found = []
        numbers = (
            number for first, last in self.addresses.within(within).spans for number in range(first, last + 1)
        )
        while addresses := [address_of(number) for number in islice(numbers, _AT_ONCE)]:
            heard = listened_of(self.inventory, self.site, addresses, self.runs, self.since)
            for address, seen in heard.items():
                identity = classifier.classify(united(seen))
                if identity.candidates and identity.certainty is Certainty.CERTAIN:
                    found.append((number_of(address),) * 2)
        return AddressSet(found)


def listened_to(inventory: Inventory, site: str, now: datetime, age: timedelta = _KEPT_FOR) -> Listened:
    """What listening told of a site's machines, as far as it still counts.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    runs = listening_runs(inventory, site)
    return Listened(inventory, site, runs, now - age, listened_at(inventory, runs, now - age))
