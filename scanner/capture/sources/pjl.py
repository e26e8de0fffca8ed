"""PJL: what a printer answers to ``@PJL INFO ID`` (HP, Printer Job Language Technical Reference Manual).

What is printed goes the other way, and is not heard.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from scanner.capture.telling import Hear, Side, StreamSource, Told
from scanner.probes import lines

if TYPE_CHECKING:
    from scanner.capture.telling import Direction, Hearing

_PORTS: Final = (9100,)


def hear(direction: Direction) -> Hearing:
    """The line after the question, repeated by the printer."""
    if direction.service not in _PORTS or direction.side is Side.CLIENT:
        return
    yield Hear(lines.line())
    if said := lines.text((yield Hear(lines.line()))):
        yield Told({"pjl.id": said})


SOURCES: Final = (StreamSource("pjl", ("pjl.id",), re.compile(rb"@PJL INFO ID *\r?\n"), hear, _PORTS),)
