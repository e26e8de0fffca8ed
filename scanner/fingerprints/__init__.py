"""Fingerprints: declared patterns over evidence, and what each of them asserts.

They are data: ``fingerprints/<evidence key>.toml``, one file an evidence key. The first fingerprint of a
file that matches the whole value wins. A fingerprint *asserts* what its words prove, *suggests* what they
only make likely, and *names* what the host calls itself; whether an assertion leaves any release is for
``classify`` to say.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Final, TypeAlias

from scanner.data import content_version, data_directory

if TYPE_CHECKING:
    import re
    from collections.abc import Mapping
    from pathlib import Path

LONGEST: Final = 256
"""How many characters of a value a pattern sees."""
CLAIMS: Final = (
    "family", "product", "role", "edition", "build", "ntlm_build", "release", "since", "until",
)  # fmt: skip
"""What can be asserted or suggested of a host's release."""
NAMES: Final = ("vendor", "family", "product", "version", "edition", "device", "hardware", "fragile")
"""What can be named of a host: an identity's attributes; ``fragile`` says why it is not touched again."""

Claim: TypeAlias = "Mapping[str, tuple[str, ...]]"
"""Claim to the values that it allows; those of ``since`` and ``until`` are like ``windows=10.0.10240``."""


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
    pattern: re.Pattern[str]
    asserts: Claim = field(default_factory=dict)
    suggests: Claim = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    imitated: bool = False
    """Others are known to say the same, so one voice is not enough to be certain."""
    examples: tuple[tuple[str, Mapping[str, str]], ...] = ()
    """Values that it must win, and what its groups must give for each."""
    refuses: tuple[str, ...] = ()
    """Near misses that it must not match."""


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


@dataclass(frozen=True, slots=True)
class Fingerprints:
    """Every fingerprint, by the evidence key that it looks at."""

    by_key: Mapping[str, tuple[Fingerprint, ...]]
    version: str = ""

    def match(self, key: str, value: str) -> Match | None:
        """The first fingerprint of the key's file that matches the whole value, with its groups filled in."""
        for fingerprint in self.by_key.get(key, ()):
            if match := recognise(fingerprint, value):
                return match
        return None


def read_fingerprints(*directories: Path) -> Fingerprints:
    """The fingerprints of the directories named; those of earlier ones win.

    Raises:
        DataError: a file is wrong; file, line, entry and rule are named.
    """
    from scanner.fingerprints.reading import read_directory  # noqa: PLC0415 - it builds what is declared here

    by_key: dict[str, tuple[Fingerprint, ...]] = {}
    for directory in directories:
        for key, found in read_directory(directory).items():
            by_key[key] = (*by_key.get(key, ()), *found)
    return Fingerprints(by_key, "+".join(map(content_version, directories)))


@cache
def load_fingerprints(extra: Path | None = None) -> Fingerprints:
    """The fingerprints that ship with the product, and those of a directory of the site's own after them."""
    return read_fingerprints(data_directory(), *([extra] if extra else []))
