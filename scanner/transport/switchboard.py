"""What all connections of a scan share: one watch over their sockets, two clocks, so many places to speak.

An event loop makes a watcher and a timer for each attempt, and a scan makes a hundred thousand attempts.
Here a socket costs one entry in one epoll set, which the loop watches as one descriptor, and a timeout one
entry in a queue, since all timeouts of a kind are equally long.
"""

from __future__ import annotations

import asyncio
import select
from collections import deque
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

READABLE: Final = select.EPOLLIN
WRITABLE: Final = select.EPOLLOUT

_AT_ONCE: Final = 256
"""Sockets served before anything else of the loop has its turn."""


class Switchboard:
    """Shared by all connections of one event loop; an asynchronous context."""

    def __init__(
        self, places: int, connect_seconds: float, answer_seconds: float, datagram_seconds: float
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._epoll = select.epoll()
        self._ready: dict[int, Callable[[], None]] = {}
        self.connecting = Deadlines(self._loop, connect_seconds)
        self.answering = Deadlines(self._loop, answer_seconds)
        self.datagrams = Deadlines(self._loop, datagram_seconds)
        self.places = Places(places)

    async def __aenter__(self) -> Self:
        self._loop.add_reader(self._epoll.fileno(), self._serve)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.remove_reader(self._epoll.fileno())
        self._epoll.close()
        for deadlines in (self.connecting, self.answering, self.datagrams):
            deadlines.close()

    def watch(self, descriptor: int, events: int, ready: Callable[[], None]) -> None:
        """Call ``ready`` whenever a socket is ready for ``events``, or broken."""
        if descriptor in self._ready:
            self._epoll.modify(descriptor, events)
        else:
            self._epoll.register(descriptor, events)
        self._ready[descriptor] = ready

    def forget(self, descriptor: int) -> None:
        """Stop watching a socket that stays open."""
        if self._ready.pop(descriptor, None) is not None:
            self._epoll.unregister(descriptor)

    def drop(self, descriptor: int) -> None:
        """Stop watching a socket that is closed at once: its closing takes it out of the set."""
        self._ready.pop(descriptor, None)

    def _serve(self) -> None:
        for descriptor, _ in self._epoll.poll(0, _AT_ONCE):
            ready = self._ready.get(descriptor)
            if ready is not None:  # one served before it may have ended this one
                ready()


class Deadlines:
    """Timeouts that are all equally long: the first to begin is the first to end."""

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        self.seconds = seconds
        self._loop = loop
        self._queue: deque[tuple[float, asyncio.Future[bytes], Exception | None]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def start(self, waiter: asyncio.Future[bytes], error: Exception | None = None) -> None:
        """End ``waiter`` if it is not done in time: with ``error``, or with nothing where there is none."""
        self._queue.append((self._loop.time() + self.seconds, waiter, error))
        if self._timer is None:
            self._timer = self._loop.call_later(self.seconds, self._expire)

    def _expire(self) -> None:
        now = self._loop.time()
        queue = self._queue
        while queue and (queue[0][1].done() or queue[0][0] <= now):
            _, waiter, error = queue.popleft()
            if waiter.done():
                continue
            if error is None:
                waiter.set_result(b"")
            else:
                waiter.set_exception(error)
        self._timer = self._loop.call_later(max(queue[0][0] - now, 1e-3), self._expire) if queue else None

    def close(self) -> None:
        """Forget every timeout."""
        if self._timer is not None:
            self._timer.cancel()
        self._queue.clear()


class Places:
    """So many conversations at one time (a queue: asyncio's semaphore walks all who wait, each time)."""

    def __init__(self, number: int) -> None:
        self._free: asyncio.Queue[None] = asyncio.Queue()
        for _ in range(number):
            self._free.put_nowait(None)

    async def __aenter__(self) -> None:
        await self._free.get()

    async def __aexit__(self, *_: object) -> None:
        self._free.put_nowait(None)
