"""Asking a lot of addresses half-open, and making sure that their silence is their own."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Final

from scanner.addresses import address_of
from scanner.model import Attempt, Endpoint
from scanner.sweep.visit import LOOK
from scanner.transport.gate import HoursError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from scanner.sweep.sightings import Pair, Sightings
    from scanner.transport.gate import Gate
    from scanner.transport.limits import Terms
    from scanner.transport.raw import Raw

_ANSWER_SECONDS: Final = 2.0
"""How long answers are waited for: a lost SYN and ACK is sent again after a second ([RFC 6298] section 2)."""
_ASKED_AGAIN: Final = 64
"""Answers that are asked for a second time: where one packet in ten gets lost, some do not come."""
_TRIES: Final = 3
"""How often a lot is asked in whose end nobody answers a second time."""
_LOST: Final = 0.5
"""The share of a lot that could not be sent when this machine's network is lost: some subnets of a plan
may have no route, and that is no reason to wait."""


@dataclass(frozen=True, slots=True)
class Lot:
    """Addresses under the same terms."""

    numbers: Sequence[int]
    terms: Terms
    services: Mapping[int, int]
    """The ports that are asked, each with the registered one that it stands for."""

    def pairs(self) -> list[Pair]:
        """What is to be asked, so that one host's ports are far apart."""
        return [(number, port) for port in self.services for number in self.numbers]


@dataclass(slots=True)
class Lots:
    """Asks lots, several of them at one time."""

    gate: Gate
    raw: Raw
    sightings: Sightings
    _witnesses: deque[Pair] = field(default_factory=lambda: deque(maxlen=_ASKED_AGAIN))
    """Where somebody answered, the last at the end."""

    async def ask(self, lot: Lot, lost: Callable[[str], Awaitable[None]]) -> set[int] | None:
        """Ask a lot until it is sure who is dark.

        Args:
            lot: whom.
            lost: waits until the network is back, where this machine cannot reach anybody at an address.

        Returns:
            The addresses of which nothing can be said after all: all of them, where nobody answers a second
            time whenever they are asked. None where the hours of the ward are over.

        Raises:
            NetworkLostError, ClockError, RawEndedError: the sweep ends.
        """
        pairs = lot.pairs()
        for _ in range(_TRIES):
            if not await self._send(lot, pairs):
                return None
            unsent = self.sightings.unsent(pairs)
            if len(unsent) <= _LOST * len(pairs) and await self._looked_back(lot):
                return {number for number, _ in unsent}
            await lost(address_of((unsent or pairs)[0][0]))
        return set(lot.numbers)

    async def _send(self, lot: Lot, pairs: Sequence[Pair]) -> bool:
        """Ask, wait for answers, enter both into the ledger; whether the hours allowed it all."""
        sent: list[tuple[datetime, list[Pair]]] = []
        remaining, within = iter(pairs), True
        while chunk := list(islice(remaining, self.gate.at_once(lot.terms))):
            try:
                await self.gate.admit_many(lot.terms, [number for number, _ in chunk])
            except HoursError:
                within = False
                break
            sent.append((datetime.now(UTC), chunk))
            await self.raw.send(chunk)
        await self.raw.sent()
        await asyncio.sleep(_ANSWER_SECONDS)
        for at, chunk in sent:
            self._enter(lot, at, chunk)
        return within

    def _enter(self, lot: Lot, at: datetime, chunk: Sequence[Pair]) -> None:
        for pair in chunk:
            if pair in self.sightings.failed:
                self.gate.attempts -= 1
                continue
            endpoint = Endpoint(address_of(pair[0]), pair[1], service=lot.services[pair[1]])
            self.gate.ledger.append(Attempt(endpoint, LOOK, at, self.sightings.outcome(pair)))

    async def _looked_back(self, lot: Lot) -> bool:
        """Ask some that answered a second time; where some of them are silent, all that was.

        Returns:
            Whether anybody answered a second time, or nobody could be asked.
        """
        self._witnesses.extend(self.sightings.answered(lot.numbers)[-_ASKED_AGAIN:])
        here = [pair for pair in self._witnesses if self.gate.terms_of(pair[0]) is lot.terms]
        asked = list(dict.fromkeys(pair for pair in here if pair[1] in lot.services))
        if not asked:
            return True
        self.sightings.again.update(asked)
        await self._send(lot, asked)
        silent = self.sightings.again.intersection(asked)
        self.sightings.again -= silent
        self.sightings.unsent(asked)
        if 0 < len(silent) < len(asked):
            quiet = [pair for pair in lot.pairs() if pair[1] not in self.sightings.found.get(pair[0], {})]
            await self._send(lot, quiet)
        return len(silent) < len(asked)
