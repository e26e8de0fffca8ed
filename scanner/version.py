"""Which version of this program is installed."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version


@cache
def installed_version() -> str:
    """The version of the distribution; empty in a checkout that is not installed."""
    try:
        return version("vetuste")
    except PackageNotFoundError:
        return ""
