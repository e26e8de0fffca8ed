"""What was once made of checked data, kept in the user's cache directory for the next start.

Only what passed every rule is kept, under a name that changes with every byte that it was made of: the data,
the code that checks it, and Python. So nothing in here is ever out of date, and all of it may be deleted.

Nothing depends on it: where it cannot be read or written, is damaged, or others could have written it, the
data is read and checked as if there were none. It is JSON, which can hold no code.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
import stat
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

T = TypeVar("T")

_CHECKERS: Final = ("cache.py", "data.py", "toml.py", "model.py", "fingerprints", "lifecycle", "classify")
"""The code that decides what is kept, and how."""
_OF_EACH: Final = 3
"""How many files of a kind are left; older ones are deleted."""
_OTHERS: Final = 0o022
"""Rights of others to write."""
_LARGEST: Final = 1 << 28
_UNUSABLE: Final = (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError)
"""What reading a file may raise, whatever is in it."""
_ABANDONED: Final = 3600
"""Seconds after which a file that was being written belongs to nobody."""
_UNFINISHED: Final = ".new"


@dataclass(frozen=True, slots=True)
class Form(Generic[T]):
    """A kind of thing that is kept."""

    kind: str
    """A word for it; no dash."""
    pack: Callable[[T], object]
    """Makes JSON of one."""
    unpack: Callable[[Any], T]
    """The reverse."""


def remembered(form: Form[T], version: str, read: Callable[[], T], *, still: Callable[[], bool]) -> T:
    """What was kept, or else what ``read`` gives, which is then kept.

    Args:
        form: what it is.
        version: of all the data that it is made of.
        read: makes it, and raises where a rule is broken: then nothing is kept.
        still: whether the data is still of that version, once it was read.
    """
    with suppress(*_UNUSABLE), _uncollected():
        return form.unpack(_recall(f"{form.kind}-{version}-{_program()}.json"))
    content = json.dumps(form.pack(read()), ensure_ascii=False, separators=(",", ":"))
    with suppress(OSError):
        if still():
            _keep(f"{form.kind}-{version}-{_program()}.json", content.encode())
    # What reading made is more than anybody asks for: its room is free now.
    return form.unpack(json.loads(content))


@contextmanager
def _uncollected() -> Iterator[None]:
    """Nothing that is read here is rubbish: looking for some, again and again, takes as long as reading."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


@cache
def _program() -> str:
    """Twelve hexadecimal digits that change with the code that checks, and with Python.

    Raises:
        OSError: the program was installed without its sources, so nobody can say which one it is.
    """
    digest = hashlib.sha256(sys.version.encode())
    package = Path(__file__).parent
    for file in sorted(file for part in _CHECKERS for file in _sources(package / part)):
        digest.update(file.name.encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def _sources(place: Path) -> Iterable[Path]:
    return [place] if place.suffix else place.glob("*.py")


def _folder() -> Path:
    """``vetuste`` in the user's cache directory, there or not.

    Raises:
        OSError: this user has none.
    """
    home = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if home.is_absolute():  # any other is to be ignored, says the specification
        return home / "vetuste"
    try:
        return Path.home() / ".cache" / "vetuste"
    except RuntimeError as error:
        raise FileNotFoundError from error


def _demand_ours(status: os.stat_result, kind: Callable[[int], bool]) -> None:
    if not kind(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & _OTHERS:
        raise PermissionError


def _sealed(name: str, content: bytes) -> bytes:
    """The first line of a file: what it is, and the digest of the rest."""
    return f"{name} {hashlib.sha256(content).hexdigest()}\n".encode()


def _recall(name: str) -> object:
    """The content of a file.

    Raises:
        OSError: it is not there, or others could have written it.
        ValueError: it is damaged.
    """
    folder = _folder()
    _demand_ours(folder.lstat(), stat.S_ISDIR)
    descriptor = os.open(folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:  # noqa: PTH123 - a descriptor has no path
        status = os.fstat(descriptor)
        _demand_ours(status, stat.S_ISREG)
        seal, content = file.readline(4096), file.read(min(status.st_size, _LARGEST))
    if seal != _sealed(name, content):
        raise ValueError(name)
    found: object = json.loads(content)
    return found


def _keep(name: str, content: bytes) -> None:
    """Write a file at once or not at all, and delete older ones."""
    import tempfile  # noqa: PLC0415 - 3 ms, where something is written

    folder = _folder()
    _make(folder)
    _demand_ours(folder.lstat(), stat.S_ISDIR)
    descriptor, unfinished = tempfile.mkstemp(_UNFINISHED, "", folder)  # 0600
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor has no path
            file.write(_sealed(name, content))
            file.write(content)
        Path(unfinished).replace(folder / name)
    except BaseException:
        Path(unfinished).unlink(missing_ok=True)
        raise
    _tidy(folder, name)


def _make(folder: Path) -> None:
    """Make the directory; root makes none in the home of somebody else, who could not use it."""
    above = next(each for each in folder.parents if each.exists())
    if not os.geteuid() and above.stat().st_uid:
        raise PermissionError
    folder.parent.mkdir(0o700, parents=True, exist_ok=True)
    folder.mkdir(0o700, exist_ok=True)


def _tidy(folder: Path, newest: str) -> None:
    """Delete all but the last few files of the kind of the newest, and what was left unfinished."""
    now = (folder / newest).stat().st_mtime
    kind = newest.partition("-")[0]
    times: list[tuple[float, Path]] = []
    for file in folder.iterdir():
        with suppress(OSError):  # another process may tidy as well
            changed = file.lstat().st_mtime
            if file.name.startswith(f"{kind}-") and file.name != newest:
                times.append((changed, file))
            elif file.suffix == _UNFINISHED and changed < now - _ABANDONED:
                file.unlink()
    for _, file in sorted(times, reverse=True)[_OF_EACH - 1 :]:
        with suppress(OSError):
            file.unlink()
