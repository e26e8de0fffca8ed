"""Where the data files are, which ones they are, and on which line of one of them a mistake stands.

Data is TOML. It ships inside the package as ``scanner/_fingerprints``; in a checkout, or in an editable
install, it is the directory ``fingerprints`` beside the package.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scanner import toml
from scanner.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_PART: Final = re.compile(r"[\w-]+|\"[^\"]*\"|'[^']*'")


@cache
def data_directory() -> Path:
    """The directory of the data files.

    Raises:
        DataError: the product was installed without its data.
    """
    package = Path(__file__).parent
    for candidate in (package / "_fingerprints", package.parent / "fingerprints"):
        if candidate.is_dir():
            return candidate
    raise DataError("the data files are missing: install the product again", file=package / "_fingerprints")


_own: list[Callable[[], Path | None]] = []
"""Who knows the directory of the site's own data: this process judges by it too."""


def use_own(find: Callable[[], Path | None] | None) -> None:
    """From now on the site's own data overrides and extends what ships.

    Args:
        find: tells its directory when data is first needed, or that there is none; may raise whatever a
            command is to end with.
    """
    _own[:] = [] if find is None else [find]


def data_directories() -> tuple[Path, ...]:
    """Where data is read from: what ships, then what overrides it.

    Raises:
        DataError: the site's own directory is not there.
    """
    own = tuple(directory for find in _own if (directory := find()) is not None)
    for directory in own:
        if not directory.is_dir():
            raise DataError("there is no such directory of data", file=directory)
    return (data_directory(), *own)


def data_files(directory: Path) -> tuple[Path, ...]:
    """Every data file under ``directory``, in the order of their names."""
    return tuple(sorted(directory.rglob("*.toml")))


@cache
def content_version(directory: Path) -> str:
    """Twelve hexadecimal digits that change with any byte or name of the data files of ``directory``."""
    return _digest(directory)


def is_still(version: str, directories: Iterable[Path]) -> bool:
    """Whether the files of these directories are, at this moment, of that version."""
    return version == "+".join(map(_digest, directories))


def _digest(directory: Path) -> str:
    digest = hashlib.sha256()
    for file in data_files(directory):
        name, content = file.relative_to(directory).as_posix().encode(), file.read_bytes()
        digest.update(b"%d %b %d " % (len(name), name, len(content)))
        digest.update(content)
    return digest.hexdigest()[:12]


def data_version() -> str:
    """The version of the data in force: kept with every identity, so that it is known what judged it."""
    return version_of(data_directories())


def version_of(directories: Iterable[Path]) -> str:
    """The version of the data of several directories."""
    return "+".join(map(content_version, directories))


def read_toml(file: Path) -> tuple[dict[str, object], str]:
    """The content of a data file, and its text to find lines in.

    Raises:
        DataError: it cannot be read, is no UTF-8, or is no TOML; the line is named where it is known.
    """
    try:
        text = file.read_bytes().decode()
        return tomllib.loads(text), text
    except OSError as error:
        raise DataError("cannot be read: {problem}", file=file, problem=error.strerror) from None
    except UnicodeDecodeError as error:
        raise DataError("is not UTF-8 at byte {position}", file=file, position=error.start) from None
    except tomllib.TOMLDecodeError as error:
        where = re.search(r"\(at line (\d+)", str(error))
        line = int(where[1]) if where else None
        raise DataError("is not TOML: {problem}", file=file, line=line, problem=error) from None


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that a mistyped one was most likely meant to be."""
    from difflib import get_close_matches  # noqa: PLC0415 - only where something is wrong

    return next(iter(get_close_matches(word, list(known), 1)), None)


def demand_known(
    found: Iterable[str], known: Iterable[str], *, file: Path, text: str, path: str = ""
) -> None:
    """Refuse keys that the format does not have.

    Raises:
        DataError: there is one; the message names the known key that looks most like it.
    """
    known = list(known)
    for word in found:
        if word in known:
            continue
        dotted = f"{path}.{word}".strip(".")
        line = line_of(text, dotted)
        if near := nearest(word, known):
            raise DataError("unknown key; did you mean {near}?", file=file, line=line, key=dotted, near=near)
        raise DataError(
            "unknown key; known are {known}", file=file, line=line, key=dotted, known=", ".join(known)
        )


def line_of(text: str, dotted_path: str) -> int | None:
    """The line, from 1, on which a key of a TOML document is set (:func:`scanner.toml.line_of`).

    Args:
        text: the document.
        dotted_path: keys and, for the elements of an array, their positions from 0: ``fingerprint.0.name``.
    """
    parts = [part.strip("\"'") for part in _PART.findall(dotted_path)]
    return toml.line_of(text, tuple(_steps(tomllib.loads(text), parts)))


def _steps(value: object, parts: Iterable[str]) -> Iterator[str | int]:
    """The parts of a path, those that count elements as numbers."""
    for part in parts:
        step = int(part) if isinstance(value, list) and part.isdecimal() else part
        yield step
        match value:
            case dict():
                value = value.get(step)
            case list() if isinstance(step, int) and step < len(value):
                value = value[step]
            case _:
                value = None
