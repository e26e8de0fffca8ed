"""Who came in, who failed to, what was taken out and what was changed: one JSON object a line."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Lock
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from starlette.requests import Request

LONGEST: Final = 500
"""Characters of one value that are kept."""


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class AuditLog:
    """Where those lines go; each is written whole, and the file may be moved away at any time."""

    file: Path | None = None
    """None: standard error."""
    now: Callable[[], datetime] = _now
    _lock: Lock = field(default_factory=Lock)

    def write(self, event: str, visitor: str, address: str, what: str = "") -> None:
        """Write one line; what others chose is escaped and cut.

        Raises:
            OSError: it cannot be written.
        """
        values = {"event": event, "visitor": visitor, "address": address, "what": what}
        kept = {name: value[:LONGEST] for name, value in values.items()}
        line = json.dumps({"time": self.now().isoformat(timespec="milliseconds"), **kept}) + "\n"
        with self._lock:
            if self.file is None:
                sys.stderr.write(line)
            else:
                _append(self.file, line.encode())

    def check(self) -> None:
        """Make the file, if there is none, before anything is to be written.

        Raises:
            OSError: it cannot be written.
        """
        if self.file is not None:
            _append(self.file, b"")


def _append(file: Path, line: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(file, flags, 0o600)
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(line)


def note(request: Request, event: str, what: str = "") -> None:
    """Write into the audit log what this visitor did.

    Args:
        request: theirs.
        event: what kind of thing: ``export``, ``change``, …
        what: which; never a secret.
    """
    state = request.state
    request.app.state.access.audit.write(event, state.visitor.name, state.address, what)
