"""What somebody may be told of: one kind a file, found by being there.

A kind is a :class:`~scanner.alerts.model.Rule` called ``RULE``. It finds all that is so now, each under a
subject by which it is known again next time; what was told before is no business of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner.wire import printable

if TYPE_CHECKING:
    from datetime import date, datetime

_LONGEST: Final = 64
"""Characters of a name: NetBIOS has 15 and a label of DNS 63."""


def machine(address: str, name: str) -> str:
    """A machine as people find it: ``PC-12 (10.20.0.5)``."""
    return f"{brief(name)} ({address})" if name else address


def brief(name: str) -> str:
    """A name, made safe, and cut where it is no name any more."""
    return printable(name if len(name) <= _LONGEST else f"{name[:_LONGEST]}…", _LONGEST + 1)


def day_of(now: datetime) -> date:
    """The day at this machine's place, as every command takes it."""
    return now.astimezone().date()
