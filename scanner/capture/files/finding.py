"""Which captures there are under the paths that somebody names, and in which order they are read."""

from __future__ import annotations

import math
import os
import stat
import sys
from contextlib import closing, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, NamedTuple, NoReturn

from scanner.capture.files.capture import Capture
from scanner.errors import ConfigError, VetusteError
from scanner.wire import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

STANDARD_INPUT: Final = "-"
_PEEK: Final = 1 << 16
"""Bytes of a file that are looked at to know when it begins."""
_NAMED: Final = 5
"""Names that a complaint has at most."""


@dataclass(frozen=True)
class Captures:
    """What there is to be read."""

    each: tuple[Capture, ...]
    """In the order in which they are to be read."""
    foreign: tuple[str, ...]
    """Files in directories that are no captures."""

    @property
    def complaint(self) -> VetusteError | None:
        """One line that names the files that are no captures, where there are any."""
        if not self.foreign:
            return None
        names, others = ", ".join(self.foreign[:_NAMED]), len(self.foreign) - _NAMED
        if others <= 0:
            return VetusteError("no captures, passed over: {names}", names=names)
        return VetusteError("no captures, passed over: {names} and {others} more", names=names, others=others)


class _File(NamedTuple):
    at: float
    """When its first packet was there, in seconds since 1970; endless: it has none."""
    path: str
    capture: Capture


@dataclass
class _Found:
    """What was found so far."""

    files: list[_File] = field(default_factory=list)
    streams: list[Capture] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    seen: set[tuple[int, int]] = field(default_factory=set)
    """Files and directories, by device and number: each is read once, by whatever names and links."""

    def new(self, status: os.stat_result) -> bool:
        """Whether a file was not met before."""
        which = status.st_dev, status.st_ino
        if which in self.seen:
            return False
        self.seen.add(which)
        return True


def captures(paths: Iterable[str | os.PathLike[str]], standard: IO[bytes] | None = None) -> Captures:
    """The captures that paths name; of each file, no more than its beginning is read.

    Files are in the order of their first packets' times, so that those that one capture was cut into come
    right, whatever their names; those without a packet come after them. What can be read only once, and so
    cannot be looked into (a pipe), comes last, in the order named.

    Args:
        paths: files; directories, which stand for every capture in them and below; ``-``, standard input.
        standard: what is read as standard input.

    Raises:
        ConfigError: a path is not there, or may not be read.
    """
    found = _Found()
    for path in paths:
        if path == STANDARD_INPUT:
            found.streams.append(_standard(standard))
            continue
        try:
            _named(found, Path(path))
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise ConfigError("cannot be read: {why}", file=printable(str(path)), why=why) from error
    files = sorted(found.files, key=lambda file: (file.at, file.path))
    return Captures((*(file.capture for file in files), *found.streams), tuple(found.foreign))


def _named(found: _Found, path: Path) -> None:
    """Take a path that was named; what is wrong with it is an error."""
    status = path.stat()
    if not found.new(status):
        return
    if stat.S_ISDIR(status.st_mode):
        os.scandir(path).close()
        _directory(found, path)
    elif stat.S_ISREG(status.st_mode):
        path.open("rb").close()
        found.files.append(_File(_begins(_capture(path, status)), str(path), _capture(path, status)))
    else:
        found.streams.append(_capture(path, None))


def _directory(found: _Found, top: Path) -> None:
    """Take every capture in a directory and below, and remember what is none."""
    pending = [top]
    while pending:
        folder = pending.pop()
        try:
            inside = sorted(folder.iterdir())
        except OSError as error:
            found.files.append(_File(math.inf, str(folder), _refused(folder, error)))
            continue
        for path in inside:
            try:
                status = path.stat()
            except OSError:  # a link to nothing
                found.foreign.append(printable(str(path)))
                continue
            if not found.new(status):
                continue
            if stat.S_ISDIR(status.st_mode):
                pending.append(path)
            else:
                _inside(found, path, status)


def _inside(found: _Found, path: Path, status: os.stat_result) -> None:
    """Take a file of a directory, if it is a capture; what is no file is not even opened."""
    if stat.S_ISREG(status.st_mode):
        begun = _capture(path, status)
        at = _begins(begun)
        if not begun.foreign:
            found.files.append(_File(at, str(path), _capture(path, status)))
            return
    found.foreign.append(printable(str(path)))


def _capture(path: Path, status: os.stat_result | None) -> Capture:
    return Capture(printable(str(path)), lambda: path.open("rb"), None if status is None else status.st_size)


def _standard(stream: IO[bytes] | None) -> Capture:
    if stream is None and sys.stdin is None:  # it was closed when we began
        raise ConfigError("standard input is closed", file=STANDARD_INPUT)
    chosen: IO[bytes] = sys.stdin.buffer if stream is None else stream
    return Capture(STANDARD_INPUT, lambda: nullcontext(chosen))


def _refused(path: Path, error: OSError) -> Capture:
    """What stands for a directory that may not be read: the others are."""

    def refuse() -> NoReturn:
        raise error

    return Capture(printable(str(path)), refuse)


def _begins(capture: Capture) -> float:
    """When the first packet of a capture was there, which is read for it; endless: there is none."""
    with closing(capture.frames(_PEEK)) as frames:
        return next((frame.at for frame in frames), math.inf)
