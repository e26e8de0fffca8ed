"""Kinds, found by being there."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import TypeVar

from scanner.alerts.model import Channel, Rule

_Found = TypeVar("_Found", Rule, Channel)


@cache
def rules() -> dict[str, Rule]:
    """Every kind of rule, by name: a module of ``scanner/alerts/rules`` with a ``RULE``."""
    return _found("rules", "RULE", Rule)


@cache
def channels() -> dict[str, Channel]:
    """Every kind of channel, by name: a module of ``scanner/alerts/channels`` with a ``CHANNEL``."""
    return _found("channels", "CHANNEL", Channel)


def _found(package: str, name: str, kind: type[_Found]) -> dict[str, _Found]:
    path = f"scanner.alerts.{package}"
    folder = importlib.import_module(path).__path__
    modules = (importlib.import_module(f"{path}.{each.name}") for each in pkgutil.iter_modules(folder))
    there = [getattr(module, name, None) for module in modules]
    return {each.name: each for each in there if isinstance(each, kind)}
