"""The raw part, seen from here: a child with a raw socket, that sends as told and tells what it hears.

It decides nothing: every order was admitted by the door of its host, or by the gate, before. Nothing that it
tells is trusted further than its form.
"""

from __future__ import annotations

import asyncio
import json
import os
import struct
import sys
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scanner.errors import ConfigError, VetusteError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

_PROGRAMS: Final = Path(__file__).with_name("children")
_ORDER: Final = struct.Struct("!IH")
_RECORD: Final = struct.Struct("!BBHI")
_SENT, _FAILED, _READY = 0, 1, 2
"""As ``children/raw.py`` has them."""
_ON_ITS_WAY: Final = 4096
"""Orders that may be given before the child has told of the first of them: some hundredths of a second."""
_START_SECONDS: Final = 10.0


class NoRawError(ConfigError):
    """This machine may not send raw packets (see vetuste doctor): allow it, or use --sweep connect."""


class RawEndedError(VetusteError):
    """The raw part ended. What was recorded is kept: vetuste scan --resume goes on."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What the raw part tells of one address and port."""

    kind: int
    """As its program has them."""
    number: int
    port: int
    more: bytes


def _ignored(_: Heard) -> None:
    return


@dataclass(slots=True)
class Raw:
    """A raw part that runs."""

    process: asyncio.subprocess.Process
    heard: Callable[[Heard], None] = _ignored
    """Told of every answer, and with kind 1 of every order that could not be carried out."""
    _outstanding: int = 0
    _room: asyncio.Event = field(default_factory=asyncio.Event)
    _ended: bool = False

    async def send(self, orders: Sequence[tuple[int, int]]) -> None:
        """Have packets sent: to each address, to the port beside it, at once and in this order.

        Raises:
            RawEndedError: the child is no more.
        """
        while self._outstanding + len(orders) > max(_ON_ITS_WAY, len(orders)) and not self._ended:
            self._room.clear()
            await self._room.wait()
        if self._ended or self.process.stdin is None:
            raise RawEndedError
        self._outstanding += len(orders)
        self.process.stdin.write(b"".join(_ORDER.pack(*order) for order in orders))

    async def sent(self) -> None:
        """Wait until everything has left.

        Raises:
            RawEndedError: the child is no more.
        """
        while self._outstanding and not self._ended:
            self._room.clear()
            await self._room.wait()
        if self._ended:
            raise RawEndedError

    async def listen(self, ready: asyncio.Future[int]) -> None:
        """Take what the child tells, until it ends.

        Args:
            ready: gets 0 when it can send, or the errno of what it may not.
        """
        assert self.process.stdout is not None  # noqa: S101 - it was asked for
        rest = b""
        while told := await self.process.stdout.read(1 << 16):
            rest = self._take(rest + told, ready)
        self._ended = True
        self._room.set()
        if not ready.done():
            ready.set_result(-1)

    def _take(self, told: bytes, ready: asyncio.Future[int]) -> bytes:
        """Take whole records; what is left of the last one."""
        place = 0
        while place + _RECORD.size <= len(told):
            kind, length, port, value = _RECORD.unpack_from(told, place)
            end = place + _RECORD.size + length
            if end > len(told):
                break
            if kind == _SENT:
                self._outstanding -= value
                self._room.set()
            elif not ready.done():
                ready.set_result(0 if kind == _READY else told[end - 1])
            else:
                self.heard(Heard(kind, value, port, told[place + _RECORD.size : end]))
            place = end
        return told[place:]


@asynccontextmanager
async def raw_part(program: str, request: Mapping[str, object] | None = None) -> AsyncIterator[Raw]:
    """Start a raw part, and end it.

    Args:
        program: the name of one of the files under ``children``.
        request: what the program needs to know, as JSON has it.

    Raises:
        NoRawError: this machine may not.
        RawEndedError: it did not start.
    """
    asked = json.dumps({**(request or {}), "parent": os.getpid()})
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-B", str(_PROGRAMS / "raw.py"), program, asked),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        cwd="/",
        env={"LANG": "C.UTF-8"},
        start_new_session=True,
    )
    raw = Raw(process)
    ready: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    listening = asyncio.create_task(raw.listen(ready))
    try:
        async with asyncio.timeout(_START_SECONDS):
            code = await ready
        if code:
            raise NoRawError if code > 0 else RawEndedError
        yield raw
    except TimeoutError:
        raise RawEndedError from None
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        listening.cancel()
        await asyncio.wait({listening})
