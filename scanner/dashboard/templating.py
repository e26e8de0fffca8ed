"""The templates of the dashboard: every value in them is escaped."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined


@cache
def templates() -> Environment:
    """All of them; a word that a page was not given is an error."""
    return Environment(
        loader=PackageLoader("scanner.dashboard"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
