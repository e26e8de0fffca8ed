"""The PostgreSQL probe: whether a server speaks TLS, and its certificate.

[PG] is the chapter "Frontend/Backend Protocol" of the PostgreSQL documentation. A server tells its version to
users only: none is named here, and no session begins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner.errors import ProtocolError
from scanner.model import Transport
from scanner.probes import Learnt, Probe, Send, tls, x509

if TYPE_CHECKING:
    from scanner.probes import Conversation, Peer

SSL_REQUEST: Final = bytes.fromhex("00000008 04d2162f")
"""[PG] "Message Formats": SSLRequest, 80877103."""

_ANSWERS: Final = {b"S": "yes", b"N": "no"}


def answer(received: bytes) -> int | None:
    """The framing of the answer, one byte ([PG] "SSL Session Encryption").

    Who speaks on with words has said a greeting of another protocol: "SSH-2.0", "NOTICE".
    """
    if received and (received[:1] not in _ANSWERS or received[1:2].isalpha()):
        raise ProtocolError(f"not an answer of PostgreSQL: {received[:8].hex()}")
    return 1 if received else None


def converse(_peer: Peer) -> Conversation:
    """Ask for TLS, and begin it where it is granted."""
    said = yield Send(SSL_REQUEST, answer, limit=1)
    yield Learnt({"postgresql.ssl": _ANSWERS[said]})
    if said == b"S":
        yield from tls.secure("postgresql.tls")


def redact(raw: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Answers without certificates."""
    return raw[:1] + tls.redact(raw[1:])


PROBE: Final = Probe(
    "postgresql",
    Transport.TCP,
    (5432,),
    ("postgresql.ssl", "postgresql.tls", *x509.KEYS),
    converse,
    rank=72,
    exchanges=2,
    size=len(SSL_REQUEST),
    logs=(
        "Nothing, unless log_connections is on: then that a connection was received (PostgreSQL "
        "documentation, Error Reporting and Logging). Where TLS was begun, that the connection ended, if it "
        "is reset."
    ),
    trouble="None is known: clients ask so before every session (libpq, sslmode prefer).",
    redact=redact,
)
