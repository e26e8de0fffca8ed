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
from scanner.imports.gathering import united
from scanner.inventory.resting import resting_on, unasked_at
from scanner.model import Certainty, HostRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from scanner.classify import Classifier
    from scanner.config import SiteFile
    from scanner.inventory import Inventory, Recorder
    from scanner.model import Evidence, Observation

_Seen: TypeAlias = "tuple[Observation, ...]"
_Host: TypeAlias = "tuple[str, _Seen]"
"""An address, and what was heard there."""
_Placed: TypeAlias = "tuple[str, str, _Seen]"
"""The same, with its ward between."""

_AT_ONCE: Final = 500
"""Hosts that are looked up in one transaction."""

_SEEN_MACS: Final = ("neighbour.mac", "mac.address")
"""What neighbours saw, ours or another scanner's: the same."""
_NAMES: Final = (
    (("netbios.mac",), ("netbios.mac",)),
    (_SEEN_MACS, _SEEN_MACS),
    (("dhcp.mac",), ("dhcp.mac",)),
    (("dhcp.mac",), ("netbios.mac",)),
    (("dhcp.mac",), _SEEN_MACS),
    *(((name,), (name,)) for name in ("ntlm.dns_name", "ntlm.netbios_name", "netbios.name", "dhcp.hostname")),
)
"""The evidence keys that tell machines apart, by pairs: a leased address goes from machine to machine."""


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

    def record(self, hosts: Iterable[_Host], show: Callable[[Tally], None]) -> Tally:
        """Record what was heard of hosts, each named once; ``show`` is told how far it is.

        Raises:
            InventoryError: the inventory cannot be read or written; what was committed is kept.
        """
        tally, wards = Tally(), _wards(self.site)
        site, everything = self.site.site.name if self.site else "", iter(hosts)
        while batch := list(islice(everything, _AT_ONCE)):
            placed = list(_placed(batch, wards, tally))
            addresses = [address for address, _, _ in placed]
            known = resting_on(self.inventory, site, addresses)
            unasked = unasked_at(self.inventory, site, addresses)
            for host in placed:
                if (found := self._host(host, known.get(host[0], ()), tally)) is not None:
                    self.recorder.record(replace(found, unasked=unasked.get(host[0], {})))
            self.recorder.write_due()
            show(tally)
        return tally

    def _host(self, host: _Placed, known: _Seen, tally: Tally) -> HostRecord | None:
        """What to record of a host; None where something newer contradicts it."""
        address, ward, new = host
        seen = _beside(new, known, self.classifier)
        if not seen:
            tally.outdated += 1
            return None
        identity = self.classifier.classify(united(seen))
        tally.hosts += 1
        tally.identified += bool(identity.candidates)
        tally.observations += len(new)
        return HostRecord(address, ward, seen, identity)


def _wards(site: SiteFile | None) -> AddressMap[str] | None:
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


def _beside(new: _Seen, known: _Seen, classifier: Classifier) -> _Seen:
    """What to record of a host: the new words and those that are known; nothing where only these stand."""
    if not known or not any(seen.evidence for seen in new):
        return new
    is_news = max(seen.at for seen in new) >= max(seen.at for seen in known)
    if _contradict(united(new), united(known), classifier):
        return new if is_news else ()
    first, second = (new, known) if is_news else (known, new)
    said = united(first)
    rest = (
        replace(seen, evidence={key: values for key, values in seen.evidence.items() if key not in said})
        for seen in second
    )
    return (*first, *(seen for seen in rest if seen.evidence))


def _contradict(one: Evidence, other: Evidence, classifier: Classifier) -> bool:
    """Whether two pieces of evidence cannot be of one machine as it is."""
    if any(_differ(one, other, *keys) or _differ(other, one, *keys) for keys in _NAMES):
        return True
    mine, theirs = classifier.classify(one), classifier.classify(other)
    told = all(each.candidates and each.certainty is not Certainty.HINT for each in (mine, theirs))
    return told and not set(mine.candidates) & set(theirs.candidates)


def _differ(one: Evidence, other: Evidence, keys: Sequence[str], other_keys: Sequence[str]) -> bool:
    """Whether both have such words, and none in common."""
    mine = {value.casefold() for key in keys for value in one.get(key, ())}
    theirs = {value.casefold() for key in other_keys for value in other.get(key, ())}
    return bool(mine and theirs) and not mine & theirs
