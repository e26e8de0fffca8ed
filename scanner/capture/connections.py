"""TCP connections: which of them may still tell something, and to whom their bytes are given.

Each direction of a connection has a place in a table: nothing (never met), a number (its beginning was seen,
or so many segments more may be its first), a stream that a source listens to, or that it is done with. The
table has two halves, of which the older is forgotten whenever the younger is full, so that neither many
connections nor endless ones can fill the memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from scanner.capture.packets import text_of
from scanner.capture.streams import MODULUS, Stream
from scanner.capture.telling import Direction, Hear, Side, Told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from scanner.capture.telling import Hearing, StreamSource

State: TypeAlias = "int | Stream"
DONE: Final = 0
"""The state of a direction from which nothing more is to be learnt."""
_TRIES: Final = -4
"""So many segments of a direction whose beginning was not seen may be the first of a message."""
_BEGUN: Final = 1 << 40
_ANSWERS: Final = 1 << 33
"""A direction that has begun: the number that its first byte will have, and whether it accepted or opened."""
_PLACES: Final = 150_000
"""Directions in each half of the table."""
_STREAMS: Final = 8_192
"""Directions that are listened to at one time; the one that began first makes place."""
_HELD: Final = 48 << 20
"""Bytes of them all that are held."""
_FIRST: Final = 64
"""Bytes of a segment that are looked at to tell its protocol."""
_FIN, SYN, _RST, _ACK = 1, 2, 4, 16


def reverse(key: bytes) -> bytes:
    """The key of the other direction."""
    half = (len(key) - 4) // 2
    return key[half:-4] + key[:half] + key[-2:] + key[-4:-2]


class Connections:
    """All of a capture's, as far as they are remembered."""

    def __init__(
        self, sources: Iterable[StreamSource], tell: Callable[[float, str, Direction, Told], None]
    ) -> None:
        self._sources = tuple(sources)
        self._tell = tell
        self._young: dict[bytes, State] = {}
        self._old: dict[bytes, State] = {}
        self._streams: dict[bytes, tuple[Stream, Direction]] = {}
        self._held = 0
        self.dropped = 0
        """Streams that were given up because too many were open."""

    def recall(self, key: bytes) -> State | None:
        """The state of a direction: source, target, ports; None where it was never met."""
        state = self._young.get(key)
        if state is None and (state := self._old.pop(key, None)) is not None:
            self._remember(key, state)
        return state

    def segment(self, at: float, key: bytes, flags: int, sequence: int, payload: bytes) -> None:
        """Take one segment of a direction."""
        state = self.recall(key)
        if flags & SYN:
            self._end(key)
            side = _ANSWERS if flags & _ACK else 0
            self._remember(key, _BEGUN | side | (sequence + 1) % MODULUS)
            return
        if payload and state != DONE:
            self._payload(at, key, _TRIES if state is None else state, sequence, payload)
        if flags & (_FIN | _RST):
            self._end(key)
            self._remember(key, DONE)

    def _payload(self, at: float, key: bytes, state: State, sequence: int, payload: bytes) -> None:
        if isinstance(state, Stream):
            before = state.kept
            state.segment(sequence, payload)
            self._held += state.kept - before
            self._after(at, key, state)
            return
        if state < DONE:
            if not self._begin(at, key, sequence, payload, self._guessed(key)):
                self._remember(key, state + 1)
            return
        expected = state % MODULUS
        side = Side.SERVER if state & _ANSWERS else Side.CLIENT
        if sequence != expected:
            self._listen(key, None, expected, side)
            self._payload(at, key, self._young[key], sequence, payload)
        elif not self._begin(at, key, sequence, payload, side):
            self._remember(key, DONE)

    def _begin(self, at: float, key: bytes, sequence: int, payload: bytes, side: Side) -> bool:
        """Listen to a direction from this segment on, where some source knows how it begins."""
        source = self._source_for(key, payload)
        if source is None:
            return False
        self._listen(key, source, sequence, side)
        self._payload(at, key, self._young[key], sequence, payload)
        return True

    def _source_for(self, key: bytes, payload: bytes) -> StreamSource | None:
        first, ports = payload[:_FIRST], (int.from_bytes(key[-4:-2]), int.from_bytes(key[-2:]))
        for source in self._sources:
            if source.begins.match(first) and (
                not source.ports or ports[0] in source.ports or ports[1] in source.ports
            ):
                return source
        return None

    def _listen(self, key: bytes, source: StreamSource | None, sequence: int, side: Side) -> None:
        direction, known = _direction(key, side), self._young.get(key)
        direction.begun = isinstance(known, int) and known > DONE
        if (other := self._streams.get(reverse(key))) is not None:
            direction.shared = other[1].shared
        ears = self._undecided(key, direction) if source is None else source.hear(direction)
        stream = Stream(source, ears, sequence)
        self._streams[key] = stream, direction
        self._remember(key, stream)
        while len(self._streams) > _STREAMS or self._held > _HELD:
            oldest = next(iter(self._streams))
            if oldest == key:
                break
            self.dropped += 1
            self._end(oldest)
            self._remember(oldest, DONE)

    def _undecided(self, key: bytes, direction: Direction) -> Hearing:
        """A direction whose first segment comes after others: whose it is shows then."""
        seen = []

        def peek(received: bytes) -> int:
            seen.append(received)
            return 0

        yield Hear(peek)
        source = self._source_for(key, seen[0])
        if source is not None:
            self._streams[key][0].source = source
            yield from source.hear(direction)

    def _after(self, at: float, key: bytes, stream: Stream) -> None:
        """Tell what a stream told, and see whether it goes on."""
        direction = self._streams[key][1]
        for told in stream.told:
            self._tell(at, stream.source.name if stream.source else "", direction, told)
        stream.told.clear()
        if not stream.over:
            return
        lost = stream.resume() if stream.lost else None
        self._end(key)
        self._remember(key, DONE)
        if lost is not None and not self._begin(at, key, *lost, direction.side):
            self._remember(key, _TRIES)

    def _guessed(self, key: bytes) -> Side:
        """Which end speaks where the beginning was not seen."""
        if (other := self._streams.get(reverse(key))) is not None:
            return Side.CLIENT if other[1].side is Side.SERVER else Side.SERVER
        return Side.SERVER if key[-4:-2] <= key[-2:] else Side.CLIENT

    def _end(self, key: bytes) -> None:
        found = self._streams.pop(key, None)
        if found is not None:
            self._held -= found[0].kept
            found[0].close()

    def _remember(self, key: bytes, state: State) -> None:
        self._young[key] = state
        if len(self._young) > _PLACES:
            for forgotten, kept in self._old.items():
                if isinstance(kept, Stream):
                    self._end(forgotten)
            self._old, self._young = self._young, {}


def _direction(key: bytes, side: Side) -> Direction:
    half = (len(key) - 4) // 2
    ports = int.from_bytes(key[-4:-2]), int.from_bytes(key[-2:])
    return Direction(text_of(key[:half]), ports[0], text_of(key[half:-4]), ports[1], side)
