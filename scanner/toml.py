"""Where a key stands in a TOML text: ``tomllib`` does not say.

The text is cut into statements, and ``tomllib`` is asked about ever closer beginnings of it: what a statement
means is left to the parser.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_left
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_TOKEN: Final = re.compile(
    r"""\#[^\n]* | \"{3} (?: [^"\\] | \\. | "(?!"") )* \"{3,5} | '{3} .*? '{3,5}
    | " (?: [^"\\\n] | \\. )* " | ' [^'\n]* ' | [\[\]{}\n]""",
    re.DOTALL | re.VERBOSE,
)
"""Comments, strings, brackets and ends of lines: TOML 1.0, sections "Comment", "String", "Array"."""


def line_of(text: str, path: Sequence[str | int]) -> int | None:
    """The line, from 1, of the statement that gives the key at ``path``, or the element of its array.

    Args:
        text: a valid TOML text.
        path: keys and, for elements of arrays, indices from 0: ``("ward", 1, "name")``.

    Returns:
        The line; that of the nearest table above, where the path itself is not there; None where that is the
        whole text.
    """
    whole = tomllib.loads(text)
    for length in range(len(path), 0, -1):
        if _holds(whole, path[:length]):
            return _find(text, path[:length])
    return None


def _holds(value: object, path: Sequence[str | int]) -> bool:
    for step in path:
        match value:
            case dict() if step in value:
                value = value[step]
            case list() if isinstance(step, int) and step < len(value):
                value = value[step]
            case _:
                return False
    return True


def _line_ends(text: str) -> Iterator[tuple[int, int]]:
    """For each line, the number of lines up to its end, and how many brackets are open there.

    Ends of lines inside a string are not among them.
    """
    lines = depth = 0
    for token in _TOKEN.finditer(text):
        match token[0]:
            case "\n":
                lines += 1
                yield lines, depth
            case "[" | "{":
                depth += 1
            case "]" | "}":
                depth -= 1
            case other:
                lines += other.count("\n")
    yield lines + 1, depth


def _find(text: str, path: Sequence[str | int]) -> int:
    lines = text.split("\n")
    ends = list(_line_ends(text))
    statements = [count for count, depth in ends if not depth]
    last = bisect_left(
        statements, x=True, key=lambda count: _holds(tomllib.loads("\n".join(lines[:count])), path)
    )
    start = statements[last - 1] if last else 0
    if isinstance(path[-1], int):
        inside = [count for count, depth in ends if start < count < statements[last] and depth == 1]
        wanted = path[-1]
        place = bisect_left(inside, x=True, key=lambda count: _elements(lines[start:count]) > wanted)
        if inside:
            return inside[place] if place < len(inside) else statements[last]
    return start + 1


def _elements(beginning: Sequence[str]) -> int:
    """How many elements the array has that a statement begins."""
    value: object = tomllib.loads("\n".join([*beginning, "]"]))
    while isinstance(value, dict):
        value = next(iter(value.values()))
    return len(value) if isinstance(value, list) else 0
