"""Running one of the programs under ``children``: within limits, and gone when it must be.

It gets no terminal, no standard input, no descriptor and no variable of ours but the search path, and a
folder of its own that vanishes with it. Nothing that it says is trusted: lines are short, few, and checked.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from scanner.errors import ProtocolError
from scanner.wire import printable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

_PROGRAMS: Final = Path(__file__).with_name("children")
_MEMORY: Final = 1 << 28
"""Bytes of address space, of each process: nmap and impacket each need less than a fifth of it."""
_LINE: Final = 1 << 19
_LINES: Final = 64
"""Most bytes of a line, and most lines."""


async def run(
    program: str,
    request: Mapping[str, object],
    seconds: float,
    take: Callable[[Mapping[str, Any]], None],
) -> str:
    """Run a program until it is done, its time is over, or it says what it must not.

    Args:
        program: the file's name.
        request: what it is asked; JSON.
        seconds: how long it may take.
        take: gets each line as soon as it is said; raises ProtocolError where it makes no sense.

    Returns:
        Why it did not end well, in English; empty where it did.
    """
    asked = {**request, "parent": os.getpid(), "memory": _MEMORY}
    words = (str(_PROGRAMS / "tethered.py"), program, json.dumps(asked))
    with TemporaryDirectory(prefix="vetuste-", ignore_cleanup_errors=True) as folder:
        async with _listening() as (lines, writing):
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-B", *words),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=writing,
                stderr=asyncio.subprocess.DEVNULL,
                cwd=folder,
                env={"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8"},
                start_new_session=True,
            )
            writing.close()
            try:
                async with asyncio.timeout(seconds):
                    if await _is_done(lines, take):
                        return ""
                    return f"{program} ended with {await process.wait()}"
            except TimeoutError:
                return f"{program} was not done after {seconds:g} s"
            except ProtocolError as error:
                return f"{program}: {error}"
            finally:
                await _end(process)


@asynccontextmanager
async def _listening() -> AsyncIterator[tuple[asyncio.StreamReader, BinaryIO]]:
    """The ends of a pipe; ours is closed at once in the end, whoever may still hold the other one."""
    reading, writing = os.pipe()
    reader = asyncio.StreamReader(_LINE)
    with os.fdopen(writing, "wb") as theirs:
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(reading, "rb")
        )
        try:
            yield reader, theirs
        finally:
            transport.close()
            await asyncio.sleep(0)  # a loop that ends now would find it open


async def _is_done(lines: asyncio.StreamReader, take: Callable[[Mapping[str, Any]], None]) -> bool:
    """Hear it to its end; whether it says that it is done."""
    for _ in range(_LINES):
        try:
            line = await lines.readline()
        except ValueError:
            raise ProtocolError(f"a line of more than {_LINE} bytes") from None
        if not line:
            return False
        said = _read(line)
        if said == {"done": True}:
            return True
        take(said)
    raise ProtocolError(f"more than {_LINES} lines")


def _read(line: bytes) -> dict[str, Any]:
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise ProtocolError(f"not what was asked for: {printable(line[:40].decode('latin-1'))}")
    return said


async def _end(process: asyncio.subprocess.Process) -> None:
    """End it, and all that it started."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # it leads a group of its own
    await process.wait()
