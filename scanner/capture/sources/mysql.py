"""MySQL: the greeting of a server, before anyone logs on ([MYSQL] "Protocol::HandshakeV10")."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from scanner.capture.telling import Hear, Side, StreamSource, Told
from scanner.probes import mysql

if TYPE_CHECKING:
    from scanner.capture.telling import Direction, Hearing


def hear(direction: Direction) -> Hearing:
    """The version of a server; errors, which name who was refused, are not listened to."""
    if direction.side is Side.SERVER and direction.begun:
        said = mysql.parse_greeting((yield Hear(mysql.packet)))
        if said:
            yield Told(said)


_BEGINS: Final = re.compile(rb"..\0\0[\x09\x0a][1-9]", re.DOTALL)
SOURCES: Final = (StreamSource("mysql", ("mysql.version",), _BEGINS, hear, ports=(3306,)),)
