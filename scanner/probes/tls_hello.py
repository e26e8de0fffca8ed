"""The beginning of TLS, from SSL 3.0 to TLS 1.2: a ClientHello of ours, and what is answered in plain text.

Old systems speak versions and ciphers that this machine's OpenSSL no longer has. Up to TLS 1.2 a server tells
version, cipher and certificate before anything is encrypted: they are read without speaking any of them.
"""

from __future__ import annotations

import hashlib
import struct
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from scanner.errors import ProtocolError
from scanner.wire import Reader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from scanner.probes import Framing

VERSIONS: Final[Mapping[int, str]] = {
    0x0300: "SSL 3.0", 0x0301: "TLS 1.0", 0x0302: "TLS 1.1", 0x0303: "TLS 1.2", 0x0304: "TLS 1.3",
}  # fmt: skip

OFFERED: Final = 0x0303
"""The latest version that is offered here."""

_MODERN: Final[Mapping[int, str]] = {
    0xC02B: "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", 0xC02F: "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    0xC02C: "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", 0xC030: "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    0xCCA9: "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    0xCCA8: "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", 0x009E: "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256",
    0x009F: "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384", 0xC027: "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
    0x009C: "TLS_RSA_WITH_AES_128_GCM_SHA256", 0x009D: "TLS_RSA_WITH_AES_256_GCM_SHA384",
    0x003C: "TLS_RSA_WITH_AES_128_CBC_SHA256", 0x003D: "TLS_RSA_WITH_AES_256_CBC_SHA256",
}  # fmt: skip
"""[RFC 5288], [RFC 5289], [RFC 7905], [RFC 5246] A.5: what needs TLS 1.2."""
_OLD: Final[Mapping[int, str]] = {
    0xC009: "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", 0xC013: "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    0xC00A: "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", 0xC014: "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    0x0033: "TLS_DHE_RSA_WITH_AES_128_CBC_SHA", 0x0039: "TLS_DHE_RSA_WITH_AES_256_CBC_SHA",
    0x0032: "TLS_DHE_DSS_WITH_AES_128_CBC_SHA", 0x002F: "TLS_RSA_WITH_AES_128_CBC_SHA",
    0x0035: "TLS_RSA_WITH_AES_256_CBC_SHA", 0x0016: "TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA",
    0x0013: "TLS_DHE_DSS_WITH_3DES_EDE_CBC_SHA", 0x000A: "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
    0x0005: "TLS_RSA_WITH_RC4_128_SHA", 0x0004: "TLS_RSA_WITH_RC4_128_MD5",
    0x0009: "TLS_RSA_WITH_DES_CBC_SHA",
}  # fmt: skip
"""[RFC 8422] section 6, [RFC 3268], [RFC 2246] A.5: what servers before TLS 1.2 have, down to single DES."""
SUITES: Final = {**_MODERN, **_OLD}

_SECURE_RENEGOTIATION: Final = 0x00FF
"""[RFC 5746] 3.3: no suite, but a word to servers that insist on it; others skip what they do not know."""
_RANDOM: Final = hashlib.sha256(b"vetuste").digest()
"""It need not be unguessable: no key is ever agreed."""
_EXTENSIONS: Final = (
    (23, b""),  # extended master secret ([RFC 7627] 5.1), which some servers insist on
    (11, b"\x01\x00"),  # uncompressed points ([RFC 8422] 5.1.2)
    (10, bytes.fromhex("0008 001d 0017 0018 0019")),  # x25519, P-256, P-384, P-521 ([RFC 8422] 5.1.1)
    # [RFC 8446] 4.2.3, and those with DSA of [RFC 5246] 7.4.1.4.1
    (13, bytes.fromhex("001c 0403 0804 0401 0503 0805 0501 0603 0806 0601 0807 0203 0201 0402 0202")),
)
"""The last one is not empty, and a hello is shorter than 256 bytes: servers are known to hang over either."""

_ALERT: Final = 21
_HANDSHAKE: Final = 22
_HEAD: Final = struct.Struct(">BHH")
_LONGEST_RECORD: Final = (1 << 14) + 2048

_SERVER_HELLO: Final = 2
_CERTIFICATE: Final = 11
LONGEST_HELLO: Final = 1 << 10
_LONGEST_CERTIFICATE: Final = 60_000
_LISTED: Final = 10
"""Where the first certificate begins: behind the heads of the message, the list and the certificate."""

_SUPPORTED_VERSIONS: Final = 43
"""[RFC 8446] 4.2.1."""
_FATAL: Final = 2
_PROTOCOL_VERSION: Final = 70
_SPEAKS_MORE: Final = b"DOWNGRD\x01"
"""The end of a server's random number where it agrees to TLS 1.2 and speaks 1.3 too ([RFC 8446] 4.1.3)."""


class Refusal(NamedTuple):
    """How a server refuses ([RFC 5246] 7.2): the version of its record, and the alert in it."""

    version: int
    alert: int

    @property
    def is_modern(self) -> bool:
        """Whether it comes from a server that speaks TLS 1.2, or would speak a later version."""
        return self.version >= OFFERED or self.alert == _PROTOCOL_VERSION


class Agreed(NamedTuple):
    """What a ServerHello says ([RFC 5246] 7.4.1.3)."""

    versions: tuple[str, ...]
    """The one agreed to, and a later one that the server lets on to speak."""
    cipher: str


def client_hello(record: int, version: int, suites: Iterable[int], extensions: bytes) -> bytes:
    """A ClientHello ([RFC 5246] 7.4.1.2) in a record of its own ([RFC 5246] 6.2.1)."""
    listed = b"".join(suite.to_bytes(2, "big") for suite in (*suites, _SECURE_RENEGOTIATION))
    body = struct.pack(">H32sxH", version, _RANDOM, len(listed)) + listed + b"\x01\x00" + extensions
    message = b"\x01" + len(body).to_bytes(3, "big") + body
    return struct.pack(">BHH", _HANDSHAKE, record, len(message)) + message


def _listed_extensions() -> bytes:
    listed = b"".join(struct.pack(">HH", kind, len(data)) + data for kind, data in _EXTENSIONS)
    return len(listed).to_bytes(2, "big") + listed


HELLO: Final = client_hello(0x0301, OFFERED, SUITES, _listed_extensions())
"""To whoever speaks anything from SSL 3.0 to TLS 1.2."""
OLD_HELLO: Final = client_hello(0x0300, 0x0301, _OLD, b"")
"""To those that hang up at a version, a suite or an extension which they do not know ([RFC 5246] E.1)."""


def framing(is_whole: Callable[[bytes], bool], begun: bytes = b"") -> Framing:
    """The framing of whole records ([RFC 5246] 6.2.1), up to the one that brings what is waited for.

    Args:
        is_whole: whether it is among the handshake messages so far.
        begun: what of them came before.
    """
    said, at = begun, 0

    def until(received: bytes) -> int | None:
        nonlocal said, at
        for kind, _, body, end in _records(received, at):
            at = end
            if kind == _HANDSHAKE:
                said += body
            if _ends_it(body) if kind == _ALERT else is_whole(said):
                return end
        return None

    return until


def read(records: bytes) -> tuple[bytes, Refusal | None]:
    """The handshake messages in some records, and the refusal that ended them, where one did.

    Raises:
        ProtocolError: they are something else.
    """
    said = b""
    for kind, version, body, _ in _records(records, 0):
        if kind == _HANDSHAKE:
            said += body
        elif _ends_it(body):
            return said, Refusal(version, body[1])
    return said, None


def _records(received: bytes, at: int) -> Iterator[tuple[int, int, bytes, int]]:
    """The whole records from a position on: kind, version, content, end.

    Raises:
        ProtocolError: something else stands there.
    """
    while at < len(received):
        if received[at] not in {_ALERT, _HANDSHAKE} or received[at + 1 : at + 2] not in {b"", b"\3"}:
            raise ProtocolError(f"not the beginning of TLS: {received[at : at + 16].hex()}")
        if len(received) < at + _HEAD.size:
            return
        kind, version, length = _HEAD.unpack_from(received, at)
        if not 0 < length <= _LONGEST_RECORD:
            raise ProtocolError(f"a record of {length} bytes")
        start, at = at + _HEAD.size, at + _HEAD.size + length
        if len(received) < at:
            return
        yield kind, version, received[start:at], at


def _ends_it(alert: bytes) -> bool:
    """Whether an alert is fatal, or says goodbye ([RFC 5246] 7.2); other warnings are not heeded."""
    level, why = Reader(alert).bytes(2)
    return level == _FATAL or not why


def _message(said: bytes, at: int) -> tuple[int | None, int | None]:
    """A handshake message ([RFC 5246] 7.4): its kind and its end, as far as they have come."""
    kind = said[at] if len(said) > at else None
    end = at + 4 + int.from_bytes(said[at + 1 : at + 4], "big") if len(said) >= at + 4 else None
    return kind, end


def hello_is_whole(said: bytes) -> bool:
    """Whether the ServerHello has come.

    Raises:
        ProtocolError: something else comes, or more than a ServerHello.
    """
    kind, end = _message(said, 0)
    if kind not in {None, _SERVER_HELLO} or (end or 0) > LONGEST_HELLO:
        raise ProtocolError(f"not a ServerHello: {said[:8].hex()}")
    return end is not None and len(said) >= end


class Hello(NamedTuple):
    """What stands in a ServerHello."""

    version: int
    """The one agreed to, also where an extension says it ([RFC 8446] 4.2.1)."""
    random: bytes
    cipher: int

    @property
    def versions(self) -> tuple[str, ...]:
        """In words: the one agreed to, and a later one that the server lets on to speak."""
        more = ("TLS 1.3",) if self.random.endswith(_SPEAKS_MORE) else ()
        return (VERSIONS[self.version], *more) if self.version in VERSIONS else ()


def parse_server_hello(said: bytes) -> Hello:
    """Read the ServerHello, the first of some handshake messages, whatever was offered.

    Raises:
        ProtocolError: it is something else.
    """
    reader = Reader(said)
    reader.expect(bytes([_SERVER_HELLO]), "a ServerHello")
    with reader.fence(int.from_bytes(reader.bytes(3), "big"), "a ServerHello") as hello:
        version, random = hello.u16be(), hello.bytes(32)
        hello.skip(hello.u8())
        cipher = hello.u16be()
        selected = extension(Reader(hello.rest()[1:]), _SUPPORTED_VERSIONS)
    return Hello(int.from_bytes(selected) or version, random, cipher)


def extension(listed: Reader, wanted: int) -> bytes:
    """What an extension of a hello says ([RFC 5246] 7.4.1.4); nothing where the hello has none, or is cut."""
    with suppress(ProtocolError):
        extensions = listed.slice(listed.position + 2, listed.u16be())
        while extensions.remaining:
            kind, content = extensions.u16be(), extensions.bytes(extensions.u16be())
            if kind == wanted:
                return content
    return b""


def parse_hello(said: bytes) -> Agreed:
    """Read the ServerHello, the first of some handshake messages.

    Raises:
        ProtocolError: it is something else, or agrees to what was not offered.
    """
    hello = parse_server_hello(said)
    if hello.version not in VERSIONS or hello.version > OFFERED:
        raise ProtocolError(f"a version that was not offered: {hello.version:#06x}")
    return Agreed(hello.versions, SUITES.get(hello.cipher, f"{hello.cipher:#06x}"))


def certificate(said: bytes) -> bytes | None:
    """The first certificate after the ServerHello; empty where there is none, None while more is needed.

    Raises:
        ProtocolError: it is longer than any.
    """
    at = _message(said, 0)[1] or 0
    kind, end = _message(said, at)
    if kind not in {None, _CERTIFICATE}:
        return b""
    start = at + _LISTED
    if end is None or len(said) < min(start, end):
        return None
    stop = min(start + int.from_bytes(said[start - 3 : start], "big"), end)
    if stop - start > _LONGEST_CERTIFICATE:
        raise ProtocolError(f"a certificate of {stop - start} bytes")
    return said[start:stop] if len(said) >= stop else None


def certificate_is_whole(said: bytes) -> bool:
    """Whether the first certificate has come, or another message in its place."""
    return certificate(said) is not None
