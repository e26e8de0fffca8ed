"""What TLS servers answer, and certificates, made here for what no recording has."""

from __future__ import annotations

import struct

ALERT = 21
HANDSHAKE = 22


def record(body: bytes, version: int = 0x0301, kind: int = HANDSHAKE) -> bytes:
    return struct.pack(">BHH", kind, version, len(body)) + body


def alert(why: int, version: int = 0x0301, level: int = 2) -> bytes:
    return record(bytes([level, why]), version, ALERT)


def message(kind: int, body: bytes) -> bytes:
    return bytes([kind]) + len(body).to_bytes(3, "big") + body


def server_hello(version: int = 0x0301, cipher: int = 0x0005, random: bytes = bytes(32)) -> bytes:
    return message(2, version.to_bytes(2, "big") + random + b"\x04same" + struct.pack(">Hx", cipher))


def certificates(*listed: bytes) -> bytes:
    chain = b"".join(len(one).to_bytes(3, "big") + one for one in listed)
    return message(11, len(chain).to_bytes(3, "big") + chain)


def element(tag: int, *contents: bytes) -> bytes:
    content = b"".join(contents)
    size = len(content)
    return (
        bytes([tag, 0x82]) + size.to_bytes(2, "big") + content if size > 127 else bytes([tag, size]) + content
    )


def attribute(number: str, value: bytes, tag: int = 0x0C) -> bytes:
    """A pair of a name; the number is the content of its object identifier, in hexadecimal."""
    return element(0x30, element(6, bytes.fromhex(number)), element(tag, value))


def name(*pairs: bytes) -> bytes:
    return element(0x30, *(element(0x31, pair) for pair in pairs))


CN = "550403"
RSA = element(0x30, element(6, bytes.fromhex("2a864886f70d010101")), b"\x05\0")
SHA1_RSA = element(0x30, element(6, bytes.fromhex("2a864886f70d010105")), b"\x05\0")
KEY = element(
    0x30, RSA, element(3, b"\0", element(0x30, element(2, b"\0\x80" + bytes(63)), element(2, b"\3")))
)
VALIDITY = element(0x30, element(0x17, b"080102030405Z"), element(0x17, b"080703030405Z"))
SERIAL = element(2, b"\1")
VERSION_3 = element(0xA0, element(2, b"\2"))
SERVER = name(attribute(CN, b"SRV2003"))


def alternative_names(*names: bytes) -> bytes:
    extension = element(0x30, element(6, bytes.fromhex("551d11")), element(4, element(0x30, *names)))
    return element(0xA3, element(0x30, extension))


def certificate(  # noqa: PLR0913 - the fields of one structure
    *,
    signature: bytes = SHA1_RSA,
    issuer: bytes = SERVER,
    validity: bytes = VALIDITY,
    subject: bytes = SERVER,
    key: bytes = KEY,
    rest: bytes = b"",
) -> bytes:
    """A certificate of which any part may be what it should not be."""
    body = element(0x30, VERSION_3, SERIAL, signature, issuer, validity, subject, key, rest)
    return element(0x30, body, signature, element(3, bytes(65)))
