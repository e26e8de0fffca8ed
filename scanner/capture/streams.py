"""One direction of a TCP connection, put in order and given to its source ([RFC 9293] 3.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner.capture.telling import Hear, Skip, Told
from scanner.errors import ProbeError

if TYPE_CHECKING:
    from scanner.capture.telling import Hearing, StreamSource

MODULUS: Final = 1 << 32
_HALF: Final = MODULUS >> 1
_SEGMENTS: Final = 32
"""Segments that wait for one that is missing; then it counts as lost."""
_WAITING: Final = 1 << 17
"""Bytes of them."""
_HEARD: Final = 1 << 18
"""Bytes of one direction that are listened to at most; no source needs more to know its host."""


class Stream:
    """A direction that a source listens to.

    ``over`` is set when nothing more is to be learnt, ``lost`` as well when bytes are missing that will not
    come: then the segment of ``resume`` may be a beginning.
    """

    __slots__ = (
        "_buffer",
        "_ears",
        "_expected",
        "_heard",
        "_skip",
        "_step",
        "_waiting",
        "lost",
        "over",
        "source",
        "told",
    )

    def __init__(self, source: StreamSource | None, ears: Hearing, expected: int) -> None:
        self.source = source
        self.told: list[Told] = []
        """What was learnt since it was last taken."""
        self.over = self.lost = False
        self._ears = ears
        self._expected = expected
        self._waiting: dict[int, bytes] = {}
        self._buffer = b""
        self._skip = self._heard = 0
        self._step: Hear | Skip | None = None
        self._go_on(b"", first=True)

    @property
    def kept(self) -> int:
        """Bytes that it holds."""
        return len(self._buffer) + sum(map(len, self._waiting.values()))

    def segment(self, sequence: int, payload: bytes) -> None:
        """One segment with a payload, as it came."""
        ahead = (sequence - self._expected) % MODULUS
        if ahead >= _HALF:  # begins before what is expected: sent again, or overlapping
            payload = payload[MODULUS - ahead :]
            ahead = 0
            if not payload:
                return
        if ahead and ahead > self._skip:
            self._wait(sequence, payload)
            return
        self._take(ahead, payload)
        while self._waiting and not self.over and self._next_of_waiting():
            pass

    def resume(self) -> tuple[int, bytes]:
        """The first segment after a loss, with its sequence number."""
        first = min(self._waiting, key=lambda sequence: (sequence - self._expected) % MODULUS)
        return first, self._waiting.pop(first)

    def close(self) -> None:
        """Stop listening."""
        self.over = True
        self._ears.close()
        self._waiting.clear()
        self._buffer = b""

    def _wait(self, sequence: int, payload: bytes) -> None:
        known = self._waiting.get(sequence, b"")
        if len(payload) > len(known):
            self._waiting[sequence] = payload
        if len(self._waiting) > _SEGMENTS or sum(map(len, self._waiting.values())) > _WAITING:
            self.lost = self.over = True
            self._ears.close()
            self._buffer = b""

    def _next_of_waiting(self) -> bool:
        """Take the next of those that wait, where it is its turn."""
        for sequence in sorted(self._waiting, key=lambda each: (each - self._expected + _HALF) % MODULUS):
            ahead = (sequence - self._expected) % MODULUS
            if ahead < _HALF and ahead and ahead > self._skip:
                return False
            payload = self._waiting.pop(sequence)
            if ahead >= _HALF:
                payload, ahead = payload[MODULUS - ahead :], 0
            if payload:
                self._take(ahead, payload)
                return True
        return False

    def _take(self, missing: int, payload: bytes) -> None:
        """Bytes in their order; ``missing`` bytes before them lie within what is skipped."""
        self._expected = (self._expected + missing + len(payload)) % MODULUS
        self._skip -= missing
        if self._skip:
            passed = min(self._skip, len(payload))
            self._skip -= passed
            payload = payload[passed:]
            if self._skip:
                return
        self._heard += len(payload)
        self._buffer += payload
        self._go_on(b"", first=False)
        if self._heard > _HEARD and not self.over:
            self.close()

    def _go_on(self, message: bytes, *, first: bool) -> None:
        """Let the source go on as far as what is here reaches."""
        try:
            if first:
                self._next(next(self._ears))
            while True:
                step = self._step
                if isinstance(step, Skip):
                    if self._skip:
                        return
                    message = b""
                elif isinstance(step, Hear):
                    length = step.until(self._buffer) if self._buffer else None
                    if length is None:
                        if len(self._buffer) > step.limit:
                            self.close()
                        return
                    message, self._buffer = self._buffer[:length], self._buffer[length:]
                self._next(self._ears.send(message))
        except (StopIteration, ProbeError):
            self.close()

    def _next(self, step: Hear | Skip | Told) -> None:
        while isinstance(step, Told):
            self.told.append(step)
            step = self._ears.send(b"")
        self._step = step
        if isinstance(step, Skip):
            passed = min(step.length, len(self._buffer))
            self._buffer = self._buffer[passed:]
            self._skip = step.length - passed
