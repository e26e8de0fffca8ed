"""The SQL Server browser probe: one byte, to which a host lists its instances ([MC-SQLR])."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner.errors import ProtocolError
from scanner.model import Transport
from scanner.probes import Learnt, Probe, Send, lines
from scanner.wire import Reader

if TYPE_CHECKING:
    from scanner.probes import Conversation, Peer

REQUEST: Final = b"\3"
"""CLNT_UCAST_EX ([MC-SQLR] 2.2.2): the instances of this one host."""
_RESPONSE: Final = b"\5"
_MOST_INSTANCES: Final = 50
"""As many can be installed on one host."""
_FIELDS: Final = {
    b"servername": "mssql.server",
    b"instancename": "mssql.instances",
    b"version": "mssql.browser_version",
}


def answers(datagram: bytes) -> int | None:
    """The framing: one SVR_RESP ([MC-SQLR] 2.2.5)."""
    return len(datagram) if datagram[:1] == _RESPONSE else None


def parse_response(datagram: bytes) -> dict[str, str | tuple[str, ...]]:
    """The evidence in an answer: pairs of names and values, an empty name after each instance.

    Raises:
        ProtocolError: it is shorter than it says, or lists nothing.
    """
    reader = Reader(datagram)
    reader.expect(_RESPONSE, "a list of instances")
    size = int.from_bytes(reader.bytes(2), "little")
    found: dict[str, list[str]] = {key: [] for key in _FIELDS.values()}
    for instance in reader.bytes(size).split(b";;")[:_MOST_INSTANCES]:
        words = instance.split(b";")
        for name, value in zip(words[::2], words[1::2], strict=False):
            key, text = _FIELDS.get(name.lower(), ""), lines.text(value)
            if key and text and text not in found[key]:
                found[key].append(text)
    if not found["mssql.instances"]:
        raise ProtocolError(f"no instances: {datagram[:24].hex()}")
    server = found.pop("mssql.server")[:1]
    evidence: dict[str, str | tuple[str, ...]] = {key: tuple(each) for key, each in found.items() if each}
    return {**evidence, "mssql.server": server[0]} if server else evidence


def converse(_peer: Peer) -> Conversation:
    """One question, one answer."""
    yield Learnt(parse_response((yield Send(REQUEST, answers))))


PROBE: Final = Probe(
    "mssql_browser",
    Transport.UDP,
    (1434,),
    tuple(_FIELDS.values()),
    converse,
    rank=57,
    size=len(REQUEST),
    logs=(
        "Nothing is known to be logged: clients of named instances ask the same. Since the Slammer worm, an "
        "intrusion detection may report whatever is sent to this port: tell it the scanner's address."
    ),
    trouble=(
        "None with what is sent. SQL Server 2000 before SP3 is overrun by other messages on this port, and "
        "answers one of them without end (MS02-039): they begin with 4, 8 or 10. Here a 3 is sent alone."
    ),
)
