"""What was learnt, each of it once: conversations repeat themselves all day."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from scanner.model import Endpoint, Observation, Outcome, Transport
from scanner.wire import safe

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_KEPT: Final = 20_000
"""Different words of hosts in memory."""
_HOSTS: Final = 100_000
"""Hosts of which it is remembered since when they are heard, and with which card."""
CARDS: Final = ("mac.address", "dhcp.mac")
"""The evidence keys that tell with which card an address is on the network now."""
TURNS: Final = 8
"""So often the card of an address may change before it counts as having several at one time."""
_Words = tuple[tuple[str, str | tuple[str, ...]], ...]
_Note = tuple[str, int, Transport, str, _Words, int]


@dataclass(slots=True)
class _Host:
    """What is remembered of an address."""

    since: float
    cards: dict[str, str] = field(default_factory=dict)
    """The card that each key told last."""
    turn: int = 0
    """How often that was another than before."""


class Notes:
    """What was learnt since it was last taken."""

    def __init__(self) -> None:
        self._notes: dict[_Note, float] = {}
        self._hosts: dict[str, _Host] = {}

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
    ) -> bool:
        """Keep words of a host, heard by a source at a time (seconds since 1970); whether they are new.

        An address goes from machine to machine: the same words before and after its card changed are two
        notes, so that they come in the order in which they were heard.
        """
        host = self._host(where[0], at)
        for key in CARDS:
            if key in words:
                _turned(host, key, words[key])
        note = (*where, source, tuple(words.items()), host.turn)
        before = self._notes.get(note)
        self._notes[note] = at if before is None else max(at, before)
        return before is None

    def since(self, address: str) -> datetime | None:
        """When a host was heard first, as far as that is remembered."""
        host = self._hosts.get(address)
        return None if host is None else datetime.fromtimestamp(host.since, UTC)

    def take(self) -> Iterator[Observation]:
        """Every note as an observation, at the time when it was last heard; there is none left after."""
        notes, self._notes = self._notes, {}
        for (address, port, transport, source, words, _), at in notes.items():
            evidence = safe(dict(words))
            if evidence:
                moment = datetime.fromtimestamp(at, UTC)
                endpoint = Endpoint(address, port, transport)
                yield Observation(endpoint, source, moment, Outcome.ANSWERED, evidence)

    def _host(self, address: str, at: float) -> _Host:
        host = self._hosts.get(address)
        if host is None:
            if len(self._hosts) >= _HOSTS:
                self._hosts.clear()
            host = self._hosts[address] = _Host(at)
        return host


def _turned(host: _Host, key: str, told: str | tuple[str, ...]) -> None:
    """Take note of the card that a host is told to have."""
    card = told if isinstance(told, str) else "".join(told[:1])
    if host.turn < TURNS and host.cards.get(key, card) != card:
        host.turn += 1
    host.cards[key] = card
