"""What a half-open look tells: answers of ports, as outcomes and evidence."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TypeAlias

from scanner.addresses import address_of
from scanner.errors import ProtocolError
from scanner.model import Endpoint, Observation, Outcome, Transport
from scanner.probes.segments import form_of
from scanner.sweep.visit import LOOK

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from scanner.probes import Probe
    from scanner.transport.gate import Gate
    from scanner.transport.limits import Terms
    from scanner.transport.raw import Heard

Pair: TypeAlias = tuple[int, int]
"""Address and port."""

_FAILED, _OPEN, _CLOSED, _UNREACHABLE = 1, 16, 17, 18
"""Kinds of records, as ``children/raw.py`` and ``children/syn_raw.py`` have them."""
_OUTCOMES: Final = {
    _FAILED: Outcome.FAILED,
    _OPEN: Outcome.ANSWERED,
    _CLOSED: Outcome.REFUSED,
    _UNREACHABLE: Outcome.UNREACHABLE,
}
_REFUSALS: Final = {errno.EACCES: Outcome.UNREACHABLE, errno.EPERM: Outcome.UNREACHABLE}
"""A broadcast address, and this machine's own firewall: nobody is asked there, and nothing is wrong here."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one SYN."""

    outcome: Outcome
    form: str = ""
    """How an open port's host accepts: ``tcp.synack``."""
    ttl: int = 0
    """Of the answer, as it arrived; 0 where there was none."""
    detail: str = ""

    @property
    def evidence(self) -> dict[str, tuple[str, ...]]:
        """What it tells of a system."""
        return {"tcp.synack": (self.form,)} if self.form else {}

    def observation(self, endpoint: Endpoint, at: datetime, connections: int) -> Observation:
        """The same, as an observation."""
        return Observation(endpoint, LOOK, at, self.outcome, self.evidence, self.detail, connections)


_SILENCE: Final = Answer(Outcome.SILENT)


def answer_of(heard: Heard) -> Answer:
    """What a record of the raw part means; nobody vouches for its bytes."""
    outcome = _OUTCOMES.get(heard.kind, Outcome.FAILED)
    if outcome is Outcome.ANSWERED:
        return _accepted(heard.more)
    if outcome is Outcome.FAILED:
        code = heard.more[0] if heard.more else 0
        return Answer(_REFUSALS.get(code, outcome), detail=os.strerror(code))
    return Answer(outcome, ttl=heard.more[0] if outcome is Outcome.REFUSED and heard.more else 0)


def _accepted(packet: bytes) -> Answer:
    try:
        return Answer(Outcome.ANSWERED, form_of(packet), packet[8])
    except (ProtocolError, IndexError):
        return Answer(Outcome.ANSWERED)


def looked_ports(gate: Gate, probes: Sequence[Probe], terms: Terms) -> tuple[Pair, ...]:
    """Which ports a look asks, each with the registered one that it stands for.

    All that the operator named, of those that some probe speaks on; else those where hosts reveal themselves.
    """
    pairs: dict[int, int] = {}
    for probe in probes:
        if probe.transport is Transport.UDP:
            continue
        ports = gate.services(probe, terms).ports
        for port, service in ports if gate.only_ports else ports[: probe.reveals]:
            pairs.setdefault(port, service)
    return tuple(pairs.items())


def observations(
    number: int, answers: Mapping[int, Answer], ports: Sequence[tuple[int, int]]
) -> list[Observation]:
    """What was found of one host in a mass look."""
    address, at = address_of(number), datetime.now(UTC)
    return [
        answers.get(port, _SILENCE).observation(Endpoint(address, port, service=service), at, connections=1)
        for port, service in ports
    ]


@dataclass(slots=True)
class Sightings:
    """What was heard of many addresses, before anybody visits them."""

    found: dict[int, dict[int, Answer]] = field(default_factory=dict)
    """By address, of those that were not visited yet, and by port."""
    failed: set[Pair] = field(default_factory=set)
    """What this machine could not send."""
    late: list[int] = field(default_factory=list)
    """Addresses that answered after they were taken for dark."""
    again: set[Pair] = field(default_factory=set)
    """Asked a second time, and not heard since."""
    _dark: set[int] = field(default_factory=set)

    def take(self, heard: Heard) -> None:
        """Something was heard of an address."""
        pair, answer = (heard.number, heard.port), answer_of(heard)
        if answer.outcome is Outcome.FAILED:
            self.failed.add(pair)
            return
        self.again.discard(pair)
        if answer.outcome.alive and heard.number in self._dark:
            self._dark.discard(heard.number)
            self.late.append(heard.number)
        self.found.setdefault(heard.number, {}).setdefault(heard.port, answer)

    def outcome(self, pair: Pair) -> Outcome:
        """What came of an order, so far."""
        return self.found.get(pair[0], {}).get(pair[1], _SILENCE).outcome

    def unsent(self, pairs: Iterable[Pair]) -> list[Pair]:
        """Those of some orders that could not be sent; they are forgotten."""
        if not self.failed:
            return []
        unsent = [pair for pair in pairs if pair in self.failed]
        self.failed.difference_update(unsent)
        return unsent

    def answered(self, numbers: Iterable[int]) -> list[Pair]:
        """Where some addresses answered."""
        return [
            (number, port)
            for number in numbers
            for port, answer in self.found.get(number, {}).items()
            if answer.outcome.alive
        ]

    def divide(self, numbers: Iterable[int], unknown: set[int]) -> tuple[list[int], list[int]]:
        """Those of some addresses that answered, and those that are dark; of the unknown nothing is said."""
        alive, dark = [], []
        for number in numbers:
            if any(answer.outcome.alive for answer in self.found.get(number, {}).values()):
                alive.append(number)
            elif number not in unknown:
                self.found.pop(number, None)
                dark.append(number)
        self._dark.update(dark)
        return alive, dark

    def close(self) -> list[int]:
        """A part of the sweep is over: those that answered late, for the last time."""
        late, self.late = self.late, []
        self._dark.clear()
        return late
