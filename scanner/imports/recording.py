"""Recording what others heard, as if a scan had: in the wards of the site file, classified.

Nothing was sent: no line comes into the ledger, and no address counts as asked by us. What agrees with what
is known of a machine stands beside it from now on; of a key that both know, the newer words stand. Where the
two contradict each other, or name two machines, the newer of them stands alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Final, TypeAlias

from scanner.addresses import AddressMap, AddressSet, number_of
from scanner.inventory.beside import beside, other_cards, united
from scanner.inventory.resting import resting_on, unasked_at
from scanner.model import HostRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from scanner.classify import Classifier
    from scanner.config import SiteFile
    from scanner.inventory import Inventory, Recorder
    from scanner.model import Observation

_Seen: TypeAlias = "tuple[Observation, ...]"
_Host: TypeAlias = "tuple[str, _Seen]"
"""An address, and what was heard there."""
_Placed: TypeAlias = "tuple[str, str, _Seen]"
"""The same, with its ward between."""

_AT_ONCE: Final = 500
"""Hosts that are looked up in one transaction."""


@dataclass(slots=True)
class Tally:
    """What became of a file."""

    hosts: int = 0
    """Machines that are recorded."""
    identified: int = 0
    observations: int = 0
    outside: int = 0
    """Addresses that lie in no ward of the site file: left out."""
    outdated: int = 0
    """Machines of which something newer is known that contradicts: left out."""

    def counts(self) -> dict[str, int]:
        """The numbers that are kept with the import."""
        names = ("hosts", "identified", "observations", "outside", "outdated")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, slots=True)
class Recording:
    """Where what was heard goes."""

    inventory: Inventory
    recorder: Recorder
    site: SiteFile | None
    """None: every address is taken, into no ward."""
    classifier: Classifier

    def record(
        self,
        hosts: Iterable[_Host],
        show: Callable[[Tally], None],
        note: Callable[[HostRecord], None] = lambda _: None,
    ) -> Tally:
        """Record what was heard of hosts.

        Args:
            hosts: each named once; where several machines had an address, one after the other.
            show: is told how far it is.
            note: is told of each host that is recorded.

        Raises:
            InventoryError: the inventory cannot be read or written; what was committed is kept.
        """
        tally, wards = Tally(), wards_of(self.site)
        site, everything = self.site.site.name if self.site else "", iter(hosts)
        while batch := list(islice(everything, _AT_ONCE)):
            placed = list(_placed(batch, wards, tally))
            addresses = [address for address, _, _ in placed]
            known = resting_on(self.inventory, site, addresses)
            unasked = unasked_at(self.inventory, site, addresses)
            for host in placed:
                if (found := self._host(host, known.get(host[0], ()), tally)) is not None:
                    self.recorder.record(replace(found, unasked=unasked.get(host[0], {})))
                    note(found)
            self.recorder.write_due()
            show(tally)
        return tally

    def _host(self, host: _Placed, known: _Seen, tally: Tally) -> HostRecord | None:
        """What to record of a host; None where something newer contradicts it."""
        address, ward, new = host
        if self._met(known) and not other_cards(united(new), united(known)):
            seen, fresh = (*known, *new), new
        else:
            seen = fresh = beside(new, known, self.classifier)
        if not seen:
            tally.outdated += 1
            return None
        identity = self.classifier.classify(united(seen))
        tally.hosts += 1
        tally.identified += bool(identity.candidates)
        tally.observations += len(new)
        return HostRecord(address, ward, fresh, identity)

    def _met(self, known: _Seen) -> bool:
        """Whether this very run recorded the host before, as it does while listening goes on.

        All of its words stand together then, and those that are written already are not written again.
        """
        return any(seen.detail == f"heard by scan {self.recorder.scan_id}" for seen in known)


def wards_of(site: SiteFile | None) -> AddressMap[str] | None:
    """Which ward has an address; None without a site file."""
    if site is None:
        return None
    return AddressMap((AddressSet.of([net]), ward.name) for ward in site.wards for net in ward.subnets)


def _placed(batch: Iterable[_Host], wards: AddressMap[str] | None, tally: Tally) -> Iterator[_Placed]:
    """Each host with its ward; those outside of all are only counted."""
    for address, seen in batch:
        ward = "" if wards is None else wards.get(number_of(address))
        if ward is None:
            tally.outside += 1
        else:
            yield address, ward, seen
