"""What was heard on the wire, brought together machine by machine.

An address is not a machine: it goes from one to the next, as a lease does. Where its card changed, what was
heard before and after is of two machines. Where cards keep changing it has several at one time, and nothing
can be told apart. A card whose machine has no address stands for the machine, unless it has one later.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Self

from scanner.addresses import AddressSet, number_of
from scanner.capture.notes import CARDS, TURNS
from scanner.capture.owners import MANAGED
from scanner.imports.gathering import MOST, Gathered, one_each
from scanner.imports.sorting import is_card
from scanner.inventory.beside import united
from scanner.model import Endpoint, Observation, Outcome, Transport

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator

    from scanner.model import Evidence

_CARD: Final = "mac.address"
_OLDEST: Final = datetime(1987, 1, 1, tzinfo=UTC)
"""The first tcpdump: a frame that is older has no time."""
_NOBODY: Final = AddressSet.of(("0.0.0.0/8", "224.0.0.0/3", "::/128", "ff00::/8"))
"""Addresses that are no machine's: of who has none yet, of groups, of all (RFC 6890)."""
_REMEMBERED: Final = 100_000
"""Cards and hosts that are remembered."""


@dataclass(slots=True)
class Machine:
    """One machine, as far as was heard."""

    host: str
    """Its address, or its card's where it has none."""
    observations: tuple[Observation, ...]
    first: datetime
    last: datetime

    @property
    def evidence(self) -> Evidence:
        """All that it said."""
        return united(self.observations)

    def at_its_place(self) -> Machine:
        """The same at an address: a device that is only known by its card may say where it is managed.

        That is maybe in another network than this wire's, and nothing came from there.
        """
        managed = self.evidence.get(MANAGED, ())
        if not managed or not is_card(self.host):
            return self
        seen = (
            replace(each, endpoint=replace(each.endpoint, address=managed[0])) for each in self.observations
        )
        return replace(self, host=managed[0], observations=tuple(seen))


@dataclass(slots=True)
class Places:
    """At which address each card was met last, one of IPv4 before others."""

    _at: dict[str, str] = field(default_factory=dict)

    def learn(self, address: str, evidence: Evidence) -> None:
        """Take note of the cards that are told of an address."""
        for key in CARDS:
            for card in evidence.get(key, ()):
                known = self._at.get(card.lower(), ":")
                if (":" not in address or ":" in known) and len(self._at) < _REMEMBERED:
                    self._at[card.lower()] = address

    def of(self, card: str) -> str | None:
        """Where a card was met; None where nowhere."""
        return self._at.get(card)


class Listening:
    """What is heard, in little memory; a context manager that leaves no file behind."""

    def __init__(self, now: datetime, places: Places | None = None) -> None:
        """Make an empty one.

        Args:
            now: the time of what has none.
            places: what was learnt of cards before.
        """
        self._now, self._places = now, places or Places()
        self._with, self._without = Gathered(), Gathered()
        self._met: set[str] = set()

    def add(self, seen: Observation, since: datetime | None = None) -> None:
        """Keep an observation.

        Args:
            seen: what was heard, in the order in which it was.
            since: when its host was heard first.

        Raises:
            OSError: the disk for temporary files (TMPDIR) is full.
        """
        host, at = seen.endpoint.address, seen.at
        card = is_card(host)
        if not card and not _is_somebodys(host):
            return
        gathered = self._without if card else self._with
        if since is not None and host not in self._met:
            self._met = self._met if len(self._met) < _REMEMBERED else set()
            self._met.add(host)
            gathered.add(_mark(host, since if since >= _OLDEST else self._now))
        gathered.add(seen if at >= _OLDEST else replace(seen, at=self._now))
        if not card:
            self._places.learn(host, seen.evidence)

    def machines(self) -> Iterator[Machine]:
        """Every machine, those with an address first, in its order; of one address, the last heard last."""
        lonely = Gathered()
        with lonely:
            for card, heard in self._without.heard():
                place = self._places.of(card)
                for seen in heard:
                    cards = dict.fromkeys((card, *seen.evidence.get(_CARD, ())))
                    evidence = {**seen.evidence, _CARD: tuple(cards)} if seen.evidence else seen.evidence
                    end = replace(seen.endpoint, address=place or card)
                    (self._with if place else lonely).add(replace(seen, endpoint=end, evidence=evidence))
            for gathered in (self._with, lonely):
                for host, heard in gathered.heard():
                    yield from _machines(host, heard)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with ExitStack() as ends:
            for gathered in (self._with, self._without):
                ends.push(gathered.__exit__)


def _is_somebodys(host: str) -> bool:
    """Whether this is an address that a machine may have."""
    try:
        return number_of(host) not in _NOBODY
    except ValueError:
        return False


def _mark(host: str, since: datetime) -> Observation:
    """That a host was there, and nothing more."""
    return Observation(Endpoint(host, 0, Transport.LINK), "", since, Outcome.ANSWERED)


@dataclass(slots=True, eq=False)
class _Part:
    """What was heard of an address while it had one card."""

    words: dict[Hashable, Observation] = field(default_factory=dict)
    cards: dict[str, str] = field(default_factory=dict)
    """By the key that told it."""
    moments: list[datetime] = field(default_factory=list)
    """The first and the last."""

    def take(self, seen: Observation) -> None:
        """Keep an observation; what was heard before only gets its time."""
        self.moments = [min((*self.moments, seen.at)), max((*self.moments, seen.at))]
        key = (seen.endpoint, seen.probe, *seen.evidence.items())
        before = self.words.get(key)
        if seen.evidence and (before is not None or len(self.words) < MOST):
            self.words[key] = seen if before is None or before.at < seen.at else before

    def machine(self, host: str) -> Machine:
        """The machine that it was."""
        return Machine(host, tuple(one_each([*self.words.values()])), self.moments[0], self.moments[-1])


def _machines(host: str, heard: Iterable[Observation]) -> Iterator[Machine]:
    """The machines that had an address, one after the other."""
    parts, turns = [_Part()], 0
    by_card: dict[str, _Part] = {}
    now = parts[0]
    for seen in heard:
        told = {key: values[0].lower() for key in CARDS if (values := seen.evidence.get(key))}
        if turns < TURNS and (then := _turned(now, told, by_card)) is not now:
            now, turns = then, turns + 1
            if now not in parts:
                parts.append(now)
        now.cards |= told
        by_card |= dict.fromkeys(told.values(), now)
        now.take(seen)
    if turns >= TURNS:  # several cards at one time
        for part in parts[1:]:
            for seen in part.words.values():
                parts[0].take(seen)
        parts = parts[:1]
    told_of = (part for part in parts if part.words)
    yield from sorted((part.machine(host) for part in told_of), key=lambda machine: machine.last)


def _turned(now: _Part, told: dict[str, str], by_card: dict[str, _Part]) -> _Part:
    """The part that these cards are of."""
    for key, card in told.items():
        if card in by_card:
            return by_card[card]
        if key in now.cards:
            return _Part()
    return now
