"""The text of a file as it comes, and its lines: in UTF-8, or in UTF-16 where a byte order mark says so."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from scanner.errors import ConfigError
from scanner.imports.streams import LONGEST, chunks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scanner.imports import Source

Text: TypeAlias = "Iterator[str | ConfigError]"
"""Pieces of a text; what is wrong with what they are packed in is said last."""

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_MARK: Final = 3
"""Bytes of the longest mark."""


class Line(NamedTuple):
    """A line of a text."""

    number: int
    text: str
    ended: bool
    """Whether a line end closes it: the last one of a file that was cut off has none."""


def text_of(source: Source, pieces: Iterator[bytes | ConfigError] | None = None) -> Text:
    """The text of a file, some at a time; what is in no encoding becomes U+FFFD.

    Where a file was cut off within a character, that is left out.

    Args:
        source: the file.
        pieces: its bytes, where somebody has begun to read them.
    """
    decoder: codecs.IncrementalDecoder | None = None
    beginning = b""
    for chunk in chunks(source) if pieces is None else pieces:
        if isinstance(chunk, ConfigError):
            yield chunk
            return
        if decoder is not None:
            yield decoder.decode(chunk)
            continue
        beginning += chunk
        if len(beginning) >= _MARK:
            decoder, rest = _opened(beginning)
            yield decoder.decode(rest)
    if decoder is None:
        decoder, beginning = _opened(beginning)
        yield decoder.decode(beginning)


def _opened(beginning: bytes) -> tuple[codecs.IncrementalDecoder, bytes]:
    """What decodes a text that begins so, and what stands behind its mark."""
    for mark, name in _MARKS:
        if beginning.startswith(mark):
            return codecs.getincrementaldecoder(name)("replace"), beginning[len(mark) :]
    return codecs.getincrementaldecoder("utf-8")("replace"), beginning


def lines_of(text: Text, source: Source) -> Iterator[Line | ConfigError]:
    """The lines of a text; a line that is too long is said to be, and left out."""
    number, rest, lost = 1, "", False
    for piece in text:
        if isinstance(piece, ConfigError):
            yield piece
            return
        *whole, rest = (rest + piece).split("\n")
        for line in whole:
            if lost or len(line) > LONGEST:
                yield ConfigError("is longer than 1 MiB", file=source.name, line=number)
            else:
                yield Line(number, line.removesuffix("\r"), ended=True)
            number, lost = number + 1, False
        if len(rest) > LONGEST:
            rest, lost = "", True
    if lost:
        yield ConfigError("is longer than 1 MiB", file=source.name, line=number)
    elif rest:
        yield Line(number, rest, ended=False)
