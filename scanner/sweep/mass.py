"""Looking at thousands of addresses at once, half-open: for laboratories, where nothing has limits.

Addresses come in lots. Each lot is asked on every port; then some that answered are asked a second time. All
answer again: whoever was silent is dark. Some do not: packets get lost here, and all that was silent is asked
once more. None does: the network went away, and the lot is asked again when it is back.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

from scanner.addresses import IPV6
from scanner.language import Message
from scanner.probes import probes
from scanner.sweep.lots import Lot, Lots
from scanner.sweep.sightings import Sightings, looked_ports

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator

    from scanner.sweep.sightings import Pair
    from scanner.transport.gate import Gate
    from scanner.transport.limits import Terms
    from scanner.transport.raw import Raw

_PACKETS: Final = 40_960
"""Of a lot: half a second of them."""
_LOTS_AT_ONCE: Final = 8
"""Lots that are sent, or wait for answers: some seconds of work, which are lost where a scan is killed."""
_HOSTS: Final = 1 << 14
_SECONDS: Final = 60.0
"""When so many were found, or so much time has passed, they are visited before others are looked for."""


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
    sightings: Sightings = field(default_factory=Sightings)
    lots: Lots = field(init=False)

    def __post_init__(self) -> None:
        self.lots = Lots(self.gate, self.raw, self.sightings)

    def ports_of(self, terms: Terms) -> tuple[Pair, ...]:
        """The ports that are asked, each with the registered one that it stands for."""
        return looked_ports(self.gate, probes(), terms)

    async def parts(self, numbers: Iterator[int], listener: Listener) -> AsyncIterator[Iterable[int]]:
        """Every address that is not dark, in parts of the sweep; the others are told as dark.

        Raises:
            NetworkLostError, ClockError, RawEndedError: the sweep ends.
        """
        part = _Part()
        try:
            for terms, numbered in self._drawn(numbers):
                if terms is None:
                    part.alive += numbered
                else:
                    lot = Lot(numbered, terms, dict(self.ports_of(terms)))
                    await part.begin(self._look_at(lot, listener), len(numbered))
                if part.is_full:
                    yield await self._closed(part, listener)
                    part = _Part()
            yield await self._closed(part, listener)
        finally:
            part.cancel()

    async def _closed(self, part: _Part, listener: Listener) -> list[int]:
        """A part of the sweep, when all its lots are done."""
        await part.end()
        part.alive += self.sightings.close()
        if part.looked:
            values = {"found": str(len(part.alive)), "addresses": str(part.looked)}
            listener.told(Message("{found} of {addresses} addresses answer; they are visited now", values))
        return part.alive

    def _drawn(self, numbers: Iterator[int]) -> Iterator[tuple[Terms | None, list[int]]]:
        """Lots of addresses under the same terms; without terms those that are looked at one by one."""
        gathered: dict[int, tuple[Terms, list[int]]] = {}
        sizes: dict[int, int] = {}
        for number in numbers:
            terms = self.gate.terms_of(number)
            which = id(terms)  # terms live as long as the gate
            if which not in sizes:
                sizes[which] = self._size(terms)
            if number >= IPV6 or not sizes[which]:
                yield None, [number]
            elif self.gate.scope.permits(number):  # one that is excluded counts as untouched
                lot = gathered.setdefault(which, (terms, []))[1]
                lot.append(number)
                if len(lot) >= sizes[which]:
                    yield gathered.pop(which)
        yield from gathered.values()

    def _size(self, terms: Terms) -> int:
        """How many addresses a lot has; 0 where each host passes its own door, or nothing is to be asked."""
        ports = self.ports_of(terms)
        if terms.limits.watched or terms.canaries or not ports:
            return 0
        return max(1, _PACKETS // len(ports))

    async def _look_at(self, lot: Lot, listener: Listener) -> list[int]:
        """Look at a lot; those who answered."""
        unknown = await self.lots.ask(lot, listener.lost)
        if unknown is None:
            listener.left_for_later(len(lot.numbers))
            return []
        alive, dark = self.sightings.divide(lot.numbers, unknown)
        for number in dark:
            listener.dark(number)
        return alive


@dataclass(slots=True)
class _Part:
    """A part of the sweep: what is looked at before those that answer are visited."""

    alive: list[int] = field(default_factory=list)
    looked: int = 0
    began: float = field(default_factory=time.monotonic)
    _running: set[asyncio.Task[list[int]]] = field(default_factory=set)

    @property
    def is_full(self) -> bool:
        """Whether those that were found had better be visited now."""
        return len(self.alive) >= _HOSTS or time.monotonic() - self.began >= _SECONDS

    async def begin(self, look: Coroutine[Any, Any, list[int]], size: int) -> None:
        """Begin to look at a lot, and wait until another one may be begun."""
        self._running.add(asyncio.create_task(look))
        self.looked += size
        await self._until(_LOTS_AT_ONCE - 1)

    async def end(self) -> None:
        """Wait until every lot is done."""
        await self._until(0)

    async def _until(self, most: int) -> None:
        while len(self._running) > most:
            done, self._running = await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                self.alive += task.result()

    def cancel(self) -> None:
        """Give up what is under way."""
        for task in self._running:
            task.cancel()
