"""Imports: what other scanners heard, one format a file, found by being there.

A module of this package that has a ``FORMAT`` is a format. It reads a file of any size as it comes, trusts
nothing in it, and yields what machines said of themselves: never what the other scanner made of it.
"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

from scanner.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from io import BufferedIOBase

    from scanner.language import Message
    from scanner.model import Observation


class CutShortError(ConfigError):
    """The file ends here before its end: what stood whole before was taken."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file to be read once, from its beginning."""

    stream: BufferedIOBase
    name: str
    """As messages name it."""
    now: datetime
    """When it is read, in UTC: nothing in it was heard later."""


Read: TypeAlias = "Callable[[Source], Iterator[Observation | ConfigError]]"
"""Reads observations from a file, and says in between what in it is wrong, by line.

After :class:`CutShortError` nothing comes any more; after other errors that it yields, it goes on.

Raises ConfigError where the file is something else, or an attack: nothing of it is to be kept then.
"""


@dataclass(frozen=True, slots=True)
class Format:
    """One kind of file."""

    name: str
    read: Read
    summary: Message
    """What it is, in a line."""
    details: Message
    """What is taken of it."""
    example: str
    """A file's name, as the help shows it."""


@cache
def formats() -> tuple[Format, ...]:
    """Every format of this package, by name."""
    found = []
    for module in pkgutil.iter_modules(__path__):
        candidate = getattr(importlib.import_module(f"{__name__}.{module.name}"), "FORMAT", None)
        if isinstance(candidate, Format):
            found.append(candidate)
    return tuple(sorted(found, key=lambda candidate: candidate.name))
