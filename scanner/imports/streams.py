"""The bytes of a file as they come: counted and summed, unpacked where they are packed, cut into lines."""

from __future__ import annotations

import gzip
import hashlib
import io
import zlib
from typing import IO, TYPE_CHECKING, Any, Final, TypeVar

from scanner.errors import ConfigError
from scanner.imports import CutShortError
from scanner.jsonl import parsed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from _typeshed import WriteableBuffer

    from scanner.imports import Source

LONGEST: Final = 1 << 20
"""The longest line that is read, in bytes."""
CHUNK: Final = 1 << 18
_GZIP: Final = b"\x1f\x8b"
_MARK: Final = b"\xef\xbb\xbf"
"""The byte order mark that some editors begin a file with."""

_Part = TypeVar("_Part")
_Value = TypeVar("_Value")
_Read = TypeVar("_Read")


class Watched(io.RawIOBase):
    """A stream of which is known how much was read, and its sum."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._digest = hashlib.sha256()
        self.size = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Read what fits, as :class:`io.RawIOBase` has it."""
        view = memoryview(buffer)
        data = self._stream.read(len(view))
        view[: len(data)] = data
        self.size += len(data)
        self._digest.update(data)
        return len(data)

    @property
    def digest(self) -> str:
        """SHA-256 of what was read, in hexadecimal."""
        return self._digest.hexdigest()


def unpacked(stream: io.RawIOBase) -> io.BufferedIOBase:
    """The stream, or what is packed in it where it is gzip's."""
    buffered = io.BufferedReader(stream, CHUNK)
    if not buffered.peek(len(_GZIP)).startswith(_GZIP):
        return buffered
    return gzip.GzipFile(fileobj=buffered)


def chunks(source: Source) -> Iterator[bytes | ConfigError]:
    """The bytes of a file, some at a time; where what they are packed in is broken, that is said last."""
    return _unbroken(source, iter(lambda: source.stream.read1(CHUNK), b""))


def values(source: Source) -> Iterator[tuple[int, Any] | ConfigError]:
    """The JSON values of a file that has one a line, each with its line's number, or what is wrong with it.

    A last line that no line end closes and that is no JSON is one that was cut off while it was written.
    """
    for number, raw in enumerate(_unbroken(source, _lines(source.stream)), start=1):
        if isinstance(raw, ConfigError):
            yield raw
            return
        try:
            line = _content(raw)
            if line not in _FRAME:
                yield number, parsed(line)
        except ConfigError as error:
            cut = raw is not None and not raw.endswith(b"\n")
            yield CutShortError(file=source.name, line=number) if cut else error.at(source.name, number)


def each_read(
    found: Iterable[tuple[int, _Value] | ConfigError],
    source: Source,
    read: Callable[[_Value], Iterable[_Read]],
) -> Iterator[_Read | ConfigError]:
    """What the values of a file say, one after the other; what is wrong with one is said of its line.

    Args:
        found: the values, each with its line's number, or what is wrong there.
        source: the file.
        read: what one value says; raises ConfigError where it is no such thing.
    """
    for each in found:
        if isinstance(each, ConfigError):
            yield each
            continue
        line, value = each
        try:
            yield from read(value)
        except ConfigError as error:
            yield error.at(source.name, line)


_FRAME: Final = (b"", b"[", b"]", b"{finished: 1}")
"""Lines that say nothing: what stands around and between the values of a list, and masscan's old farewell."""


def _content(line: bytes | None) -> bytes:
    """A line without what stands around its value."""
    if line is None:
        raise ConfigError("is longer than 1 MiB")
    return line.removeprefix(_MARK).strip(b" \t\r\n,")


def _lines(stream: io.BufferedIOBase) -> Iterator[bytes | None]:
    """Lines with their ends; None for one that is too long, which is passed over to its end."""
    while raw := stream.readline(LONGEST + 1):
        if len(raw) <= LONGEST or raw.endswith(b"\n"):
            yield raw
            continue
        while part := stream.readline(LONGEST):
            if part.endswith(b"\n"):
                break
        yield None


def _unbroken(source: Source, parts: Iterator[_Part]) -> Iterator[_Part | ConfigError]:
    try:
        yield from parts
    except EOFError:
        yield CutShortError(file=source.name)
    except (gzip.BadGzipFile, zlib.error):
        yield ConfigError("is damaged: what stood whole before was taken", file=source.name)
