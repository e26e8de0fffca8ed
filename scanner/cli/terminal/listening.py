"""What was heard goes into the inventory, or is printed as it is."""

from __future__ import annotations

import platform
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from scanner.addresses import number_of
from scanner.classify import default_classifier
from scanner.cli.terminal.objects import moment
from scanner.cli.terminal.output import machine as standard_output
from scanner.cli.terminal.text import json_line
from scanner.cli.terminal.verdicts import Judge
from scanner.imports.recording import Recording, wards_of
from scanner.imports.sorting import is_card
from scanner.inventory import Recorder, inventory_exists, open_inventory, settle_registers
from scanner.inventory.findings.today import settle
from scanner.lifecycle import Policy, judge, load_lifecycle
from scanner.model import Status

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator
    from datetime import date

    from scanner.addresses import AddressMap
    from scanner.cli.terminal.hearing import Heard
    from scanner.config import SiteFile, SiteSource
    from scanner.imports.listening import Listening, Machine
    from scanner.inventory import Inventory
    from scanner.model import HostRecord, Observation

_A_RUN: Final = 86_400.0
"""Seconds after which listening that goes on begins a new run."""
_AGAIN: Final = 3_600.0
"""Seconds after which a machine that says nothing new is recorded again: it is still there."""
_WORDS: Final = 500_000
"""Different words of which it is remembered that they are recorded."""


@dataclass(frozen=True, slots=True)
class Aim:
    """Where what is heard goes, and how it is judged."""

    source: SiteSource | None
    database: str
    today: date
    request: dict[str, object]
    """What was listened to, as it is kept."""
    scope: str
    """The same in words."""

    @property
    def site(self) -> SiteFile | None:
        """The site file."""
        return None if self.source is None else self.source.file

    def status(self, host: HostRecord) -> Status:
        """What the dates say of a machine."""
        releases, site = load_lifecycle().releases, self.site
        policy = None if site is None else Policy(site.site.horizon_months, site.extensions(host.ward))
        return judge([releases[name] for name in host.identity.candidates], self.today, policy).status


@dataclass(slots=True)
class Summary:
    """Which machines were heard, each once."""

    statuses: Counter[Status] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)
    """How many machines each source told something of."""
    identified: int = 0
    outside: set[str] = field(default_factory=set)
    homeless: set[str] = field(default_factory=set)
    """Cards of machines of which no address is known."""
    outdated: int = 0
    scan: int | None = None
    _met: dict[str, tuple[Status, bool, frozenset[str]]] = field(default_factory=dict)

    @property
    def machines(self) -> int:
        """How many."""
        return self.statuses.total()

    def note(self, host: HostRecord, status: Status) -> None:
        """Count a machine as it is now, and no more as it was."""
        probes = frozenset(seen.probe for seen in host.observations if not seen.detail)
        before = self._met.get(host.address)
        if before is not None:
            self._count(*before, -1)
            probes |= before[2]
        self._met[host.address] = status, bool(host.identity.candidates), probes
        self._count(*self._met[host.address], 1)

    def _count(self, status: Status, identified: bool, probes: Iterable[str], times: int) -> None:  # noqa: FBT001 - as it is kept
        self.statuses[status] += times
        self.identified += times * identified
        for probe in probes:
            self.sources[probe] += times

    def counts(self) -> dict[str, int]:
        """The numbers that are kept with the run."""
        left_out = {"outside": len(self.outside), "homeless": len(self.homeless), "outdated": self.outdated}
        return {"hosts": self.machines, "identified": self.identified, **left_out}


class _News:
    """Of machines that are met again and again: those that said something new, or not for an hour."""

    def __init__(self) -> None:
        self._told: dict[Hashable, float] = {}

    def among(self, machines: Iterable[Machine]) -> Iterator[Machine]:
        """Those that are to be recorded."""
        for each in machines:
            now = time.monotonic()
            words = [hash(_words(each.host, seen)) for seen in each.observations]
            if any(now - self._told.get(said, now - _AGAIN) >= _AGAIN for said in words):
                if len(self._told) > _WORDS:
                    self._told.clear()
                self._told |= dict.fromkeys(words, now)
                yield each


def _words(host: str, seen: Observation) -> Hashable:
    return host, seen.endpoint.port, seen.probe, *seen.evidence.items()


def record(portions: Iterator[Listening], heard: Heard, aim: Aim) -> Summary:
    """Record what is heard, portion by portion; a new run begins every day.

    Raises:
        VetusteError: what is heard ended with it, or the inventory cannot be written; what was recorded
            before is kept.
    """
    summary, news = Summary(), _News()
    if inventory_exists(aim.database):
        # What is wrong with it is said before an hour's listening, not after it.
        open_inventory(aim.database).close()
    first = next(portions, None)
    if first is None:
        return summary
    with open_inventory(aim.database, create=True) as inventory:
        while first is not None:
            end = time.monotonic() + _A_RUN
            with _run(inventory, aim, heard, summary) as recording:
                while first is not None:
                    _record(recording, news.among(first.machines()), aim, summary)
                    first = next(portions, None)
                    if time.monotonic() >= end:
                        break
            settle_registers(inventory, default_classifier())
            settle(inventory)
    return summary


@contextmanager
def _run(inventory: Inventory, aim: Aim, heard: Heard, summary: Summary) -> Iterator[Recording]:
    """One run in the inventory, closed however it ends."""
    classifier = default_classifier()
    with Recorder(
        inventory,
        aim.site,
        profile="import",
        scope=aim.scope,
        versions={"data": classifier.version, "python": platform.python_version()},
        started=datetime.now(UTC),
        request=aim.request,
        digest=aim.source.digest if aim.source else "",
    ) as recorder:
        summary.scan = recorder.scan_id
        yield Recording(inventory, recorder, aim.site, classifier)
        recorder.finish(
            "interrupted" if heard.interrupted else "done", {**heard.counts(), **summary.counts()}
        )


def _record(recording: Recording, machines: Iterable[Machine], aim: Aim, summary: Summary) -> None:
    """Record machines that have an address, in the wards of the site file."""
    wards = wards_of(aim.site)
    met = (each.at_its_place() for each in machines)
    placed = (each for each in met if _has_place(each.host, wards, summary))
    hosts = ((each.host, each.observations) for each in placed)
    tally = recording.record(hosts, lambda _: None, lambda host: summary.note(host, aim.status(host)))
    summary.outdated += tally.outdated


def _has_place(host: str, wards: AddressMap[str] | None, summary: Summary) -> bool:
    if is_card(host):
        summary.homeless.add(host)
        return False
    if wards is not None and wards.get(number_of(host)) is None:
        summary.outside.add(host)
        return False
    summary.homeless.discard(host)
    return True


def print_lines(portions: Iterator[Listening], today: date) -> Counter[Status]:
    """A line of JSON a machine, as ``classify`` prints it, with its evidence; how many have each status."""
    judging, out, found = Judge(today), standard_output(), Counter[Status]()
    for portion in portions:
        for each in portion.machines():
            evidence = each.evidence
            more = json_line({"evidence": evidence, **_times(each)})
            out.write(f"{judging.line(each.host, evidence)[:-1]}, {more[1:]}\n")
            found[judging.status(evidence)] += 1
    out.flush()
    return found


def _times(each: Machine) -> dict[str, str]:
    return {"first_heard": moment(each.first), "last_heard": moment(each.last)}
