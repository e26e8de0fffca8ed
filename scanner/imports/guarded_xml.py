"""XML of strangers, through expat, as it comes: what makes it dangerous is refused, and memory is bounded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NoReturn, Protocol
from xml.parsers import expat

from scanner.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

DEEPEST: Final = 32
"""Tags within tags."""
LONGEST: Final = 8 << 20
"""Bytes of one tag with its attributes, or of one comment: expat holds them all until they end."""


class Target(Protocol):
    """Who is told what stands in the document."""

    def start(self, name: str, attributes: Mapping[str, str], depth: int) -> None:
        """A tag opens; the document's own has depth 1."""

    def end(self, name: str, depth: int) -> None:
        """A tag closes."""

    def text(self, data: str) -> None:
        """Text, some at a time."""


class Document:
    """A document being read.

    It raises ConfigError where the document declares anything (entities, that is; a document type that is
    only named does no harm), nests its tags too deeply or has one that is too long, and ExpatError where it
    is no XML.
    """

    def __init__(self, target: Target) -> None:
        self._target, self._depth, self._pending = target, 0, 0
        self._parser = expat.ParserCreate("UTF-8")  # whatever it declares: codecs of Python's would be asked
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = _doctype
        self._parser.EntityDeclHandler = _refused
        self._parser.ExternalEntityRefHandler = _refused
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.CommentHandler = self._passed_over

    @property
    def line(self) -> int:
        """Where it is, from 1."""
        return self._parser.CurrentLineNumber

    def feed(self, chunk: bytes) -> None:
        """Read on."""
        self._pending += len(chunk)
        self._parser.Parse(chunk, False)  # noqa: FBT003 - expat takes it by place only
        if self._pending > LONGEST:
            raise ConfigError("is refused: one of its tags is longer than 8 MiB")

    def close(self) -> None:
        """Nothing more comes."""
        self._parser.Parse(b"", True)  # noqa: FBT003 - the same

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._pending = 0
        self._depth += 1
        if self._depth > DEEPEST:
            raise ConfigError("is refused: its tags are nested too deeply")
        self._target.start(name, attributes, self._depth)

    def _end(self, name: str) -> None:
        self._pending = 0
        self._target.end(name, self._depth)
        self._depth -= 1

    def _text(self, data: str) -> None:
        self._pending = 0
        self._target.text(data)

    def _passed_over(self, _: str) -> None:
        self._pending = 0


def broken(document: Document, chunk: bytes | None) -> expat.ExpatError | None:
    """Read on, or to the end where nothing more comes; where it is no XML any more, why."""
    try:
        if chunk is None:
            document.close()
        else:
            document.feed(chunk)
    except expat.ExpatError as error:
        return error
    return None


def _doctype(_name: str, _system: str | None, _public: str | None, declares: int) -> None:
    if declares:
        _refused()


def _refused(*_: object) -> NoReturn:
    raise ConfigError("is refused: it declares entities or other things of its own, which no scanner does")
