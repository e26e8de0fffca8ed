"""Elements of ASN.1 in BER and DER ([X.690] 8.1): what SPNEGO, LDAP, SNMP and certificates are made of.

Lengths are definite, tags one byte: nothing that is read here uses another form.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner.errors import ProtocolError

if TYPE_CHECKING:
    from scanner.wire import Reader

INTEGER: Final = 0x02
OCTETS: Final = 0x04
NULL: Final = 0x05
OID: Final = 0x06
ENUMERATED: Final = 0x0A
SEQUENCE: Final = 0x30
SET: Final = 0x31

_LONG_FORM: Final = 0x80
_LONG_TAG: Final = 0x1F
_MOST_LENGTH_BYTES: Final = 4
_MORE: Final = 0x80
_LONGEST_OID: Final = 128
"""Most sub-identifiers of an object identifier (RFC 2578 section 3.5)."""


def element(tag: int, *contents: bytes) -> bytes:
    """An element, its contents one after the other."""
    content = b"".join(contents)
    size = len(content)
    if size < _LONG_FORM:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, _LONG_FORM + len(length)]) + length + content


def integer(value: int, tag: int = INTEGER) -> bytes:
    """A number that is not negative, in as few bytes as can be ([X.690] 8.3)."""
    return element(tag, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def object_identifier(dotted: str) -> bytes:
    """An object identifier ([X.690] 8.19)."""
    first, second, *rest = map(int, dotted.split("."))
    return element(OID, b"".join(map(_base128, (first * 40 + second, *rest))))


def _base128(number: int) -> bytes:
    groups = [number & 0x7F]
    while number := number >> 7:
        groups.append(number & 0x7F | _MORE)
    return bytes(reversed(groups))


def next_element(reader: Reader) -> tuple[int, Reader]:
    """The next element: its tag, and a reader over its content.

    Raises:
        ProtocolError: it is not whole, or of a form that nothing here uses.
    """
    tag, length = reader.bytes(2)
    if tag & _LONG_TAG == _LONG_TAG:
        raise ProtocolError(f"ASN.1: a tag of several bytes, {tag:#04x}")
    if length & _LONG_FORM:
        count = length - _LONG_FORM
        if not 1 <= count <= _MOST_LENGTH_BYTES:
            raise ProtocolError(f"ASN.1: a length of {count} bytes")
        length = int.from_bytes(reader.bytes(count), "big")
    content = reader.slice(reader.position, length)
    reader.position = content.end
    return tag, content


def enter(reader: Reader, wanted: int, what: str) -> Reader:
    """A reader over the content of the next element, which must have this tag.

    Raises:
        ProtocolError: it has another one.
    """
    tag, content = next_element(reader)
    if tag != wanted:
        raise ProtocolError(f"{what}: element {tag:#04x} where {wanted:#04x} belongs")
    return content


def number(content: Reader) -> int:
    """The number in the content of an INTEGER or ENUMERATED, in two's complement ([X.690] 8.3)."""
    return int.from_bytes(content.rest(), "big", signed=True)


def dotted(content: Reader) -> str:
    """The object identifier in the content of an element: ``1.3.6.1.4.1.311``.

    Raises:
        ProtocolError: it is empty, longer than any, or its last part is not whole.
    """
    parts: list[int] = []
    value = 0
    raw = content.rest()
    if not raw or len(raw) > _LONGEST_OID or raw[-1] & _MORE:
        raise ProtocolError(f"not an object identifier: {raw[:16].hex()}")
    for byte in raw:
        value = value << 7 | byte & 0x7F
        if not byte & _MORE:
            parts.append(value)
            value = 0
    first = min(parts[0] // 40, 2)
    return ".".join(map(str, (first, parts[0] - first * 40, *parts[1:])))


def framing(received: bytes) -> int | None:
    """The framing of one element: how LDAP and CredSSP delimit their messages over TCP.

    Raises:
        ProtocolError: what comes is no SEQUENCE.
    """
    if received[:1] not in {b"", b"\x30"}:
        raise ProtocolError(f"not an ASN.1 sequence: {received[:8].hex()}")
    if len(received) < 2:  # noqa: PLR2004 - a tag and a first length byte
        return None
    count = received[1] - _LONG_FORM if received[1] & _LONG_FORM else 0
    if count > _MOST_LENGTH_BYTES or received[1] == _LONG_FORM:
        raise ProtocolError(f"ASN.1: a length of {count} bytes")
    head = 2 + count
    if len(received) < head:
        return None
    end = head + (int.from_bytes(received[2:head], "big") if count else received[1])
    return end if len(received) >= end else None
