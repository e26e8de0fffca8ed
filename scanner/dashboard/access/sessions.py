"""Who came in by a token in a browser, until they go or their time is over."""

from __future__ import annotations

import re
import secrets
import time
from dataclasses import dataclass, field
from hashlib import sha256
from threading import Lock
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

LIFE: Final = 12 * 3600.0
"""Seconds after which a token must be given again."""
MOST: Final = 10_000
"""So many are remembered; then the oldest ends."""
_ID: Final = re.compile(r"[A-Za-z0-9_-]{43}")


def new_id() -> str:
    """What a cookie holds: 256 random bits."""
    return secrets.token_urlsafe(32)


def is_id(text: str) -> bool:
    """Whether a cookie may be one of ours."""
    return _ID.fullmatch(text) is not None


@dataclass(slots=True)
class Sessions:
    """The sessions of this process; none outlives it."""

    clock: Callable[[], float] = time.monotonic
    _open: dict[bytes, tuple[str, float]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def begin(self, token: str) -> str:
        """A new session of whoever holds a token (its digest): the id, which nobody can have known before."""
        made = new_id()
        with self._lock:
            while len(self._open) >= MOST:
                del self._open[next(iter(self._open))]
            self._open[_key(made)] = token, self.clock() + LIFE
        return made

    def token(self, identity: str) -> str:
        """The digest of the token that a session was begun with; empty: there is no such session."""
        token, until = self._open.get(_key(identity), ("", 0.0))
        if token and until <= self.clock():
            self.end(identity)
            return ""
        return token

    def end(self, identity: str) -> None:
        """End a session."""
        with self._lock:
            self._open.pop(_key(identity), None)


def _key(identity: str) -> bytes:
    return sha256(identity.encode()).digest()
