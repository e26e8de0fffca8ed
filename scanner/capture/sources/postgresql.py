"""PostgreSQL: whether a server grants TLS, and its certificate ([PG] "SSL Session Encryption").

What a client says after its wish for TLS names a user and a database, and is not listened to.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from scanner.capture.sources.tls import KEYS as TLS_KEYS
from scanner.capture.sources.tls import hear_tls
from scanner.capture.telling import Hear, Side, StreamSource, Told
from scanner.probes import postgresql

if TYPE_CHECKING:
    from scanner.capture.telling import Direction, Hearing

_LENGTH: Final = len(postgresql.SSL_REQUEST)
_VERSION: Final = "postgresql.tls"
_GRANTED: Final = {b"S": "yes", b"N": "no"}
_REQUESTED: Final = "postgresql.requested"


def hear_client(direction: Direction) -> Hearing:
    """The wish for TLS, and its hello where it is granted."""
    yield Hear(lambda received: _LENGTH if len(received) >= _LENGTH else None)
    direction.shared[_REQUESTED] = True
    yield from hear_tls(direction, _VERSION)


def hear_server(direction: Direction) -> Hearing:
    """The answer to such a wish."""
    if direction.side is not Side.SERVER or _REQUESTED not in direction.shared:
        return
    said = yield Hear(postgresql.answer, limit=1)
    yield Told({"postgresql.ssl": _GRANTED[said]})
    if said == b"S":
        yield from hear_tls(direction, _VERSION)


_ASKS: Final = re.compile(re.escape(postgresql.SSL_REQUEST), re.DOTALL)
SOURCES: Final = (
    StreamSource("postgresql", TLS_KEYS, _ASKS, hear_client),
    StreamSource(
        "postgresql",
        ("postgresql.ssl", _VERSION, *TLS_KEYS),
        re.compile(rb"[SN]\Z"),
        hear_server,
        ports=(5432,),
    ),
)
