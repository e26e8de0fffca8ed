"""Times in the inventory: UTC, as ISO 8601 text of one fixed width, so that text order is time order."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

_LOCAL: Final = len("2026-11-20T08:00:00.000000")


def stamp(moment: datetime) -> str:
    """A moment as it is stored: ``2026-11-20T08:00:00.000000Z``.

    Raises:
        ValueError: the moment has no time zone; it is a mistake of the caller, never guessed around.
    """
    if moment.tzinfo is None:
        raise ValueError(f"a moment without a time zone: {moment!r}")
    return moment.astimezone(UTC).isoformat(timespec="microseconds")[:_LOCAL] + "Z"


def moment(stored: str) -> datetime:
    """A stored moment, aware, in UTC."""
    return datetime.fromisoformat(stored)
