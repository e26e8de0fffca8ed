"""A way to a host for a program that is not ours: it connects here, on loopback, and is carried by the door.

So a second opinion has the limits of everything else, whatever it does: each of its connections is admitted,
paced, made with one SYN, counted, bounded and closed politely; none goes anywhere but to the one endpoint, or
leaves after the scan was stopped. Who closes without a word (nmap's port scan) costs the host nothing; where
one was not answered, no other is tried.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from scanner.errors import LimitError, PeerClosedError, VetusteError
from scanner.model import Outcome
from scanner.probes import Send
from scanner.transport.call import Call
from scanner.transport.dialling import outcome_of
from scanner.transport.gate import ForbiddenError, HeldBackError
from scanner.transport.loopback import is_our_own

if TYPE_CHECKING:
    from types import TracebackType

    from scanner.model import Endpoint
    from scanner.transport.gate import HostDoor
    from scanner.transport.switchboard import Switchboard

LOOPBACK: Final = "127.0.0.1"
_CHUNK: Final = 1 << 14
_MOST_HEARD: Final = 1 << 18
"""Bytes of a host that are carried in one connection."""
_TOUCH: Final = 0.2
"""Seconds in which a connection may end again before its host is called."""
_PARTING: Final = 1.0
"""Seconds in which the program has to take what the host said last."""
_LOGS_ON: Final = (b"NTLMSSP\0\x03\0\0\0", b"TlRMTVNTUAAD")
"""How an NTLM AUTHENTICATE message begins ([MS-NLMP] 2.2.1.3): as it is, and in Base64."""
_KEPT: Final = max(map(len, _LOGS_ON)) - 1


class Ending(NamedTuple):
    """How one connection ended."""

    outcome: Outcome
    why: str = ""
    """In English, safe to print; empty where it ended well."""


@dataclass(slots=True)
class Relay:
    """One endpoint as a port of this machine; an asynchronous context, in which the host's line is held.

    Raises (at its end):
        ClockError: the hours of the ward cannot be told any more.
    """

    probe: str
    """The name in the ledger."""
    endpoint: Endpoint
    door: HostDoor
    switchboard: Switchboard
    connections: int
    """Most connections to the host."""
    size: int
    """Most bytes of payload to the host in one connection."""
    endings: list[Ending] = field(default_factory=list)
    attempts: int = 0
    """Connections tried so far."""
    port: int = 0
    """Where the program connects."""
    _trouble: list[VetusteError] = field(default_factory=list)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _line: asyncio.Lock = field(default_factory=asyncio.Lock)
    _server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, LOOPBACK, 0, limit=_CHUNK)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._trouble and kind is None:
            raise self._trouble[0]

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of the program, to its end."""
        try:
            if is_our_own(writer.get_extra_info("peername"), (LOOPBACK, self.port)):
                await self._carry(reader, writer)
            writer.close()
            with suppress(OSError):  # TimeoutError is one
                async with asyncio.timeout(_PARTING):
                    await writer.wait_closed()
        except VetusteError as error:  # the clock jumped, or the scan is held back: that ends the visit
            self._trouble.append(error)
        finally:
            writer.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = b""
        try:
            async with asyncio.timeout(_TOUCH):
                if not (first := await _next(reader)):
                    return
        except TimeoutError:
            pass  # it waits for the host to speak first
        async with self._line, self.switchboard.places:  # one conversation at a time with a host
            if reader.at_eof():
                return  # it did not wait
            call = _Carrying(self.probe, self.endpoint, self.door, self.switchboard)
            ending = Ending(Outcome.ANSWERED)
            try:
                passage = _Passage(call, self.size)
                ending = await self._call(call) or await passage.carry(first, reader, writer)
            finally:
                self.door.missed |= ending.outcome is Outcome.STALLED
                call.end(ending.outcome)
                self.endings.append(ending)

    async def _call(self, call: _Carrying) -> Ending | None:
        """Connect to the host; how it ended where that fails."""
        if len(self.endings) >= self.connections:
            return Ending(Outcome.WITHHELD, f"more than {self.connections} connections")
        if any(ending.outcome is not Outcome.ANSWERED for ending in self.endings):
            return Ending(Outcome.WITHHELD, "it did not answer the last one")
        before = self.door.connections
        try:
            ended = await call.open()
        except HeldBackError:
            raise
        except (ForbiddenError, LimitError) as forbidden:
            return Ending(Outcome.WITHHELD, str(forbidden))
        finally:
            self.attempts += self.door.connections - before
        return None if ended is None else Ending(ended.outcome, ended.detail)


class _Carrying(Call):
    """A call on which somebody else speaks."""

    @property
    def sent(self) -> int:
        """Bytes of payload, on the connection that is open."""
        return self._connection.sent if self._connection else 0

    @property
    def received(self) -> int:
        """Bytes of payload, on the connection that is open."""
        return self._connection.received if self._connection else 0

    async def say(self, data: bytes) -> None:
        """As :meth:`Connection.say`."""
        if self._connection is not None:
            await self._connection.say(data)

    async def hear(self) -> bytes:
        """Whatever the host says next; it raises what :meth:`Connection.exchange` does."""
        return await self.exchange(Send(b"", until=_anything, limit=_MOST_HEARD))


@dataclass(slots=True)
class _Passage:
    """What is said in both directions of one connection."""

    call: _Carrying
    size: int
    _spoke: bool = False
    """Whether the program said something since the host was last waited for."""

    async def carry(self, first: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Ending:
        """Carry all of it, until one of them ends it or a limit is reached."""
        speaking = asyncio.ensure_future(self._speak(first, reader))
        hearing = asyncio.ensure_future(self._hear(writer))
        try:
            done, _ = await asyncio.wait({speaking, hearing}, return_when=asyncio.FIRST_COMPLETED)
            return self._ending(done.pop().exception())
        finally:
            for task in (speaking, hearing):
                task.cancel()
            await asyncio.gather(speaking, hearing, return_exceptions=True)

    async def _speak(self, first: bytes, reader: asyncio.StreamReader) -> None:
        """To the host, until the program closes; nothing that logs on leaves, nor more than was declared."""
        tail = b""
        while said := first or await _next(reader):
            first = b""
            tail = tail[-_KEPT:] + said
            if any(mark in tail for mark in _LOGS_ON):
                raise ForbiddenError("an NTLM AUTHENTICATE message was held back")
            if self.call.sent + len(said) > self.size:
                raise LimitError(f"more than {self.size} bytes were to be sent")
            await self.call.say(said)
            self._spoke = True

    async def _hear(self, writer: asyncio.StreamWriter) -> None:
        """From the host, until it closes, is silent for too long, or says more than any honest one."""
        while self.call.received <= _MOST_HEARD:
            self._spoke = False
            try:
                writer.write(await self.call.hear())
                await writer.drain()
            except TimeoutError:
                if not self._spoke:
                    raise
        raise LimitError(f"more than {_MOST_HEARD} bytes")

    def _ending(self, error: BaseException | None) -> Ending:
        """What ended it; who has had an answer may be left, and leave, without a word."""
        if isinstance(error, HeldBackError):
            raise error
        if isinstance(error, ForbiddenError):
            return Ending(Outcome.WITHHELD, str(error))
        if isinstance(error, LimitError):
            return Ending(Outcome.EXCESSIVE, str(error))
        if self.call.received:
            return Ending(Outcome.ANSWERED)
        if isinstance(error, PeerClosedError):
            return Ending(Outcome.CLOSED, str(error))
        if error is None or isinstance(error, TimeoutError):
            return Ending(Outcome.STALLED, "no answer")
        if isinstance(error, OSError):
            return Ending(outcome_of(error), error.strerror or "")
        raise error


async def _next(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read(_CHUNK)
    except OSError:  # the program hung up
        return b""


def _anything(received: bytes) -> int | None:
    return len(received) or None
