"""What was learnt, each of it once: conversations repeat themselves all day."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from scanner.model import Endpoint, Observation, Outcome, Transport
from scanner.wire import safe

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_KEPT: Final = 20_000
"""Different words of hosts in memory."""
_Words = tuple[tuple[str, str | tuple[str, ...]], ...]
_Note = tuple[str, int, Transport, str, _Words]


class Notes:
    """What was learnt since it was last taken."""

    def __init__(self) -> None:
        self._notes: dict[_Note, float] = {}

    @property
    def full(self) -> bool:
        """Whether it is time to take them."""
        return len(self._notes) > _KEPT

    def add(
        self,
        at: float,
        where: tuple[str, int, Transport],
        source: str,
        words: Mapping[str, str | tuple[str, ...]],
    ) -> None:
        """Keep words of a host, heard by a source at a time (seconds since 1970)."""
        note = (*where, source, tuple(words.items()))
        self._notes[note] = max(at, self._notes.get(note, at))

    def take(self) -> Iterator[Observation]:
        """Every note as an observation, at the time when it was last heard; there is none left after."""
        notes, self._notes = self._notes, {}
        for (address, port, transport, source, words), at in notes.items():
            evidence = safe(dict(words))
            if evidence:
                moment = datetime.fromtimestamp(at, UTC)
                endpoint = Endpoint(address, port, transport)
                yield Observation(endpoint, source, moment, Outcome.ANSWERED, evidence)
