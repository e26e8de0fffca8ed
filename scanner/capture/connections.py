"""TCP connections: which of them may still tell something, and to whom their bytes are given.

Each direction of a connection has a place in a table: nothing (never met), a number (its beginning was seen,
or so many segments more may be its first), a stream that a source listens to, or that it is done with. The
table has two halves, of which the older is forgotten whenever the younger is full, so that neither many
connections nor endless ones can fill the memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from scanner.capture.habits import Habits
from scanner.capture.packets import text_of
from scanner.capture.streams import MODULUS, Stream
from scanner.capture.telling import Direction, Hear, Side, Told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

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
_ENOUGH: Final = 16
"""So many bytes show what a direction is; some machines begin with fewer."""
_FIN, SYN, _RST, _ACK = 1, 2, 4, 16


def reverse(key: bytes) -> bytes:
    """The key of the other direction."""
    half = (len(key) - 4) // 2
    return key[half:-4] + key[:half] + key[-2:] + key[-4:-2]


class Table:
    """The states of directions, of which those are forgotten that were not asked for in a long time."""

    def __init__(self, forget: Callable[[bytes], None]) -> None:
        self._forget = forget
        self._young: dict[bytes, State] = {}
        self._old: dict[bytes, State] = {}

    def recall(self, key: bytes) -> State | None:
        """The state of a direction: source, target, ports; None where it was never met."""
        state = self._young.get(key)
        if state is None and (state := self._old.pop(key, None)) is not None:
            self.remember(key, state)
        return state

    def remember(self, key: bytes, state: State) -> None:
        """Set the state of a direction."""
        self._young[key] = state
        if len(self._young) > _PLACES:
            forgotten, self._old, self._young = self._old, self._young, {}
            for each, kept in forgotten.items():
                if isinstance(kept, Stream):
                    self._forget(each)


class Connections:
    """All of a capture's, as far as they are remembered."""

    def __init__(
        self, sources: Iterable[StreamSource], tell: Callable[[float, str, Direction, Told], bool]
    ) -> None:
        self._sources = tuple(sources)
        self._tell = tell
        self._table = Table(self._end)
        self._habits = Habits()
        self._streams: dict[bytes, tuple[Stream, Direction]] = {}
        self._held = self._ttl = 0
        self.recall = self._table.recall
        self.dropped = 0
        """Streams that were given up because too many were open."""

    def segment(  # noqa: PLR0913, PLR0917 - the fields of a segment
        self, at: float, key: bytes, flags: int, sequence: int, payload: bytes, ttl: int
    ) -> None:
        """Take one segment of a direction."""
        self._ttl = ttl
        state = self.recall(key)
        if flags & SYN:
            self._end(key)
            side = _ANSWERS if flags & _ACK else 0
            self._table.remember(key, _BEGUN | side | (sequence + 1) % MODULUS)
            return
        if payload and state != DONE:
            self._payload(at, key, _TRIES if state is None else state, sequence, payload)
        if flags & (_FIN | _RST):
            self._end(key)
            self._table.remember(key, DONE)

    def _payload(self, at: float, key: bytes, state: State, sequence: int, payload: bytes) -> None:
        if isinstance(state, Stream):
            self._listen(at, key, state, sequence, payload)
        elif (source := _source_for(self._sources, key, payload)) is not None and _is_next(state, sequence):
            answers = self._side(key, state) is Side.SERVER  # behind a client's address may be many
            if not answers or self._habits.is_worth(_speaker(key), source):
                stream = self._open(key, source, sequence, state)
                self._listen(at, key, stream, sequence, payload)
            else:
                self._table.remember(key, DONE)
        elif state < DONE:
            self._table.remember(key, state + 1)
        elif sequence != state % MODULUS or len(payload) < _ENOUGH:  # the first bytes are not here yet
            stream = self._open(key, None, state % MODULUS, state)
            self._listen(at, key, stream, sequence, payload)
        else:
            self._table.remember(key, DONE)

    def _open(self, key: bytes, source: StreamSource | None, sequence: int, state: int) -> Stream:
        """Listen to a direction from a number on; without a source, until it shows whose it is."""
        other = self._streams.get(reverse(key))
        direction = _direction(key, self._side(key, state))
        direction.begun, direction.ttl = state > DONE, self._ttl
        if other is not None:
            direction.shared = other[1].shared
        ears = self._undecided(key, direction) if source is None else source.hear(direction)
        stream = Stream(source, ears, sequence)
        self._streams[key] = stream, direction
        self._table.remember(key, stream)
        while len(self._streams) > _STREAMS or self._held > _HELD:
            oldest = next(iter(self._streams))
            if oldest == key:
                break
            self.dropped += 1
            self._end(oldest)
            self._table.remember(oldest, DONE)
        return stream

    def _undecided(self, key: bytes, direction: Direction) -> Hearing:
        """A direction whose first bytes come late, or one by one: whose it is shows then."""
        found: list[StreamSource] = []

        def peek(received: bytes) -> int | None:
            source = _source_for(self._sources, key, received)
            if source is None:
                return None if len(received) < _ENOUGH else 0
            found.append(source)
            return 0

        yield Hear(peek)
        for source in found[:1]:
            self._streams[key][0].source = source
            yield from source.hear(direction)

    def _listen(self, at: float, key: bytes, stream: Stream, sequence: int, payload: bytes) -> None:
        """Give a segment to its stream, tell what that tells, and see whether it goes on."""
        direction, before = self._streams[key][1], stream.kept
        stream.segment(sequence, payload)
        self._held += stream.kept - before
        for told in stream.told:
            stream.new |= self._tell(at, stream.source.name if stream.source else "", direction, told)
        stream.told.clear()
        if not stream.over:
            return
        lost = stream.resume() if stream.lost else None
        self._end(key)
        self._table.remember(key, DONE if lost is None else _TRIES)
        if lost is not None:
            self._payload(at, key, _TRIES, *lost)

    def _side(self, key: bytes, state: int) -> Side:
        """Which end speaks: known where the beginning was seen, or of the other direction; else guessed."""
        if state > DONE:
            return Side.SERVER if state & _ANSWERS else Side.CLIENT
        if (other := self._streams.get(reverse(key))) is not None:
            return Side.CLIENT if other[1].side is Side.SERVER else Side.SERVER
        return Side.SERVER if key[-4:-2] <= key[-2:] else Side.CLIENT

    def _end(self, key: bytes) -> None:
        found = self._streams.pop(key, None)
        if found is None:
            return
        stream, direction = found
        if stream.source is not None and not stream.lost and direction.side is Side.SERVER:
            self._habits.note(_speaker(key), stream.source, new=stream.new)
        self._held -= stream.kept
        stream.close()


def _source_for(sources: Sequence[StreamSource], key: bytes, payload: bytes) -> StreamSource | None:
    """The source that knows how a direction begins that begins so."""
    first, ports = payload[:_FIRST], (int.from_bytes(key[-4:-2]), int.from_bytes(key[-2:]))
    for source in sources:
        if source.begins.match(first) and (
            not source.ports or ports[0] in source.ports or ports[1] in source.ports
        ):
            return source
    return None


def _is_next(state: int, sequence: int) -> bool:
    """Whether a segment is the first of a direction, or may be taken for it."""
    return state < DONE or sequence == state % MODULUS


def _speaker(key: bytes) -> bytes:
    """Who speaks, and at which port."""
    return key[: (len(key) - 4) // 2] + key[-4:-2]


def _direction(key: bytes, side: Side) -> Direction:
    half = (len(key) - 4) // 2
    ports = int.from_bytes(key[-4:-2]), int.from_bytes(key[-2:])
    return Direction(text_of(key[:half]), ports[0], text_of(key[half:-4]), ports[1], side)
