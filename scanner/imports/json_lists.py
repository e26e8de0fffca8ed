"""Objects of lists in a JSON document of any size, of which only the one at hand is kept."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from scanner.errors import ConfigError
from scanner.imports import CutShortError
from scanner.imports.streams import LONGEST
from scanner.jsonl import parsed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scanner.imports import Source
    from scanner.imports.decoding import Text

_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*(?:"|(?P<open>\Z|\\\Z))|[][{}]', re.DOTALL)
_BETWEEN: Final = re.compile(r"[\s,]*")
_SCALAR: Final = re.compile(r"[^\s,\]]+(?=[\s,\]])")
_DEEPER: Final = {"{": 1, "[": 1, "}": -1, "]": -1}
_NAME: Final = 64
"""Characters that the name of a list, with what follows it, takes at most."""


def objects_of(text: Text, source: Source, name: str) -> Iterator[tuple[int, Any] | ConfigError]:
    """The objects of every list that has a name in the document, each with the line where it begins."""
    lists = _Lists(source, name)
    for piece in text:
        if isinstance(piece, ConfigError):
            yield piece
            return
        yield from lists.take(piece)
        if lists.lost:
            return
    if not lists.whole:
        yield CutShortError(file=source.name, line=lists.line)


class _Lists:
    """Makes objects of pieces of a document."""

    def __init__(self, source: Source, name: str) -> None:
        self._source = source
        self._opening = re.compile(rf'"{re.escape(name)}"\s*:\s*\[')
        self._rest, self._place, self._inside = "", 0, False
        self._seen, self._depth = 0, 0
        self.line = 1
        self.lost = False
        """Whether nothing more can be found, which has been said."""

    @property
    def whole(self) -> bool:
        """Whether the document may end here."""
        return not self._inside and self._rest[self._place :].rstrip().endswith(("}", "]"))

    def take(self, piece: str) -> Iterator[tuple[int, Any] | ConfigError]:
        """The objects that end in a piece, and what is wrong with it."""
        self._rest, self._place = self._rest[self._place :] + piece, 0
        while self._at_a_value():
            end = self._end()
            if end is None:
                if len(self._rest) - self._place > LONGEST:
                    self.lost = True
                    yield ConfigError(
                        "begins an object of more than 1 MiB: what stood whole before was taken",
                        file=self._source.name,
                        line=self.line,
                    )
                return
            try:
                yield self.line, _object(self._rest[self._place : end])
            except ConfigError as error:
                yield error.at(self._source.name, self.line)
            self._advance(end)

    def _at_a_value(self) -> bool:
        """Go to the next value of a list; False where it has not come yet."""
        while True:
            if not self._inside:
                found = self._opening.search(self._rest, self._place)
                if found is None:
                    self._advance(max(self._place, len(self._rest) - _NAME))
                    return False
                self._advance(found.end())
                self._inside = True
            between = _BETWEEN.match(self._rest, self._place)
            self._advance(between.end() if between else self._place)
            if not self._rest.startswith("]", self._place):
                return self._place < len(self._rest)
            self._advance(self._place + 1)
            self._inside = False

    def _end(self) -> int | None:
        """Where the value at hand ends; None where its end has not come yet."""
        if self._rest[self._place] not in '{["':
            scalar = _SCALAR.match(self._rest, self._place)
            return scalar.end() if scalar else None
        for token in _TOKEN.finditer(self._rest, self._place + self._seen):
            if token["open"] is not None:
                break
            self._seen = token.end() - self._place
            self._depth += _DEEPER.get(token[0], 0)
            if self._depth <= 0:
                return token.end()
        return None

    def _advance(self, place: int) -> None:
        self.line += self._rest.count("\n", self._place, place)
        self._place, self._seen, self._depth = place, 0, 0


def _object(text: str) -> Any:  # noqa: ANN401 - JSON is anything
    if not text.startswith("{"):
        raise ConfigError("is no object")
    return parsed(text.encode("utf-8", "replace"))
