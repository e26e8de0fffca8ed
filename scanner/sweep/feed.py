"""Which address is visited next: in spread order, but for those that must wait for their subnet."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Final

from scanner.transport.turns import EVERY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_PARKED: Final = 4096
"""Addresses that may wait for their subnets before nothing more is drawn."""


class Feed:
    """Gives each address to one of many visitors."""

    def __init__(self, numbers: Iterator[int]) -> None:
        self._numbers = numbers
        self._ready: deque[int] = deque()
        self._parked: dict[object, deque[int]] = {}
        self._waiting = 0
        self._wake = asyncio.Event()
        self._out = 0

    async def next(self) -> int | None:
        """The next address; None when there is none left, and none can come back.

        :meth:`done` must be called after every address that was given, parked or visited.
        """
        while True:
            number = self._draw()
            if number is not None:
                self._out += 1
                return number
            if self._out:
                self._wake.clear()
                await self._wake.wait()
            elif self._parked:
                for lot in list(self._parked):  # nobody is left who could release them
                    self.release(lot, None)
            else:
                self._wake.set()
                return None

    def _draw(self) -> int | None:
        if self._ready:
            return self._ready.popleft()
        return next(self._numbers, None) if self._waiting < _PARKED else None

    def done(self) -> None:
        """A visitor is free again."""
        self._out -= 1
        if not self._out:
            self._wake.set()

    def park(self, lot: object, number: int) -> None:
        """Keep an address until :meth:`release` is called for its lot."""
        self._parked.setdefault(lot, deque()).append(number)
        self._waiting += 1

    def release(self, lot: object, most: int | None = EVERY) -> None:
        """Give so many addresses of a lot again, or all: those that waited longest."""
        waiting = self._parked.get(lot)
        if waiting is None:
            return
        number = len(waiting) if most is None else min(most, len(waiting))
        self.again([waiting.popleft() for _ in range(number)])
        self._waiting -= number
        if not waiting:
            del self._parked[lot]

    def again(self, numbers: Iterable[int]) -> None:
        """Give addresses once more."""
        self._ready.extend(numbers)
        if self._ready:
            self._wake.set()
