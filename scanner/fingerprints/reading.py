"""Reading ``<evidence key>.toml``, or a folder of such files: the form of a fingerprint, and its rules."""

from __future__ import annotations

import re
from dataclasses import dataclass
from string import Formatter
from typing import TYPE_CHECKING, Final

from scanner.data import demand_known, line_of, read_toml
from scanner.errors import DataError
from scanner.fingerprints import CLAIMS, LONGEST, NAMES, Fingerprint, recognise
from scanner.fingerprints.literals import literals
from scanner.fingerprints.quantifiers import UnsafeError, check_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import NoReturn

    from scanner.fingerprints import Claim

_FILE_KEYS: Final = ("evidence", "also", "voice", "contradicts", "fingerprint")
_ENTRY_KEYS: Final = ("name", "pattern", "asserts", "suggests", "names", "imitated", "examples", "refuses")
_BOUNDS: Final = ("since", "until")
LIFECYCLE: Final = "lifecycle"
"""The one folder that holds no fingerprints, but releases."""
LAST: Final = "general"
"""The file of a key's folder that is asked after all others."""


class _Entry:
    """One ``[[fingerprint]]``, read key by key; a wrong one is named with file, line, entry and rule."""

    def __init__(self, file: Path, text: str, position: int, values: Mapping[str, object]) -> None:
        self.file, self.text, self.path, self.values = file, text, f"fingerprint.{position}", values
        demand_known(values, _ENTRY_KEYS, file=file, text=text, path=self.path)

    def refuse(self, key: str, error: DataError) -> NoReturn:
        """Raise the error, with the place of this entry."""
        dotted = f"{self.path}.{key}".rstrip(".")
        name = self.values.get("name")
        shown = f"{key or self.path} ({name})" if isinstance(name, str) else dotted
        error.file, error.line, error.key = self.file, line_of(self.text, dotted), shown
        raise error

    def string(self, key: str) -> str:
        """A text that must be there."""
        value = self.values.get(key)
        if not isinstance(value, str) or not value:
            self.refuse(key, DataError("must be a text"))
        return value

    def table(self, key: str, known: Sequence[str]) -> dict[str, object]:
        """A table that may be missing, of known keys."""
        value = self.values.get(key, {})
        if not isinstance(value, dict):
            self.refuse(key, DataError("must be a table"))
        demand_known(value, known, file=self.file, text=self.text, path=f"{self.path}.{key}")
        return value

    def strings(self, key: str, value: object) -> tuple[str, ...]:
        """A text or a list of texts."""
        listed = [value] if isinstance(value, str) else value
        if not isinstance(listed, list) or not listed or not all(isinstance(each, str) for each in listed):
            self.refuse(key, DataError("must be a text or a list of texts"))
        return tuple(listed)

    def claim(self, key: str) -> dict[str, tuple[str, ...]]:
        """What is asserted or suggested."""
        claim: dict[str, tuple[str, ...]] = {}
        for name, value in self.table(key, CLAIMS).items():
            if name not in _BOUNDS:
                claim[name] = self.strings(key, value)
            elif isinstance(value, dict) and all(isinstance(each, str) for each in value.values()):
                claim[name] = tuple(f"{stem}={build}" for stem, build in value.items())
            else:
                self.refuse(key, DataError("must be a table from the name of a lifecycle file to a build"))
        return claim


def _pattern(entry: _Entry) -> re.Pattern[str]:
    text = entry.string("pattern")
    if len(text) > 4 * LONGEST:
        entry.refuse("pattern", DataError("is longer than {limit} characters", limit=4 * LONGEST))
    try:
        check_pattern(text)
        return re.compile(text)
    except UnsafeError as error:
        entry.refuse("pattern", DataError("would be slow on a hostile answer: {problem}", problem=error))
    except (re.error, OverflowError, RecursionError) as error:
        entry.refuse("pattern", DataError("is no regular expression: {problem}", problem=error))


def _marks(entry: _Entry, key: str, forms: Sequence[str]) -> set[str]:
    """The groups that templates use."""
    try:
        parts = [part for form in forms for part in Formatter().parse(form)]
    except ValueError:
        entry.refuse(key, DataError("has a brace that closes or opens nothing"))
    if any(spec or conversion or not (name or "x").isidentifier() for _, name, spec, conversion in parts):
        entry.refuse(key, DataError("may hold names of groups between braces, and nothing more there"))
    return {name for _, name, _, _ in parts if name is not None}


def _groups(
    entry: _Entry, pattern: re.Pattern[str], tables: Mapping[str, Mapping[str, Sequence[str]]]
) -> set[str]:
    """The groups that no template uses: those state themselves, under their own name."""
    if len(pattern.groupindex) != pattern.groups:
        entry.refuse("pattern", DataError("has a group without a name; write (?:…) where nothing is kept"))
    used = set()
    for key, table in tables.items():
        for forms in table.values():
            used |= _marks(entry, key, forms)
    if unknown := used - set(pattern.groupindex):
        entry.refuse("pattern", DataError("has no group {group}", group=min(unknown)))
    free = set(pattern.groupindex) - used
    for group in sorted(free):
        if group not in {*CLAIMS, *NAMES} or group in _BOUNDS:
            entry.refuse(
                "pattern", DataError("the group {group} is not used, and says nothing by itself", group=group)
            )
    return free


def _examples(entry: _Entry) -> tuple[tuple[str, Mapping[str, str]], ...]:
    listed = entry.values.get("examples")
    if not isinstance(listed, list) or not listed or not all(isinstance(each, dict) for each in listed):
        entry.refuse("examples", DataError("there must be at least one table with a value"))
    examples = []
    for each in listed:
        demand_known(
            each, ("value", "gives"), file=entry.file, text=entry.text, path=f"{entry.path}.examples"
        )
        value, gives = each.get("value"), each.get("gives", {})
        if not isinstance(value, str) or not isinstance(gives, dict):
            entry.refuse("examples", DataError("value must be a text and gives a table"))
        examples.append((value, gives))
    return tuple(examples)


def _fingerprint(entry: _Entry, key: str, file: _File) -> Fingerprint:
    pattern = _pattern(entry)
    asserts, suggests = entry.claim("asserts"), entry.claim("suggests")
    names = {name: entry.strings("names", value)[0] for name, value in entry.table("names", NAMES).items()}
    tables: dict[str, Mapping[str, Sequence[str]]] = {
        "asserts": asserts, "suggests": suggests, "names": {name: (form,) for name, form in names.items()},
    }  # fmt: skip
    for group in sorted(_groups(entry, pattern, tables)):
        if group in CLAIMS:
            asserts.setdefault(group, (f"{{{group}}}",))
        else:
            names.setdefault(group, f"{{{group}}}")
    for kind, claim in (("asserts", asserts), ("suggests", suggests)):
        if "build" in claim and not claim.keys() & {"family", "product", "release"}:
            entry.refuse(kind, DataError("a build is nobody's: its family or product must stand beside it"))
    if not (asserts or suggests or names):
        entry.refuse("", DataError("asserts nothing and suggests nothing"))
    imitated = entry.values.get("imitated", False)
    if not isinstance(imitated, bool):
        entry.refuse("imitated", DataError("must be true or false"))
    refuses = entry.strings("refuses", entry.values["refuses"]) if "refuses" in entry.values else ()
    return Fingerprint(
        key, file.voice or key.partition(".")[0], _shown(entry.file), entry.string("name"), pattern.pattern,
        asserts, suggests, names, file.contradicts, imitated, _examples(entry), refuses,
        *literals(pattern.pattern),
    )  # fmt: skip


def _shown(file: Path) -> str:
    """The file's name as reasons show it: with its folder's, which is a key, where it lies in one."""
    return file.name if "." in file.stem else f"{file.parent.name}/{file.name}"


def _prove(entries: Sequence[tuple[_Entry, Fingerprint]]) -> None:
    """Data carries its own proof: every example is won by its own fingerprint, every near miss is missed."""
    names: dict[str, str] = {}
    for entry, fingerprint in entries:
        plain = "".join(filter(str.isalnum, fingerprint.name.casefold()))
        if plain in names:
            entry.refuse("name", DataError("is hardly to be told from {other}", other=names[plain]))
        names[plain] = fingerprint.name
        for value, gives in fingerprint.examples:
            _prove_example(entry, fingerprint, value, gives, entries)
        for value in fingerprint.refuses:
            if recognise(fingerprint, value):
                entry.refuse("refuses", DataError("matches what it must not: {value}", value=value))


def _prove_example(
    entry: _Entry,
    fingerprint: Fingerprint,
    value: str,
    gives: Mapping[str, str],
    entries: Sequence[tuple[_Entry, Fingerprint]],
) -> None:
    match = recognise(fingerprint, value)
    if match is None or len(value) > LONGEST:
        entry.refuse("examples", DataError("is not matched whole: {value}", value=value))
    winner = next(each for _, each in entries if recognise(each, value))
    if winner is not fingerprint:
        entry.refuse("examples", DataError("{value} is won by {winner}", value=value, winner=winner.name))
    given: Claim = {
        **{name: (text,) for name, text in match.names.items()},
        **match.suggests,
        **match.asserts,
    }
    for name, wanted in gives.items():
        if given.get(name) != (wanted,):
            found = ", ".join(given.get(name, ()))
            entry.refuse(
                "examples",
                DataError("{value} gives {name} {found}", value=value, name=name, found=repr(found)),
            )


@dataclass(frozen=True, slots=True)
class _File:
    """One file, parsed, and the keys that it is about."""

    path: Path
    keys: tuple[str, ...]
    voice: str
    contradicts: bool
    tables: list[Mapping[str, object]]
    text: str

    def entries(self, key: str) -> list[tuple[_Entry, Fingerprint]]:
        """Its fingerprints, for one of its keys."""
        read = [_Entry(self.path, self.text, place, values) for place, values in enumerate(self.tables)]
        return [(entry, _fingerprint(entry, key, self)) for entry in read]


def _parsed(path: Path, key: str) -> _File:
    content, text = read_toml(path)
    demand_known(content, _FILE_KEYS, file=path, text=text)

    def demand(name: str, error: DataError, *, holds: bool) -> None:
        if not holds:
            error.file, error.line, error.key = path, line_of(text, name), name
            raise error

    listed, voice, also = content.get("fingerprint"), content.get("voice", ""), content.get("also", [])
    stated = content.get("evidence")
    demand("evidence", DataError("must be the file's name: {name}", name=key), holds=stated == key)
    demand("voice", DataError("must be a text"), holds=isinstance(voice, str))
    against = content.get("contradicts", False)
    demand("contradicts", DataError("must be true or false"), holds=isinstance(against, bool))
    named = isinstance(also, list) and all(isinstance(each, str) and each for each in also)
    demand("also", DataError("must be a list of texts"), holds=named)
    tables = isinstance(listed, list) and listed != [] and all(isinstance(each, dict) for each in listed)
    demand("fingerprint", DataError("must be tables, [[fingerprint]]"), holds=tables)
    return _File(path, (key, *also), str(voice), bool(against), listed, text)  # type: ignore[misc, arg-type] # checked above


def _files(directory: Path) -> Iterator[_File]:
    """A file named after its evidence key, or several in a folder named after it; the general one is last."""
    for path in sorted(directory.glob("*.toml")):
        yield _parsed(path, path.stem)
    for path in sorted(directory.glob("*/*.toml"), key=lambda path: (path.stem == LAST, path)):
        if path.parent.name != LIFECYCLE:
            yield _parsed(path, path.parent.name)


def _proved(files: Iterable[_File], key: str) -> tuple[Fingerprint, ...]:
    """What the files say of a key, each with its proof."""
    entries = [entry for file in files for entry in file.entries(key)]
    _prove(entries)
    return tuple(fingerprint for _, fingerprint in entries)


def read_file(path: Path) -> tuple[Fingerprint, ...]:
    """The fingerprints of one file: its key is its name, or that of its folder.

    Raises:
        DataError: it is wrong.
    """
    stated = read_toml(path)[0].get("evidence")
    key = path.parent.name if path.parent.name == stated else path.stem
    return _proved([_parsed(path, key)], key)


def read_directory(directory: Path) -> dict[str, tuple[Fingerprint, ...]]:
    """The fingerprints of a directory's files.

    Raises:
        DataError: a file is wrong.
    """
    by_key: dict[str, list[_File]] = {}
    for file in _files(directory):
        for key in file.keys:
            by_key.setdefault(key, []).append(file)
    return {key: _proved(by_key[key], key) for key in sorted(by_key)}
