"""Reading ``lifecycle/*.toml``: the form of a line, and everything that is refused in one."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Final

from scanner.data import demand_known, line_of, read_toml
from scanner.errors import DataError
from scanner.model import Release, Role

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path
    from typing import NoReturn

_FILE_KEYS: Final = ("source", "checked", "family", "vendor", "product", "release")
_TEXTS: Final = ("name", "product", "family", "vendor", "source", "note")
_LISTS: Final = ("build", "ntlm", "editions")
_DATES: Final = ("released", "end", "esu", "checked")
_LINE_KEYS: Final = (*_TEXTS, *_LISTS, *_DATES, "role", "anything")
_ID: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


class _Line:
    """One line of a file, read key by key; a wrong one is named with file, line and key."""

    def __init__(self, file: Path, text: str, key: str, line: Mapping[str, object]) -> None:
        self.file, self.text, self.path, self.values = file, text, f"release.{key}", line
        self.id = f"{file.stem}-{key}"
        if not _ID.fullmatch(self.id):
            self.refuse(
                "", DataError("an id is lower-case letters and digits with dashes between: {id}", id=self.id)
            )
        demand_known(line, _LINE_KEYS, file=file, text=text, path=self.path)

    def refuse(self, name: str, error: DataError) -> NoReturn:
        """Raise the error, with the place of this line."""
        dotted = f"{self.path}.{name}".strip(".")
        error.file, error.line, error.key = self.file, line_of(self.text, dotted), dotted
        raise error

    def string(self, name: str, default: str = "") -> str:
        """A text."""
        value = self.values.get(name, default)
        if not isinstance(value, str):
            self.refuse(name, DataError("must be a text"))
        return value

    def strings(self, name: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """A text or a list of texts; a given empty list is not the default."""
        value = self.values.get(name, default)
        listed = [value] if isinstance(value, str) else value
        if not isinstance(listed, list | tuple) or not all(isinstance(each, str) and each for each in listed):
            self.refuse(name, DataError("must be a text or a list of texts"))
        return tuple(listed)

    def day(self, name: str, default: date | None = None) -> date | None:
        """A date without a time."""
        value = self.values.get(name, default)
        if value is not None and type(value) is not date:
            self.refuse(name, DataError("must be a date, like 2014-04-08"))
        return value

    def role(self) -> Role:
        """What the release is made for."""
        value = self.string("role")
        if value not in set(Role):
            self.refuse(
                "role", DataError("must be one of {known}", known=", ".join(role for role in Role if role))
            )
        return Role(value)


def _release(line: _Line, defaults: _Line) -> Release:
    release = Release(
        id=line.id,
        name=line.string("name"),
        product=line.string("product") or defaults.string("product"),
        family=line.string("family") or defaults.string("family"),
        vendor=line.string("vendor") or defaults.string("vendor"),
        role=line.role(),
        builds=(builds := line.strings("build")),
        ntlm_builds=line.strings("ntlm", builds),
        editions=line.strings("editions"),
        released=line.day("released"),
        end=line.day("end"),
        esu_end=line.day("esu"),
        source=line.string("source") or defaults.string("source"),
        checked=line.day("checked") or defaults.day("checked"),
    )
    for name in ("name", "product", "family", "vendor", "source"):
        if not getattr(release, name):
            line.refuse(name, DataError("is missing, here and at the top of the file"))
    if release.released and release.end and release.end < release.released:
        line.refuse("end", DataError("lies before the release: {end}", end=release.end))
    if release.esu_end and (release.end is None or release.esu_end <= release.end):
        line.refuse("esu", DataError("a paid extension must lie after the end of support"))
    return release


def _lines(file: Path) -> Iterable[tuple[_Line, _Line]]:
    content, text = read_toml(file)
    demand_known(content, _FILE_KEYS, file=file, text=text)
    lines = content.pop("release", {})
    defaults = _Line(file, text, "defaults", {})
    defaults.path, defaults.values = "", content
    if not isinstance(lines, dict) or not lines:
        defaults.refuse("release", DataError("must be a table with one line a release"))
    for key, values in lines.items():
        if not isinstance(values, dict):
            raise DataError(
                "must be a table", file=file, line=line_of(text, f"release.{key}"), key=f"release.{key}"
            )
        yield _Line(file, text, key, values), defaults


def plain(name: str) -> str:
    """A name without what people see no difference in: case, spaces, punctuation."""
    return "".join(filter(str.isalnum, name.casefold()))


def read_releases(directories: Iterable[Path]) -> tuple[dict[str, Release], frozenset[str]]:
    """Every release of the directories' ``lifecycle`` folders, and the ids that stand for anything else.

    Raises:
        DataError: a file is wrong, an id stands twice, or two names differ in case or punctuation only.
    """
    releases: dict[str, Release] = {}
    names: dict[str, str] = {}
    anything = set()
    for file in (found for each in directories for found in sorted((each / "lifecycle").glob("*.toml"))):
        for line, defaults in _lines(file):
            release = _release(line, defaults)
            if release.id in releases:
                line.refuse("", DataError("the id {id} stands twice", id=release.id))
            other = names.setdefault(plain(release.name), release.name)
            if other is not release.name:
                line.refuse("name", DataError("is hardly to be told from {other}", other=other))
            releases[release.id] = release
            if not isinstance(stands_for_anything := line.values.get("anything", False), bool):
                line.refuse("anything", DataError("must be true or false"))
            if stands_for_anything:
                anything.add(release.id)
    return releases, frozenset(anything)
