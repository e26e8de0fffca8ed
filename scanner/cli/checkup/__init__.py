"""What ``vetuste doctor`` looks at: each check says what is so, and how to fix it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scanner.language import Message


class State(StrEnum):
    """How it stands."""

    OK = "ok"
    WARN = "warn"
    """It works, with less speed, care or comfort."""
    FAIL = "fail"
    """Something will not work."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found."""

    name: str
    """A word of the command line's own, the same in every language."""
    state: State
    says: Message
    fix: Message | None = None
    """What to do; always there where the state is not ok."""
