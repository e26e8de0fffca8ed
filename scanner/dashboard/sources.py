"""The data in use: which files, from which sources, checked when."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from scanner.data import data_directories, data_files, data_version, read_toml
from scanner.lifecycle import load_lifecycle

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date
    from pathlib import Path

    from scanner.model import Release


@dataclass(frozen=True, slots=True)
class File:
    """One file of data."""

    name: str
    """Under its directory."""
    own: bool
    """Whether it is the site's own."""
    kind: str
    """``release``, ``fingerprint`` or ``other``."""
    entries: int
    """Releases; or fingerprints, each once for every key that it looks at."""
    sources: tuple[str, ...]
    """Where its entries come from, each once."""
    oldest: date | None
    """Of its releases, the day of the check that is longest ago."""
    newest: date | None
    keys: frozenset[str] = frozenset()
    """Of evidence, that its fingerprints look at."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What ``vetuste data check`` says of all that is in force."""

    releases: int
    fingerprints: int
    keys: int
    version: str
    own: str
    """The site's own directory; empty without one."""


def figures() -> Figures:
    """The numbers of all that is in force: of fingerprints, as their files tell, which is quickly read."""
    told = [file for file in files() if file.keys]
    keys = frozenset[str]().union(*(file.keys for file in told))
    own = " ".join(each.name for each in data_directories()[1:])
    releases = len(load_lifecycle().releases)
    return Figures(releases, sum(file.entries for file in told), len(keys), data_version(), own)


def files() -> tuple[File, ...]:
    """Every file: what ships, then the site's own."""
    return _files(data_directories(), data_version())


@cache
def _files(directories: tuple[Path, ...], _version: str) -> tuple[File, ...]:
    """Read once: a process judges by the data that it began with."""
    return files_of(directories)


def files_of(directories: tuple[Path, ...]) -> tuple[File, ...]:
    """Every file of some directories; those of all but the first are the site's own."""
    return tuple(
        _file(directory, path, own=place > 0)
        for place, directory in enumerate(directories)
        for path in data_files(directory)
    )


def _file(directory: Path, path: Path, *, own: bool) -> File:
    said, _ = read_toml(path)
    releases, entries = said.get("release"), said.get("fingerprint")
    kind = "release" if releases is not None else "fingerprint" if entries is not None else "other"
    known = [each for each in _tables(entries if releases is None else releases) if isinstance(each, dict)]
    tables = [said, said.get("defaults"), *known]
    given = [each for each in tables if isinstance(each, dict)]
    sources = dict.fromkeys(str(each["source"]) for each in given if each.get("source"))
    days = [each["checked"] for each in given if each.get("checked")]
    name = path.relative_to(directory).as_posix()
    keys = _keys(said) if kind == "fingerprint" else frozenset[str]()
    entries = len(known) * max(1, len(keys))
    return File(
        name, own, kind, entries, tuple(sources), min(days, default=None), max(days, default=None), keys
    )


def _keys(said: dict[str, object]) -> frozenset[str]:
    also = said.get("also")
    return frozenset({str(said.get("evidence")), *(map(str, also) if isinstance(also, list) else ())})


def _tables(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def found(text: str) -> list[Release]:
    """Releases with a text in their name, id, product or vendor, whatever the case."""
    wanted = text.casefold()
    return [
        release
        for release in load_lifecycle().releases.values()
        if any(
            wanted in part.casefold() for part in (release.name, release.id, release.product, release.vendor)
        )
    ]


def ends(releases: Iterable[Release], today: date, *, past: bool) -> list[Release]:
    """Those with an end of support: still to come, the next first; or past, the last first."""
    dated = [(release.end, release.id, release) for release in releases if release.end is not None]
    chosen = [each for each in dated if (each[0] < today) is past]
    return [release for *_, release in sorted(chosen, key=lambda each: each[:2], reverse=past)]
