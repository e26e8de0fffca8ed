"""What writes to a stream, read piece by piece: a file that is sent while it is made.

The writer runs in a thread of its own and waits where the reader is slower; it ends when the reader is gone.
"""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from queue import Full, Queue
from threading import Event
from typing import TYPE_CHECKING, Any, BinaryIO, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_PIECE: Final = 1 << 16
"""Bytes that are handed over together."""
_AHEAD: Final = 8
"""Pieces that the writer may be ahead."""
_WAIT: Final = 0.5
"""Seconds after which a writer that waits looks whether anybody reads."""


class _GoneError(OSError):
    """Nobody reads any more."""


class _Stream(io.RawIOBase):
    """Takes bytes, and hands them over."""

    def __init__(self) -> None:
        self._pieces: Queue[bytes] = Queue(_AHEAD)
        self._left = Event()

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:  # noqa: ANN401 - whatever is a buffer
        if data:
            self._hand(bytes(data))
        return len(data)

    def end(self) -> None:
        """Say that nothing more comes."""
        with suppress(_GoneError):
            self._hand(b"")

    def leave(self) -> None:
        """Say that nobody reads any more."""
        self._left.set()

    def pieces(self) -> Iterator[bytes]:
        """The pieces, to the end."""
        while piece := self._pieces.get():
            yield piece

    def _hand(self, piece: bytes) -> None:
        while not self._left.is_set():
            with suppress(Full):
                return self._pieces.put(piece, timeout=_WAIT)
        raise _GoneError


def handed(write: Callable[[BinaryIO], object]) -> Iterator[bytes]:
    """What is written to a binary stream, while it is written.

    Args:
        write: writes all of it; what it raises is raised to the reader, behind what was written before.
    """
    stream = _Stream()

    def run() -> None:
        try:
            with io.BufferedWriter(stream, _PIECE) as buffered:
                write(buffered)
        finally:
            stream.end()

    with ThreadPoolExecutor(1) as pool:
        told = pool.submit(run)
        try:
            yield from stream.pieces()
            told.result()
        finally:
            stream.leave()
