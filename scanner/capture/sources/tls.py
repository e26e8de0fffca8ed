"""TLS and SSL 3.0: what a client offers, what a server agrees to, and its certificate up to TLS 1.2.

A client's certificate, which may name a person, comes later in its direction, and is not listened to.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from scanner.capture.telling import Hear, Side, StreamSource, Told
from scanner.errors import ProtocolError
from scanner.probes import tls_hello, x509
from scanner.wire import Reader

if TYPE_CHECKING:
    from scanner.capture.telling import Direction, Hearing

KEYS: Final = ("tls.offered", *x509.KEYS)
"""The evidence keys of :func:`hear_tls`, besides the one for the version."""
_CLIENT_HELLO: Final = 1
_HELLOS: Final = frozenset({b"", b"\1", b"\2"})
_LONGEST: Final = 1 << 13
"""Bytes of a hello; a client's with keys that withstand quantum computers has two thousand."""
_SUPPORTED_VERSIONS: Final = 43
_LAST_WITH_CERTIFICATE: Final = 0x0303


def hear_tls(_direction: Direction, version_key: str = "tls.version") -> Hearing:
    """One direction of TLS from its first record on: of a connection, or behind what began it.

    Args:
        _direction: whose it is: which end speaks shows by its hello.
        version_key: the evidence key of the version that is agreed to.
    """
    said, _ = tls_hello.read((yield Hear(tls_hello.framing(_is_whole), _LONGEST)))
    if said[:1] == bytes([_CLIENT_HELLO]):
        if offered := parse_client_hello(said):
            yield Told({"tls.offered": offered}, Side.CLIENT)
        return
    hello = tls_hello.parse_server_hello(_first(said))
    if not hello.versions:
        return
    yield Told({version_key: hello.versions})
    if hello.version > _LAST_WITH_CERTIFICATE:
        return
    certificate = tls_hello.certificate(said)
    if certificate is None:
        more, _ = tls_hello.read((yield Hear(tls_hello.framing(tls_hello.certificate_is_whole, said))))
        certificate = tls_hello.certificate(said + more)
    if certificate:
        yield Told(x509.facts(certificate))


def _first(said: bytes) -> bytes:
    """The first handshake message ([RFC 5246] 7.4); others may share its record."""
    return said[: 4 + int.from_bytes(said[1:4], "big")]


def _is_whole(said: bytes) -> bool:
    """Whether the hello of either end has come.

    Raises:
        ProtocolError: something else comes.
    """
    if said[:1] not in _HELLOS:
        raise ProtocolError(f"not a hello: {said[:8].hex()}")
    return len(said) >= 4 + int.from_bytes(said[1:4].ljust(3, b"\xff"), "big")


def parse_client_hello(said: bytes) -> str:
    """The latest version that a ClientHello offers ([RFC 5246] 7.4.1.2, [RFC 8446] 4.2.1); empty: none known.

    Raises:
        ProtocolError: it is something else.
    """
    reader = Reader(_first(said))
    reader.expect(bytes([_CLIENT_HELLO]), "a ClientHello")
    reader.skip(3)
    version = reader.u16be()
    reader.skip(32)
    reader.skip(reader.u8())
    reader.skip(reader.u16be())
    reader.skip(reader.u8())
    listed = tls_hello.extension(reader, _SUPPORTED_VERSIONS)[1:]
    offered = {int.from_bytes(listed[at : at + 2]) for at in range(0, len(listed), 2)} or {version}
    return tls_hello.VERSIONS.get(max(offered & tls_hello.VERSIONS.keys(), default=0), "")


_BEGINS: Final = re.compile(rb"\x16\x03[\0-\4]..(?:[\1\2]\0|\Z)|\x15\x03[\0-\3]\0\x02\x01", re.DOTALL)
"""A handshake, or a warning before it: that a server has not the name which it was asked for."""
_VERSION_KEYS: Final = {3389: "rdp.tls", 5432: "postgresql.tls"}
"""Where TLS begins behind another protocol, of which the beginning may not have been heard."""


def hear(direction: Direction) -> Hearing:
    """TLS on a connection of its own."""
    return hear_tls(direction, _VERSION_KEYS.get(direction.service, "tls.version"))


SOURCES: Final = (StreamSource("tls", ("tls.version", *_VERSION_KEYS.values(), *KEYS), _BEGINS, hear),)
