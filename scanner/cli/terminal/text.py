"""Making text safe and measured for a terminal."""

from __future__ import annotations

import json
import re
import unicodedata

_KEPT = "\u00a0\u202f"
"""The no-break spaces of French typography: not printable to Python, harmless to terminals."""
_NOT_ASCII = re.compile(r"[^\x20-\x7e]")


def safe(text: str) -> str:
    """``text`` on one line, without a character that a terminal would obey.

    Line ends and tabs become spaces, every other control character, separator and bidirectional mark U+FFFD.
    """
    if text.isprintable():
        return text
    return "".join(_shown(character) for character in text)


def _shown(character: str) -> str:
    if character.isprintable() or character in _KEPT:
        return character
    return " " if character in "\t\r\n" else "\ufffd"


def json_line(value: object) -> str:
    """``value`` as JSON on one line: accents readable, control characters and bidirectional marks escaped."""
    line = json.dumps(value, ensure_ascii=False)
    if line.isprintable():
        return line
    return _NOT_ASCII.sub(lambda found: _escaped(found[0]), line)


def _escaped(character: str) -> str:
    return character if character.isprintable() else json.dumps(character)[1:-1]


def columns(text: str) -> int:
    """How many columns of a terminal ``text`` takes."""
    if text.isascii():
        return len(text)
    return sum(_width(character) for character in text)


def _width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def split(text: str, width: int) -> tuple[str, str]:
    """The beginning of ``text`` that takes at most ``width`` columns, and what is left."""
    if columns(text) <= width:
        return text, ""
    used = 0
    for place, character in enumerate(text):
        used += _width(character)
        if used > width:
            return text[:place], text[place:]
    return text, ""


def cut(text: str, width: int) -> str:
    """``text`` in at most ``width`` columns, with an ellipsis where something was left out."""
    return text if columns(text) <= width else f"{split(text, width - 1)[0]}…"


def padded(text: str, width: int, *, right: bool = False) -> str:
    """``text`` in exactly ``width`` columns."""
    text = cut(text, width)
    blank = " " * (width - columns(text))
    return blank + text if right else text + blank
