"""What has come and waits to be taken: one thread fills it, another one empties it."""

from __future__ import annotations

import threading
from collections import deque


class Waiting:
    """Blocks in the order in which they came, so many bytes at most and one block more."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._bytes = 0
        self._blocks: deque[bytes] = deque()
        self._changed = threading.Condition()
        self._closed = False

    def put(self, block: bytes) -> None:
        """Add a block, as soon as there is room; an empty one is the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._bytes < self._most or self._closed)
            self._blocks.append(block)
            self._bytes += len(block)
            self._changed.notify_all()

    def take(self, seconds: float) -> bytes | None:
        """The next block; None where none came for so many seconds."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._blocks, seconds):
                return None
            block = self._blocks.popleft()
            self._bytes -= len(block)
            self._changed.notify_all()
            return block

    def close(self) -> None:
        """Nobody takes any more: whoever adds something need not wait."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
