"""Pages, one subject a module, found by being there: a module with ``PAGES`` has pages."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

from scanner.dashboard.visitor import Role

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from scanner.language import Message

Answer: TypeAlias = "Callable[[Request], Response]"
"""Answers a request; it runs in a thread of its own and may wait for the inventory."""


@dataclass(frozen=True, slots=True)
class Page:
    """One address of the dashboard."""

    path: str
    answer: Answer
    methods: tuple[str, ...] = ("GET",)
    needs: Role = Role.READER
    """Who may ask for it."""
    title: Message | None = None
    """What the navigation calls it; None: it is not in the navigation."""
    rank: int = 0
    """Its place in the navigation."""
    takes: int = 0
    """Most bytes of a file that programs may send, each with a token of its own; 0: it takes forms."""


@cache
def pages() -> tuple[Page, ...]:
    """Every page, in the order of the navigation."""
    found: list[Page] = []
    for module in pkgutil.iter_modules(__path__):
        found += getattr(importlib.import_module(f"{__name__}.{module.name}"), "PAGES", ())
    return tuple(sorted(found, key=lambda page: (page.rank, page.path)))
