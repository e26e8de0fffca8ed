"""Reading ``<evidence key>.toml``: the form of a fingerprint, and every rule that one must keep."""

from __future__ import annotations

import re
from string import Formatter
from typing import TYPE_CHECKING, Final

from scanner.data import demand_known, line_of, read_toml
from scanner.errors import DataError
from scanner.fingerprints import CLAIMS, LONGEST, NAMES, Fingerprint, recognise
from scanner.fingerprints.quantifiers import UnsafeError, check_pattern

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import NoReturn

    from scanner.fingerprints import Claim

_FILE_KEYS: Final = ("evidence", "voice", "fingerprint")
_ENTRY_KEYS: Final = ("name", "pattern", "asserts", "suggests", "names", "imitated", "examples", "refuses")
_BOUNDS: Final = ("since", "until")


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


def _fingerprint(entry: _Entry, key: str, voice: str) -> Fingerprint:
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
    if not (asserts or suggests or names):
        entry.refuse("", DataError("asserts nothing and suggests nothing"))
    imitated = entry.values.get("imitated", False)
    if not isinstance(imitated, bool):
        entry.refuse("imitated", DataError("must be true or false"))
    refuses = entry.strings("refuses", entry.values["refuses"]) if "refuses" in entry.values else ()
    return Fingerprint(
        key, voice, entry.file.name, entry.string("name"), pattern, asserts, suggests, names, imitated,
        _examples(entry), refuses,
    )  # fmt: skip


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


def _read_file(file: Path) -> tuple[str, tuple[Fingerprint, ...]]:
    content, text = read_toml(file)
    demand_known(content, _FILE_KEYS, file=file, text=text)
    key, listed = content.get("evidence"), content.get("fingerprint")
    voice = content.get("voice", file.stem.partition(".")[0])
    if key != file.stem:
        raise DataError(
            "must be the file's name: {name}",
            file=file,
            line=line_of(text, "evidence"),
            key="evidence",
            name=file.stem,
        )
    if not isinstance(voice, str) or not voice:
        raise DataError("must be a text", file=file, line=line_of(text, "voice"), key="voice")
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise DataError(
            "must be tables, [[fingerprint]]", file=file, line=line_of(text, "fingerprint"), key="fingerprint"
        )
    entries = [_Entry(file, text, position, values) for position, values in enumerate(listed)]
    fingerprints = [(entry, _fingerprint(entry, file.stem, voice)) for entry in entries]
    _prove(fingerprints)
    return file.stem, tuple(fingerprint for _, fingerprint in fingerprints)


def read_directory(directory: Path) -> dict[str, tuple[Fingerprint, ...]]:
    """The fingerprints of the files that lie directly in a directory.

    Raises:
        DataError: a file is wrong.
    """
    return dict(_read_file(file) for file in sorted(directory.glob("*.toml")))
