"""Answers of directories made for tests, with lengths of four bytes as Active Directory writes them."""

from __future__ import annotations

import warnings
from typing import Any


def element(tag: int, *contents: bytes) -> bytes:
    content = b"".join(contents)
    return bytes([tag, 0x84]) + len(content).to_bytes(4, "big") + content


def octets(value: bytes | str) -> bytes:
    return b"\4" + bytes([len(value)]) + (value.encode() if isinstance(value, str) else value)


def message(*operation: bytes, number: int = 1) -> bytes:
    return element(0x30, bytes([2, 1, number]), *operation)


def entry(attributes: dict[str, list[str] | list[bytes]], number: int = 1) -> bytes:
    """[RFC 4511] 4.5.2: a SearchResultEntry of the root."""
    listed = (
        element(0x30, octets(name), element(0x31, *map(octets, values)))
        for name, values in attributes.items()
    )
    return message(element(0x64, octets(b""), element(0x30, *listed)), number=number)


def done(code: int = 0) -> bytes:
    """[RFC 4511] 4.5.2: a SearchResultDone."""
    return message(element(0x65, bytes([10, 1, code]), octets(b""), octets(b"")))


def read_by_another(raw: bytes) -> Any:  # noqa: ANN401 - what it gives has no types
    """An LDAPMessage as ldap3 and pyasn1 read it, to its last byte."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the one calls the other by old names
        from ldap3.protocol.rfc4511 import LDAPMessage  # type: ignore[import-untyped]  # noqa: PLC0415 - it warns
        from pyasn1.codec.ber import decoder  # type: ignore[import-untyped]  # noqa: PLC0415 - the same

        read, rest = decoder.decode(raw, asn1Spec=LDAPMessage())
    assert not rest
    return read["protocolOp"]
