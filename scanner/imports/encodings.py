"""The text of a file that somebody saved: in UTF-8, in UTF-16 with its mark, or as old Windows writes it."""

from __future__ import annotations

import codecs
from itertools import chain
from typing import TYPE_CHECKING, Final

from scanner.errors import ConfigError
from scanner.imports.decoding import text_of
from scanner.imports.streams import LONGEST, chunks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scanner.imports import Source
    from scanner.imports.decoding import Text

_OLD: Final = "cp1252"
"""How Windows writes the languages of Western Europe where it does not write UTF-8 or UTF-16."""
_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_MARK: Final = 3


def text_of_any(source: Source) -> Text:
    """The text of a file, some at a time. Each line that is no UTF-8 is taken for Windows-1252.

    Where a file was cut off within a character, that is left out.
    """
    pieces = chunks(source)
    beginning, broken = b"", []
    for chunk in pieces:
        if isinstance(chunk, ConfigError):
            broken = [chunk]
            break
        beginning += chunk
        if len(beginning) >= _MARK:
            break
    whole = chain([beginning], broken, pieces)
    if beginning.startswith(_UTF_16):
        return text_of(source, whole)
    return _eight_bits(whole)


def _eight_bits(pieces: Iterator[bytes | ConfigError]) -> Text:
    """Text of bytes, line by line."""
    rest = b""
    is_first = True
    for piece in pieces:
        if isinstance(piece, ConfigError):
            yield _line(rest)
            yield piece
            return
        data = rest + piece
        if is_first:
            data, is_first = data.removeprefix(codecs.BOM_UTF8), False
        end = data.rfind(b"\n") + 1
        whole, rest = data[:end], data[end:]
        if len(rest) > LONGEST:
            whole, rest = data, b""
        yield "".join(map(_line, whole.splitlines(keepends=True)))
    yield _line(rest)


def _line(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.reason == "unexpected end of data":
            return raw[: error.start].decode("utf-8")
        return raw.decode(_OLD, "replace")
