"""What a server says first, to everybody: without the lines that tell whom to write to."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def impersonal(said: Iterable[str]) -> tuple[str, ...]:
    """Lines of a greeting without those that hold an address of mail: it names a person."""
    return tuple(line for line in said if "@" not in line)
