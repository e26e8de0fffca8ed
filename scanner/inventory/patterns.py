"""Which releases people mean: ``xp``, ``Windows XP``, ``windows 10*``."""

from __future__ import annotations

import re
from difflib import get_close_matches
from fnmatch import translate as as_regex
from typing import TYPE_CHECKING

from scanner.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from scanner.model import Release


def releases_meant(pattern: str, releases: Mapping[str, Release]) -> frozenset[str]:
    """The ids of the releases that a pattern means, whatever its case.

    The first of these readings that means anything counts: the whole name of a product; the whole name or id
    of a release; with ``*``, ``?`` or ``[…]``, a shell pattern over either; whole words of either (``xp``,
    and ``server 2008`` but not ``server 200``); any part of either.

    Raises:
        ConfigError: nothing is called so. (A count of zero would be a lie: perhaps it is a slip of the pen.)
    """
    wanted = " ".join(pattern.casefold().split())
    for reading in _readings(wanted):
        found = frozenset(release.id for release in releases.values() if reading(release))
        if found and wanted:
            return found
    names = {name for release in releases.values() for name in (release.product, release.name)}
    near = get_close_matches(pattern, sorted(names), n=3, cutoff=0.5)
    if near:
        raise ConfigError(
            "no system is called {pattern}: did you mean {names}?",
            pattern=repr(pattern),
            names=", ".join(near),
        )
    raise ConfigError(
        "no system is called {pattern}: write for example xp, 'Windows 7' or 'windows server 20*'",
        pattern=repr(pattern),
    )


def _readings(wanted: str) -> Iterator[Callable[[Release], bool]]:
    yield lambda release: release.product.casefold() == wanted
    yield lambda release: wanted in (release.name.casefold(), release.id.casefold())
    shell = re.compile(as_regex(wanted))
    if any(mark in wanted for mark in "*?["):
        yield lambda release: any(shell.match(name) for name in _names(release))
        return
    words = re.compile(rf"(?<![\w.]){re.escape(wanted)}(?![\w.])")
    yield lambda release: any(words.search(name) for name in _names(release))
    yield lambda release: any(wanted in name for name in _names(release))


def _names(release: Release) -> tuple[str, str]:
    return release.product.casefold(), release.name.casefold()
