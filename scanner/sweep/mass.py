"""Looking at thousands of addresses at once, half-open: for laboratories, where nothing has limits.

Addresses come in lots. Each lot is asked on every port; then some that answered are asked a second time. All
answer again: whoever was silent is dark. Some do not: packets get lost here, and all that was silent is asked
once more. None does: the network went away, and the lot is asked again when it is back.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Final, Protocol

from scanner.addresses import IPV6, address_of
from scanner.language import Message
from scanner.model import Attempt, Endpoint, Outcome
from scanner.probes import probes
from scanner.sweep.sightings import Answer, answer_of, looked_ports
from scanner.transport.gate import HoursError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator, Sequence

    from scanner.transport.gate import Gate
    from scanner.transport.limits import Terms
    from scanner.transport.raw import Heard, Raw

LOT: Final = 8192
"""Addresses of a lot: what is lost, at most, of what nobody has recorded when a scan is killed."""
_LOTS_AT_ONCE: Final = 3
_ANSWER_SECONDS: Final = 2.0
"""How long answers are waited for: a lost SYN and ACK is sent again after a second ([RFC 6298] section 2)."""
_ASKED_AGAIN: Final = 64
"""Answers that are asked for a second time: where one packet in ten gets lost, some do not come."""
_HOSTS: Final = 1 << 14
_SECONDS: Final = 60.0
"""When so many were found, or so much time has passed, they are visited before others are looked for."""
_TRIES: Final = 3
"""How often a lot is asked in whose end nobody answers a second time."""
_LOST: Final = 8
"""Packets of a lot that this machine itself could not send before its network counts as lost."""

Pair = tuple[int, int]
"""Address and port."""


class Listener(Protocol):
    """Who hears what becomes of addresses that nobody visits."""

    def dark(self, number: int) -> None:
        """Nothing answered there."""

    def left_for_later(self, number: int) -> None:
        """So many were not asked, or not to the end: the hours of their ward are over."""

    def told(self, message: Message) -> None:
        """Something that the operator should read now."""

    async def lost(self, address: str) -> None:
        """Wait until the network is back.

        Raises:
            NetworkLostError: it is not back in time.
        """


@dataclass(slots=True)
class Mass:
    """Mass looks of one sweep."""

    gate: Gate
    raw: Raw
    found: dict[int, dict[int, Answer]] = field(default_factory=dict)
    """What was heard of addresses that were not visited yet, by port."""
    _witnesses: deque[Pair] = field(default_factory=lambda: deque(maxlen=_ASKED_AGAIN))
    """The last that answered."""
    _again: set[Pair] = field(default_factory=set)
    """Asked a second time, and not heard since."""
    _failed: dict[Pair, Answer] = field(default_factory=dict)
    _dark: set[int] = field(default_factory=set)
    """Told as dark, in this part of the sweep."""
    _late: list[int] = field(default_factory=list)

    def take(self, heard: Heard) -> None:
        """Something was heard of an address."""
        pair, answer = (heard.number, heard.port), answer_of(heard)
        if answer.outcome is Outcome.FAILED:
            self._failed[pair] = answer
            return
        self._again.discard(pair)
        if answer.outcome.alive and heard.number in self._dark:
            self._dark.discard(heard.number)
            self._late.append(heard.number)
        self.found.setdefault(heard.number, {}).setdefault(heard.port, answer)

    def ports_of(self, terms: Terms) -> tuple[Pair, ...]:
        """The ports that are asked, each with the registered one that it stands for."""
        return looked_ports(self.gate, probes(), terms)

    async def parts(self, numbers: Iterator[int], listener: Listener) -> AsyncIterator[Iterable[int]]:
        """Every address that is not dark, in parts of the sweep; the others are told as dark.

        Raises:
            NetworkLostError, ClockError, RawEndedError: the sweep ends.
        """
        part: list[int] = []
        running: set[asyncio.Task[list[int]]] = set()
        began, looked = time.monotonic(), 0
        try:
            for terms, lot in self._drawn(numbers):
                if terms is None:
                    part += lot
                else:
                    running.add(asyncio.create_task(self._look_at(lot, terms, listener)))
                    looked += len(lot)
                    running = await _room(running, part)
                if len(part) >= _HOSTS or time.monotonic() - began >= _SECONDS:
                    yield await self._closed(running, part, looked, listener)
                    running, part = set(), []
                    began, looked = time.monotonic(), 0
            yield await self._closed(running, part, looked, listener)
        finally:
            for task in running:
                task.cancel()

    async def _closed(
        self, running: set[asyncio.Task[list[int]]], part: list[int], looked: int, listener: Listener
    ) -> list[int]:
        """A part of the sweep, when all its lots are done."""
        while running:
            running = await _room(running, part, 1)
        part += self._late
        self._late = []
        self._dark.clear()
        if looked:
            values = {"found": str(len(part)), "addresses": str(looked)}
            listener.told(Message("{found} of {addresses} addresses answer; they are visited now", values))
        return part

    def _drawn(self, numbers: Iterator[int]) -> Iterator[tuple[Terms | None, list[int]]]:
        """Lots of addresses under the same terms; without terms those that are looked at one by one."""
        gathered: dict[int, tuple[Terms, list[int]]] = {}
        for number in numbers:
            terms = self.gate.terms_of(number)
            if number >= IPV6 or terms.limits.watched or terms.canaries:
                yield None, [number]
                continue
            if not self.gate.scope.permits(number):
                continue  # excluded: it counts as untouched
            lot = gathered.setdefault(id(terms), (terms, []))[1]
            lot.append(number)
            if len(lot) >= LOT:
                yield gathered.pop(id(terms))
        yield from gathered.values()

    async def _look_at(self, lot: list[int], terms: Terms, listener: Listener) -> list[int]:
        """Look at a lot; those who answered."""
        services = dict(self.ports_of(terms))
        pairs = [(number, port) for port in services for number in lot]
        for _ in range(_TRIES):
            if not await self._ask(pairs, terms, services):
                listener.left_for_later(len(lot))
                return []
            unsent = self._take_failed(pairs)
            if len(unsent) < _LOST and await self._looked_back(lot, terms, services):
                return self._settle(lot, unsent, listener)
            await listener.lost(address_of((unsent or pairs)[0][0]))
        return []  # nobody can say what is dark here: it counts as untouched

    async def _ask(self, pairs: Sequence[Pair], terms: Terms, services: dict[int, int]) -> bool:
        """Ask every port, wait for answers, enter both into the ledger; whether the hours allowed it all."""
        sent: list[tuple[datetime, list[Pair]]] = []
        remaining, within = iter(pairs), True
        while chunk := list(islice(remaining, self.gate.at_once(terms))):
            try:
                await self.gate.admit_many(terms, len(chunk))
            except HoursError:
                within = False
                break
            sent.append((datetime.now(UTC), chunk))
            await self.raw.send(chunk)
        await self.raw.sent()
        await asyncio.sleep(_ANSWER_SECONDS)
        for at, chunk in sent:
            self._enter(at, chunk, services)
        return within

    def _enter(self, at: datetime, chunk: Sequence[Pair], services: dict[int, int]) -> None:
        silent = Answer(Outcome.SILENT)
        for pair in chunk:
            if pair in self._failed:
                self.gate.attempts -= 1
                continue
            number, port = pair
            outcome = self.found.get(number, {}).get(port, silent).outcome
            endpoint = Endpoint(address_of(number), port, service=services[port])
            self.gate.ledger.append(Attempt(endpoint, "syn", at, outcome))

    def _take_failed(self, pairs: Sequence[Pair]) -> list[Pair]:
        return [pair for pair in pairs if self._failed.pop(pair, None)] if self._failed else []

    async def _looked_back(self, lot: Sequence[int], terms: Terms, services: dict[int, int]) -> bool:
        """Ask some that answered a second time; where some of them are silent, all that was.

        Returns:
            Whether anybody answered a second time, or nobody could be asked.
        """
        answered = [
            (number, port)
            for number in lot
            for port, answer in self.found.get(number, {}).items()
            if answer.outcome.alive
        ]
        self._witnesses.extend(answered[-_ASKED_AGAIN:])
        asked = [pair for pair in self._witnesses if pair[1] in services]
        if not asked:
            return True
        self._again |= set(asked)
        await self._ask(asked, terms, services)
        silent = self._again & set(asked)
        self._again -= silent
        self._take_failed(asked)
        if len(silent) == len(set(asked)):
            return False
        if silent:
            quiet = [
                (number, port)
                for port in services
                for number in lot
                if port not in self.found.get(number, {})
            ]
            await self._ask(quiet, terms, services)
        return True

    def _settle(self, lot: Sequence[int], unsent: Iterable[Pair], listener: Listener) -> list[int]:
        """Tell dark addresses from those that answered; one that a packet could not be sent to is neither."""
        alive, unknown = [], {number for number, _ in unsent}
        for number in lot:
            answers = self.found.get(number)
            if answers and any(answer.outcome.alive for answer in answers.values()):
                alive.append(number)
            elif number not in unknown:
                self.found.pop(number, None)
                self._dark.add(number)
                listener.dark(number)
        return alive


async def _room(
    running: set[asyncio.Task[list[int]]], part: list[int], most: int = _LOTS_AT_ONCE
) -> set[asyncio.Task[list[int]]]:
    """Wait until one more lot may be begun."""
    while len(running) >= most:
        done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            part += task.result()
    return running
