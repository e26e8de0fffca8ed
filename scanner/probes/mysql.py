"""The MySQL probe: the greeting that a server sends before anyone logs on.

[MYSQL] is the client/server protocol of the MySQL Server Doxygen documentation ("Connection Phase").
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from scanner.errors import ProtocolError
from scanner.model import Transport
from scanner.probes import Learnt, Probe, Send, lines
from scanner.wire import Reader

if TYPE_CHECKING:
    from scanner.probes import Conversation, Peer

_HEADER: Final = 4
_VERSIONS: Final = b"\x09\x0a"
_ERROR: Final = b"\xff"
_KINDS: Final = _VERSIONS + _ERROR
_LONGEST: Final = 1 << 10
_QUOTED: Final = re.compile(r"'[^']*'")


def packet(received: bytes) -> int | None:
    """The framing of a server's first packet: a greeting, or an error ([MYSQL] "MySQL Packets")."""
    length = int.from_bytes(received[:3], "little")
    too_long = received[2:3] and not 1 < length <= _LONGEST
    if too_long or (received[4:5] and (received[3] or received[4] not in _KINDS)):
        raise ProtocolError(f"not a greeting of MySQL: {received[:8].hex()}")
    end = _HEADER + length
    return end if len(received) >= end > _HEADER + 1 else None


def parse_greeting(received: bytes) -> dict[str, str]:
    """The evidence in a greeting ([MYSQL] "Protocol::HandshakeV10"), or in the error that comes instead.

    Raises:
        ProtocolError: its version does not end.
    """
    reader = Reader(received, _HEADER)
    if reader.bytes(1) == _ERROR:
        code = reader.u16()
        # No SQL state stands before the message, which quotes the name of the scanner.
        message = _QUOTED.sub("''", lines.text(reader.rest()))
        return {"mysql.error": f"{code} {message}".strip()}
    version, end, _ = reader.rest().partition(b"\0")
    if not end:
        raise ProtocolError("a version that does not end")
    text = lines.text(version)
    return {"mysql.version": text} if text else {}


def converse(_peer: Peer) -> Conversation:
    """The server speaks first, and nothing is said to it."""
    found = parse_greeting((yield Send(b"", packet, _HEADER + _LONGEST)))
    if found:
        yield Learnt(found)


def redact(raw: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """An error quotes the name of whoever called; a greeting quotes nobody."""
    return tuple(
        re.sub(rb"'[^']*'", b"''", answer) if answer[_HEADER : _HEADER + 1] == _ERROR else answer
        for answer in raw
    )


PROBE: Final = Probe(
    "mysql",
    Transport.TCP,
    (3306,),
    ("mysql.version", "mysql.error"),
    converse,
    rank=70,
    size=0,
    logs=(
        "That somebody connected and left: counted in Aborted_connects, and written to the error log as an "
        "aborted connection of an unauthenticated user, from log_error_verbosity 3 (MySQL) or log_warnings 2 "
        "(MariaDB, the default) on."
    ),
    trouble=(
        "After max_connect_errors connections in a row that never logged on (100; 10 in old releases) a "
        "server takes no more from the scanner's own address; nobody else is affected (MySQL Reference "
        "Manual, Host 'host_name' is blocked). A visit makes one."
    ),
    redact=redact,
)
