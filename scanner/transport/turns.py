"""How many hosts of a subnet are begun at one time, and between two looks back at it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

EVERY: Final = 5
"""Hosts begun in a subnet between two looks back: no more get a packet after a subnet fell."""
_DARK: Final = 4
"""Where nobody answers, a fourth of the hosts begun so far may be waited for at one time."""


def _nobody_waits() -> None:
    return


@dataclass(slots=True)
class Turns:
    """Counts one subnet's visits."""

    begun: int = EVERY
    """Hosts begun since the last look; the first look is before the first host."""
    all_begun: int = 0
    busy: int = 0
    """Hosts that are being visited now."""
    unsent: set[int] = field(default_factory=set)
    """Those of them that wait for the turn of their first packet."""
    freed: Callable[[], None] = _nobody_waits
    """Called whenever one more may be begun."""

    @property
    def many(self) -> bool:
        """Whether as many are visited as may be where nobody can be asked again."""
        return self.busy >= max(EVERY, self.all_begun // _DARK)

    def begin(self, number: int) -> None:
        """A host's visit begins."""
        self.begun += 1
        self.all_begun += 1
        self.busy += 1
        self.unsent.add(number)

    def left(self, number: int) -> None:
        """A packet to a host leaves."""
        if self.unsent:
            self.unsent.discard(number)
            if not self.unsent:
                self.freed()

    def end(self, number: int) -> None:
        """A host's visit is over."""
        self.busy -= 1
        self.unsent.discard(number)
        self.freed()
