"""FTP: a server's greeting, before anybody is named ([RFC 959] 5.4)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from scanner.capture.greetings import impersonal
from scanner.capture.telling import Hear, Side, StreamSource, Told
from scanner.probes import lines, replies

if TYPE_CHECKING:
    from scanner.capture.telling import Direction, Hearing


def hear(direction: Direction) -> Hearing:
    """The first reply of a server; later ones, and all that a client says, name people and files."""
    if direction.side is Side.SERVER and direction.begun:
        said = impersonal(replies.greeting((yield Hear(lines.reply())), b"220"))
        if said:
            yield Told({"ftp.banner": said})


SOURCES: Final = (StreamSource("ftp", ("ftp.banner",), re.compile(rb"220[ -]"), hear, ports=(21,)),)
