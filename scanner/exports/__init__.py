"""Exports: one format a file, found by being there.

A module of this package that has a ``FORMAT`` is a format.
"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

from scanner.errors import ConfigError
from scanner.exports.whole import Whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import date

    from scanner.inventory.rows import Asset


@dataclass(frozen=True, slots=True)
class Options:
    """What the reader of an export wants."""

    today: date
    """The day that verdicts are for."""
    lang: str = "fr"
    """Language of headings and sentences: ``fr`` or ``en``."""
    dialect: str = ""
    """One of the format's dialects; its first when empty."""
    whole: Whole = field(default_factory=Whole)
    """What the export is of; empty for a format that does not want it."""


Write: TypeAlias = "Callable[[Iterable[Asset], Any, Options], int]"
"""Writes assets to a text stream opened with ``newline=""``; gives how many rows, the heading not counted.

Where the format is binary, the stream takes bytes, and can be sought in.

Raises ConfigError before anything is written where the format has no such dialect.
"""


@dataclass(frozen=True, slots=True)
class Format:
    """One way to hand the inventory over."""

    name: str
    suffix: str
    """Of its files, with the dot."""
    write: Write
    dialects: tuple[str, ...] = ()
    """The default first; empty where there is only one way."""
    evidence: bool = True
    """Whether it wants the assets' evidence (``assets_rows(…, evidence=True)``)."""
    ranked: bool = False
    """Whether it is of machines that something is to be done about, by risk (``ranked_assets``)."""
    binary: bool = False
    """Whether it writes bytes, and no text: not to a terminal."""
    whole: bool = False
    """Whether it wants :attr:`Options.whole`."""
    counts: bool = False
    """Whether it writes counts, and not the assets: it can be filtered as ``count`` can."""
    mode: int = 0o600
    """Of its files: who may read them."""


@cache
def formats() -> tuple[Format, ...]:
    """Every format of this package, by name."""
    found = []
    for module in pkgutil.iter_modules(__path__):
        candidate = getattr(importlib.import_module(f"{__name__}.{module.name}"), "FORMAT", None)
        if isinstance(candidate, Format):
            found.append(candidate)
    return tuple(sorted(found, key=lambda candidate: candidate.name))


def dialect_of(dialects: tuple[str, ...], options: Options) -> str:
    """The dialect that is asked for, the first of them otherwise; empty for a format without any.

    Raises:
        ConfigError: there is no such dialect.
    """
    if not options.dialect:
        return dialects[0] if dialects else ""
    if options.dialect not in dialects:
        raise ConfigError(
            "this format has no dialect {dialect}; it has: {dialects}",
            dialect=repr(options.dialect),
            dialects=", ".join(dialects) or "-",
        )
    return options.dialect
