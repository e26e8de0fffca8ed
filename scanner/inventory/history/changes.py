"""What a diff says: plain values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scanner.model import Certainty, Status


class Kind(StrEnum):
    """How an asset differs; the set is closed."""

    NEW = "new"
    """It is there after, and nobody had ever seen it before."""
    BACK = "back"
    """It is there after, was not there before, and had been known earlier."""
    GONE = "gone"
    """It was there before, its address was visited after, and nothing answered."""
    UNSEEN = "unseen"
    """It was there before, and nobody looked there after: nothing can be said of it."""
    MOVED = "moved"
    """Its address or its ward is another one."""
    UPGRADED = "upgraded"
    """It has other candidates."""
    DATES_PASSED = "dates_passed"
    """The same candidates have another status on the later day."""
    DATA_CHANGED = "data_changed"
    """It has other candidates because other data made them, as far as can be told."""


@dataclass(frozen=True, slots=True)
class Seen:
    """An asset on one side of a diff."""

    site: str
    ward: str
    address: str
    os: str
    """As :attr:`scanner.inventory.Asset.os` says it."""
    certainty: Certainty
    candidates: tuple[str, ...]
    status: Status
    """On the day of this side."""


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a diff: one asset, with everything that is different."""

    asset: int
    name: str
    kinds: tuple[Kind, ...]
    """In the order of :class:`Kind`; one at least."""
    before: Seen | None
    """None: it was not there, or not seen."""
    after: Seen | None
    looked: bool = True
    """Whether the side that has nothing of it looked at the address where the other one has it."""
