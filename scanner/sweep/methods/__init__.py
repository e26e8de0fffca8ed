"""Ways to find which addresses answer, before any probe is held with them; found by being there.

A module of this package that has a ``METHOD`` is a method. Without one the sweep is by plain connections
(:mod:`scanner.sweep.connect`): whoever answers a probe is there.
"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
    from contextlib import AbstractAsyncContextManager

    from scanner.language import Message
    from scanner.model import Observation
    from scanner.sweep.mass import Listener
    from scanner.sweep.plan import More
    from scanner.transport.gate import Gate, HostDoor
    from scanner.transport.switchboard import Switchboard


class Look(Protocol):
    """A method at work."""

    def ahead(self, numbers: Iterator[int], listener: Listener) -> AsyncIterator[Iterable[int]]:
        """Every address that is to be visited, in parts; the listener is told of the others."""

    async def look(self, door: HostDoor) -> Sequence[Observation]:
        """What a first look at a host tells; nothing where this method cannot look at it.

        Every packet is admitted by the door, and entered into the ledger.

        Raises:
            HoursError: the ward's window closed before anything was sent.
            ClockError: the hours cannot be told.
        """


Opened: TypeAlias = "Callable[[Gate, Switchboard], AbstractAsyncContextManager[Look]]"


@dataclass(frozen=True, slots=True)
class Method:
    """One way to look."""

    name: str
    summary: Message
    """What it is, in a line."""
    profiles: frozenset[str]
    """Under which profiles it may be used."""
    conclusive: bool
    """Whether nobody is there where it meets silence."""
    most: Callable[[int], More]
    """What a look adds to a visit at most, for so many ports that it asks."""
    open: Opened


@cache
def methods() -> dict[str, Method]:
    """Every method of this package, by name."""
    found = []
    for module in pkgutil.iter_modules(__path__):
        candidate = getattr(importlib.import_module(f"{__name__}.{module.name}"), "METHOD", None)
        if isinstance(candidate, Method):
            found.append(candidate)
    return {method.name: method for method in sorted(found, key=lambda method: method.name)}
