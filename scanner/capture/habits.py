"""Who says the same again and again: of such connections fewer and fewer are listened to.

A server greets everybody alike. After some connections in which it told nothing new, the next ones are passed
over, one, then twice as many, and so on up to a bound, between two that are listened to; whatever is new
begins that anew. Clients are always listened to: one address may be that of many.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from scanner.capture.telling import StreamSource

_PATIENCE: Final = 3
"""Connections in which nothing new is told, before any is passed over."""
_LONGEST: Final = 64
"""Connections that are passed over in a row, at most."""
_REMEMBERED: Final = 50_000


class Habits:
    """Those of each server and source."""

    def __init__(self) -> None:
        self._known: dict[tuple[bytes, str], list[int]] = {}

    def is_worth(self, speaker: bytes, source: StreamSource) -> bool:
        """Whether to listen to an answer of a server, by its address and port."""
        known = self._known.get((speaker, source.name))
        if known is None or not known[1]:
            return True
        known[1] -= 1
        return False

    def note(self, speaker: bytes, source: StreamSource, *, new: bool) -> None:
        """Take note that a connection was listened to, and whether it told anything new."""
        if new:
            self._known.pop((speaker, source.name), None)
            return
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        known = self._known.setdefault((speaker, source.name), [0, 0])
        known[0] += 1
        if known[0] >= _PATIENCE:
            known[1] = min(1 << known[0] - _PATIENCE, _LONGEST)
