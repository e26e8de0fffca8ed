"""Logons with NTLM in protocols of text lines ([MS-SMTPNTLM], [MS-OXIMAP4], [MS-POP3]), from either end.

Its messages are in base64, a line each, as names and passwords of other logons are: of all of them only what
NTLM says of a machine is told.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from scanner.capture import tokens
from scanner.capture.sources.tls import hear_tls
from scanner.capture.telling import Hear
from scanner.errors import ProtocolError
from scanner.probes import lines, sasl

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scanner.capture.telling import Direction, Hearing, Told

STEPS: Final = 8
"""Commands and answers of a connection that may lead to NTLM or TLS."""
_TOKEN: Final = re.compile(rb"[A-Za-z0-9+/]{16,}={0,2}\r?\n")
_LINE: Final = lines.line(sasl.LONGEST)


def hear_commands(direction: Direction, goes_on: re.Pattern[bytes], secures: re.Pattern[bytes]) -> Hearing:
    """A client's commands, up to the first that has nothing to do with a logon by NTLM.

    Args:
        direction: the client's.
        goes_on: a command after which NTLM or TLS may come.
        secures: the command after which TLS begins.
    """
    for _ in range(STEPS):
        said = yield Hear(_LINE)
        if secures.match(said):
            yield from hear_tls(direction)
            return
        if _TOKEN.fullmatch(said):
            yield from ntlm(said)
        elif not goes_on.match(said):
            return


def ntlm(line: bytes) -> Iterator[Told]:
    """What NTLM in a line, in base64, says of its sender; nothing of any other line."""
    try:
        token = sasl.decoded(line)
    except ProtocolError:
        return
    yield from tokens.told(token)
