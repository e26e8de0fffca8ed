"""One direction of a TCP connection, put in order and given to its source ([RFC 9293] 3.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner.capture.telling import Hear, Skip, Told
from scanner.errors import ProbeError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scanner.capture.telling import Hearing, StreamSource

MODULUS: Final = 1 << 32
_HALF: Final = MODULUS >> 1
_SEGMENTS: Final = 32
"""Segments that wait for one that is missing; then it counts as lost."""
_WAITING: Final = 1 << 17
"""Bytes of them."""
_HEARD: Final = 1 << 18
"""Bytes of one direction that are listened to at most; no source needs more to know its host."""


class Order:
    """The segments of a direction, in the order of their numbers."""

    __slots__ = ("_expected", "_waiting", "skip")

    def __init__(self, expected: int) -> None:
        self.skip = 0
        """So many bytes from here on are passed over: they may be missing."""
        self._expected = expected
        self._waiting: dict[int, bytes] = {}

    @property
    def held(self) -> int:
        """Bytes that wait."""
        return sum(map(len, self._waiting.values()))

    @property
    def lost(self) -> bool:
        """Whether what is missing will not come: too much came after it."""
        return len(self._waiting) > _SEGMENTS or self.held > _WAITING

    def add(self, sequence: int, payload: bytes) -> Iterator[bytes]:
        """Take a segment; what is next now, as far as it is not passed over."""
        ahead = (sequence - self._expected) % MODULUS
        if 0 < ahead < _HALF and ahead > self.skip:
            if len(payload) > len(self._waiting.get(sequence, b"")):
                self._waiting[sequence] = payload
            return
        yield self._next(sequence, payload)
        while self._waiting:
            sequence = self._first()
            ahead = (sequence - self._expected) % MODULUS
            if ahead < _HALF and ahead > self.skip:
                return
            yield self._next(sequence, self._waiting.pop(sequence))

    def resume(self) -> tuple[int, bytes]:
        """The first segment that waits, with its number: after a loss it may be a beginning."""
        first = self._first()
        payload = self._waiting[first]
        self._waiting.clear()
        return first, payload

    def _first(self) -> int:
        return min(self._waiting, key=lambda each: (each - self._expected + _HALF) % MODULUS)

    def _next(self, sequence: int, payload: bytes) -> bytes:
        """What of a segment is new, and not passed over."""
        ahead = (sequence - self._expected) % MODULUS
        if ahead >= _HALF:  # sent again, or overlapping: what came first counts
            payload = payload[MODULUS - ahead :]
            ahead = 0
        if not payload:
            return b""
        self._expected = (self._expected + ahead + len(payload)) % MODULUS
        passed = min(self.skip, ahead + len(payload))
        self.skip -= passed
        return payload[passed - ahead :]


class Stream:
    """A direction that a source listens to.

    ``over`` is set when nothing more is to be learnt, ``lost`` as well when bytes are missing that will not
    come: then the segment of ``resume`` may be a beginning.
    """

    __slots__ = ("_buffer", "_ears", "_heard", "_order", "_step", "lost", "new", "over", "source", "told")

    def __init__(self, source: StreamSource | None, ears: Hearing, expected: int) -> None:
        self.source = source
        self.told: list[Told] = []
        """What was learnt since it was last taken."""
        self.new = False
        """Whether anything of that was new; who takes it says so."""
        self.over = self.lost = False
        self._ears = ears
        self._order = Order(expected)
        self._buffer = b""
        self._heard = 0
        self._step: Hear | Skip | None = None
        self._go_on()

    @property
    def kept(self) -> int:
        """Bytes that it holds."""
        return len(self._buffer) + self._order.held

    def segment(self, sequence: int, payload: bytes) -> None:
        """One segment with a payload, as it came."""
        if self.over:
            return
        for piece in self._order.add(sequence, payload):
            self._heard += len(piece)
            self._buffer += piece
            self._go_on()
            if self.over:
                return
        if self._heard > _HEARD:
            self.close()
        elif self._order.lost:
            self.lost = self.over = True
            self._ears.close()
            self._buffer = b""

    def resume(self) -> tuple[int, bytes]:
        """The first segment after a loss, with its sequence number."""
        return self._order.resume()

    def close(self) -> None:
        """Stop listening."""
        self.over = True
        self._ears.close()
        self._order = Order(0)
        self._buffer = b""

    def _go_on(self) -> None:
        """Let the source go on as far as what is here reaches."""
        try:
            if self._step is None:
                self._next(next(self._ears))
            while (message := self._message()) is not None:
                self._next(self._ears.send(message))
        except (StopIteration, ProbeError):
            self.close()

    def _message(self) -> bytes | None:
        """What the source waits for; None while it is not here."""
        step = self._step
        if isinstance(step, Skip):
            return None if self._order.skip else b""
        if not isinstance(step, Hear) or not self._buffer:
            return None
        length = step.until(self._buffer)
        if length is None:
            if len(self._buffer) > step.limit:
                self.close()
            return None
        message, self._buffer = self._buffer[:length], self._buffer[length:]
        return message

    def _next(self, step: Hear | Skip | Told) -> None:
        while isinstance(step, Told):
            self.told.append(step)
            step = self._ears.send(b"")
        self._step = step
        if isinstance(step, Skip):
            passed = min(step.length, len(self._buffer))
            self._buffer = self._buffer[passed:]
            self._order.skip = step.length - passed
