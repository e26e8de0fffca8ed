"""SQL Server: the version of a server, the machine and the library of a client ([MS-TDS]).

Since SQL Server 2005 a logon is encrypted as a rule. Where it is not, who logs on is passed over.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from scanner.capture import tokens
from scanner.capture.machines import machine
from scanner.capture.telling import Hear, Side, StreamSource, Told
from scanner.errors import ProtocolError
from scanner.probes import lines, mssql, ntlm
from scanner.wire import Reader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scanner.capture.telling import Direction, Hearing

_PRELOGIN: Final = 0x12
_LOGIN: Final = 0x10
_SSPI: Final = 0x11
_FIRST_NAME: Final = 36
_NAME_SIZE: Final = 4
_HOST, _LIBRARY, _CLIENT_ID = 0, 6, 9
"""Places in the list of a logon ([MS-TDS] 2.2.6.4)."""
_CLIENT_ID_SIZE: Final = 6
_STEPS: Final = 4


def hear_client(_direction: Direction) -> Hearing:
    """The logon of a client, where it is in clear."""
    for _ in range(_STEPS):
        message = yield Hear(framing)
        if message[0] == _LOGIN:
            yield from parse_login(message)
        elif message[0] == _SSPI:
            yield from tokens.told(message[8:])
        elif message[0] != _PRELOGIN:
            return


def framing(received: bytes) -> int | None:
    """The framing of a client's message of one packet ([MS-TDS] 2.2.3.1).

    Raises:
        ProtocolError: it is none that comes before a session.
    """
    if received and received[0] not in {_PRELOGIN, _LOGIN, _SSPI}:
        raise ProtocolError(f"not a logon of TDS: {received[:8].hex()}")
    length = int.from_bytes(received[2:4], "big")
    return length if len(received) > 8 and len(received) >= length > 8 else None  # noqa: PLR2004 - the header


def parse_login(message: bytes) -> Iterator[Told]:
    """Machine, library and NTLM in a logon ([MS-TDS] 2.2.6.4).

    Raises:
        ProtocolError: a field lies outside of it.
    """
    login = Reader(message[8:])
    host = machine(_text(login, _HOST))
    found = {"netbios.name": host, "mssql.library": _text(login, _LIBRARY)}
    if told := {key: value for key, value in found.items() if value}:
        yield Told(told, Side.CLIENT)
    login.seek(_FIRST_NAME + _CLIENT_ID * _NAME_SIZE + _CLIENT_ID_SIZE)
    offset, length = login.u16(), login.u16()
    yield from tokens.told(login.slice(offset, length).rest())


def _text(login: Reader, place: int) -> str:
    login.seek(_FIRST_NAME + place * _NAME_SIZE)
    offset, characters = login.u16(), login.u16()
    return lines.text(ntlm.utf16(login.slice(offset, 2 * characters).rest()).encode()) if characters else ""


def hear_server(_direction: Direction) -> Hearing:
    """The answer to a pre-login, and NTLM's challenge."""
    said = mssql.parse_prelogin((yield Hear(mssql.framing, limit=1 << 9)))
    yield Told({"mssql.version": said["mssql.version"]})
    yield from tokens.told((yield Hear(mssql.framing, limit=1 << 10)))


_ASKS: Final = re.compile(rb"[\x10\x12]\x01..\0\0", re.DOTALL)
_ANSWERS: Final = re.compile(rb"\x04\x01\0.{5}\0\0", re.DOTALL)
SOURCES: Final = (
    StreamSource("mssql", ("netbios.name", "mssql.library", *tokens.KEYS), _ASKS, hear_client),
    StreamSource("mssql", ("mssql.version", *tokens.KEYS), _ANSWERS, hear_server),
)
