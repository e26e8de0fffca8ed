"""Imports: what other scanners heard, one format a file, found by being there.

A module of this package that has a ``FORMAT`` is a format. It reads a file of any size as it comes, trusts
nothing in it, and yields what machines said of themselves: never what the other scanner made of it. A format
of a register yields records instead.
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

    from scanner.inventory.records.record import Record
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


ReadRecords: TypeAlias = "Callable[[Source], Iterator[Record | ConfigError]]"
"""Reads what a register says of machines, as :data:`Read` reads observations."""


@dataclass(frozen=True, slots=True)
class RegisterFormat:
    """One kind of file of a register: it tells of machines, not of addresses."""

    name: str
    """Also the register's."""
    read: ReadRecords
    summary: Message
    details: Message
    example: str


@cache
def formats() -> tuple[Format, ...]:
    """Every format of this package, by name."""
    found = (each for each in _declared() if isinstance(each, Format))
    return tuple(sorted(found, key=lambda candidate: candidate.name))


@cache
def register_formats() -> tuple[RegisterFormat, ...]:
    """Every format of a register, by name."""
    found = (each for each in _declared() if isinstance(each, RegisterFormat))
    return tuple(sorted(found, key=lambda candidate: candidate.name))


def _declared() -> list[object]:
    """What modules of this package declare to be their format."""
    modules = (module.name for module in pkgutil.iter_modules(__path__))
    return [getattr(importlib.import_module(f"{__name__}.{name}"), "FORMAT", None) for name in modules]
