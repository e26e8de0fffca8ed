"""Sources: what is to be learnt of one protocol by listening, one a file, found by being there.

A module of this package that has a ``SOURCES`` (a tuple) has sources. They are pure, as probes are, and read
through the parsers of the probes where there are any; what names people never leaves them.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scanner.capture.telling import Source


@cache
def sources() -> tuple[Source, ...]:
    """Every source of this package, by name."""
    found: list[Source] = []
    for module in pkgutil.iter_modules(__path__):
        found += getattr(importlib.import_module(f"{__name__}.{module.name}"), "SOURCES", ())
    return tuple(sorted(found, key=lambda source: source.name))
