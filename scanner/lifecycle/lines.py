"""Reading ``lifecycle/*.toml``: the form of a line, and everything that is refused in one."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Final

from scanner.data import demand_known, line_of, read_toml
from scanner.errors import DataError
from scanner.model import Release, Role

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path
    from typing import NoReturn

_FILE_KEYS: Final = ("source", "checked", "family", "vendor", "product", "hosts", "release")
_TEXTS: Final = ("name", "product", "family", "vendor", "source", "note")
_LISTS: Final = ("build", "ntlm", "editions", "called", "hosts")
_DATES: Final = ("released", "end", "checked")
_LINE_KEYS: Final = (*_TEXTS, *_LISTS, *_DATES, "esu", "bits", "role", "anything")
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

    def days(self, name: str) -> tuple[date, ...]:
        """A date or a list of dates, each after the one before."""
        value = self.values.get(name, [])
        listed = value if isinstance(value, list) else [value]
        if not all(type(each) is date for each in listed) or listed != sorted(set(listed)):
            self.refuse(name, DataError("must be a date, like 2014-04-08, or a list of them, in their order"))
        return tuple(listed)


def _bits(line: _Line) -> tuple[str, ...]:
    """How wide the system is, where it exists in one width only."""
    value = line.values.get("bits")
    if value not in {None, 32, 64}:
        line.refuse("bits", DataError("must be 32 or 64"))
    return () if value is None else (str(value),)


def _stands_for_anything(line: _Line) -> bool:
    """Whether the line stands for anything else."""
    value = line.values.get("anything", False)
    if not isinstance(value, bool):
        line.refuse("anything", DataError("must be true or false"))
    return value


def _role(line: _Line) -> Role:
    """What the release is made for."""
    value = line.string("role")
    if value not in set(Role):
        line.refuse(
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
        role=_role(line),
        builds=(builds := line.strings("build")),
        ntlm_builds=line.strings("ntlm", builds),
        editions=line.strings("editions"),
        released=line.day("released"),
        end=line.day("end"),
        esu_ends=line.days("esu"),
        source=line.string("source") or defaults.string("source"),
        checked=line.day("checked") or defaults.day("checked"),
        bits=_bits(line),
        called=line.strings("called"),
        hosts=line.strings("hosts") or defaults.strings("hosts"),
    )
    for name in ("name", "product", "family", "vendor", "source"):
        if not getattr(release, name):
            line.refuse(name, DataError("is missing, here and at the top of the file"))
    if release.released and release.end and release.end < release.released:
        line.refuse("end", DataError("lies before the release: {end}", end=release.end))
    if release.esu_ends and (release.end is None or release.esu_ends[0] <= release.end):
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


class _Spellings:
    """One thing has one name: words that only case, spaces and punctuation tell apart are refused."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], str] = {}

    def demand_one(self, line: _Line, kind: str, name: str) -> None:
        """Refuse a name that is another one's but for what people do not see."""
        other = self._known.setdefault((kind, plain(name)), name)
        if other != name:
            line.refuse(kind, DataError("is hardly to be told from {other}", other=other))


def read_releases(
    directories: Iterable[Path], files: Sequence[Path] = ()
) -> tuple[dict[str, Release], frozenset[str]]:
    """Every release of the directories' ``lifecycle`` folders, and the ids that stand for anything else.

    A line of a later directory replaces that of the same id in an earlier one; those of ``files`` come last.

    Raises:
        DataError: a file is wrong, an id stands twice, or two names differ in case or punctuation only.
    """
    lines: dict[str, tuple[_Line, Release]] = {}
    for part in (*(sorted((each / "lifecycle").glob("*.toml")) for each in directories), files):
        found: dict[str, tuple[_Line, Release]] = {}
        for file in part:
            for line, defaults in _lines(file):
                if line.id in found:
                    line.refuse("", DataError("the id {id} stands twice", id=line.id))
                found[line.id] = line, _release(line, defaults)
        lines |= found
    _refuse_twins(lines.values())
    anything = {line.id for line, _ in lines.values() if _stands_for_anything(line)}
    return {name: release for name, (_, release) in lines.items()}, frozenset(anything)


def _refuse_twins(lines: Iterable[tuple[_Line, Release]]) -> None:
    """Two names for one thing, or one name for two."""
    spellings = _Spellings()
    names: dict[str, Release] = {}
    for line, release in lines:
        other = names.setdefault(plain(release.name), release)
        if other is not release:
            line.refuse("name", DataError("is hardly to be told from {other}", other=other.name))
        for kind in ("vendor", "family", "product"):
            spellings.demand_one(line, kind, getattr(release, kind))
