"""Fingerprints: declared patterns over evidence, and what each of them asserts.

They are data: ``fingerprints/<evidence key>.toml``, one file an evidence key. The first fingerprint of a
file that matches the whole value wins. A fingerprint *asserts* what its words prove, *suggests* what they
only make likely, and *names* what the host calls itself; whether an assertion leaves any release is for
``classify`` to say.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Final, TypeAlias

from scanner.cache import Form, remembered
from scanner.data import data_directories, is_still, version_of
from scanner.fingerprints.literals import folded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

LONGEST: Final = 256
"""How many characters of a value a pattern sees."""
CLAIMS: Final = (
    "family", "product", "role", "edition", "build", "ntlm_build", "release", "since", "until", "bits",
)  # fmt: skip
"""What can be asserted or suggested of a host's release."""
NAMES: Final = ("vendor", "family", "product", "version", "edition", "device", "hardware", "fragile")
"""What can be named of a host: an identity's attributes; ``fragile`` says why it is not touched again."""

_KEPT: Final = 4096
"""How many values are remembered with what is made of them."""

Claim: TypeAlias = "Mapping[str, tuple[str, ...]]"
"""Claim to the values that it allows; those of ``since`` and ``until`` are like ``windows=10.0.10240``."""


@cache
def _compiled(expression: str) -> re.Pattern[str]:
    return re.compile(expression)


def forget_patterns() -> None:
    """Leave the patterns that a check of all of them made: hosts are told by few."""
    _compiled.cache_clear()


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """One table of a file."""

    key: str
    """The evidence key that it looks at."""
    voice: str
    """Whose words they are: two keys of one voice are one witness."""
    file: str
    """The file's name, as reasons show it."""
    name: str
    expression: str
    """Its pattern, as it is written."""
    asserts: Claim = field(default_factory=dict)
    suggests: Claim = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    contradicts: bool = False
    """What it suggests is of the system itself, below all words: words that do not fit it are in doubt."""
    imitated: bool = False
    """Others are known to say the same, so one voice is not enough to be certain."""
    examples: tuple[tuple[str, Mapping[str, str]], ...] = ()
    """Values that it must win, and what its groups must give for each."""
    refuses: tuple[str, ...] = ()
    """Near misses that it must not match."""
    begins: tuple[str, ...] = ("",)
    """What it matches begins with one of these."""
    holds: tuple[str, ...] = ("",)
    """What it matches has one of these in it, once it is folded."""

    @property
    def pattern(self) -> re.Pattern[str]:
        """Its pattern, compiled when first asked for: few are ever tried."""
        return _compiled(self.expression)


@dataclass(frozen=True, slots=True)
class Match:
    """A value that a fingerprint recognised, its groups filled in."""

    fingerprint: Fingerprint
    value: str
    asserts: Claim
    suggests: Claim
    names: Mapping[str, str]


def _fill(claim: Claim, groups: Mapping[str, str]) -> Claim:
    """The claim with its groups filled in; what only names a group that took no part is not claimed."""
    filled: dict[str, tuple[str, ...]] = {}
    for key, forms in claim.items():
        values = tuple(text for form in forms if (text := form.format_map(groups)) or not form)
        if values:
            filled[key] = values
    return filled


def recognise(fingerprint: Fingerprint, value: str) -> Match | None:
    """What one fingerprint makes of a value."""
    found = fingerprint.pattern.fullmatch(value[:LONGEST])
    if found is None:
        return None
    groups = {name: text or "" for name, text in found.groupdict().items()}
    names = {name: text for name, form in fingerprint.names.items() if (text := form.format_map(groups))}
    return Match(
        fingerprint, value, _fill(fingerprint.asserts, groups), _fill(fingerprint.suggests, groups), names
    )


class _Index:
    """The fingerprints of one key, by what their matches begin with."""

    def __init__(self, entries: Sequence[Fingerprint]) -> None:
        self._entries = entries
        self._places: dict[str, list[int]] = {}
        for place, fingerprint in enumerate(entries):
            for text in fingerprint.begins:
                self._places.setdefault(text, []).append(place)
        self._lengths = sorted(set(map(len, self._places)))

    def fitting(self, value: str) -> Iterator[Fingerprint]:
        """Those that may match it, in their order."""
        places: list[int] = []
        for length in self._lengths:
            if length > len(value):
                break
            places += self._places.get(value[:length], ())
        places.sort()
        value = folded(value)
        for place in places:
            for text in self._entries[place].holds:  # any() takes longer than most of the texts
                if text in value:
                    yield self._entries[place]
                    break


@dataclass(frozen=True, slots=True)
class Fingerprints:
    """Every fingerprint, by the evidence key that it looks at."""

    by_key: Mapping[str, tuple[Fingerprint, ...]]
    version: str = ""
    _indexes: dict[str, _Index] = field(default_factory=dict, init=False, repr=False, compare=False)
    _matches: dict[tuple[str, str], Match | None] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def match(self, key: str, value: str) -> Match | None:
        """The first fingerprint of the key's file that matches the whole value, with its groups filled in."""
        known = self._matches.get((key, value), self)
        if not isinstance(known, Fingerprints):
            return known
        found = self._first(key, value)
        if len(value) <= LONGEST:
            if len(self._matches) >= _KEPT:
                del self._matches[next(iter(self._matches))]
            self._matches[key, value] = found
        return found

    def _first(self, key: str, value: str) -> Match | None:
        index = self._indexes.get(key)
        if index is None:
            index = self._indexes[key] = _Index(self.by_key.get(key, ()))
        fitting = index.fitting(value[:LONGEST])
        return next((match for each in fitting if (match := recognise(each, value))), None)


def read_fingerprints(*directories: Path) -> Fingerprints:
    """The fingerprints of the directories named; those of later ones win.

    Raises:
        DataError: a file is wrong; file, line, entry and rule are named.
    """
    from scanner.fingerprints.reading import read_directory  # noqa: PLC0415 - it builds what is declared here

    by_key: dict[str, tuple[Fingerprint, ...]] = {}
    for directory in directories:
        for key, found in read_directory(directory).items():
            by_key[key] = (*found, *by_key.get(key, ()))
    return Fingerprints(by_key, version_of(directories))


def read_fingerprint_file(file: Path) -> tuple[Fingerprint, ...]:
    """The fingerprints of one file, proved by themselves.

    Raises:
        DataError: it is wrong; file, line, entry and rule are named.
    """
    from scanner.fingerprints.reading import read_file  # noqa: PLC0415 - as above

    return read_file(file)


def load_fingerprints() -> Fingerprints:
    """The fingerprints that ship with the product, and before them those of the site's own directory."""
    return _loaded(data_directories())


@cache
def _loaded(directories: tuple[Path, ...]) -> Fingerprints:
    from scanner.fingerprints.keeping import packed, unpacked  # noqa: PLC0415 - it builds what is declared here

    version = version_of(directories)
    return remembered(
        Form("fingerprints", packed, lambda kept: unpacked(kept, version)),
        version,
        lambda: read_fingerprints(*directories),
        still=lambda: is_still(version, directories),
    )
