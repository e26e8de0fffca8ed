"""Certificates ([RFC 5280] 4.1), as far as they can be read: what is broken is left out, the rest stands."""

from __future__ import annotations

import hashlib
import re
from contextlib import suppress
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

from scanner.errors import ProtocolError
from scanner.probes import lines
from scanner.probes.der import INTEGER, OCTETS, OID, SEQUENCE, SET, dotted, enter, next_element
from scanner.wire import Reader, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

KEYS: Final = (
    "tls.subject",
    "tls.issuer",
    "tls.names",
    "tls.not_before",
    "tls.not_after",
    "tls.key",
    "tls.signature",
    "tls.certificate",
)

_ATTRIBUTES: Final[Mapping[str, str]] = {
    "2.5.4.3": "CN", "2.5.4.5": "SERIALNUMBER", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST",
    "2.5.4.10": "O", "2.5.4.11": "OU", "0.9.2342.19200300.100.1.25": "DC",
}  # fmt: skip
"""What is read of a name ([RFC 4514] section 3, [RFC 4519]); what names a person, an address of mail among
it, is not."""

_ALGORITHMS: Final[Mapping[str, str]] = {
    "1.2.840.113549.1.1.1": "RSA", "1.2.840.113549.1.1.2": "RSA with MD2",
    "1.2.840.113549.1.1.4": "RSA with MD5", "1.2.840.113549.1.1.5": "RSA with SHA-1",
    "1.2.840.113549.1.1.10": "RSA-PSS", "1.2.840.113549.1.1.11": "RSA with SHA-256",
    "1.2.840.113549.1.1.12": "RSA with SHA-384", "1.2.840.113549.1.1.13": "RSA with SHA-512",
    "1.3.14.3.2.29": "RSA with SHA-1", "1.2.840.10040.4.1": "DSA", "1.2.840.10040.4.3": "DSA with SHA-1",
    "2.16.840.1.101.3.4.3.2": "DSA with SHA-256", "1.2.840.10045.2.1": "EC", "1.2.840.10045.3.1.7": "P-256",
    "1.3.132.0.34": "P-384", "1.3.132.0.35": "P-521", "1.2.840.10045.4.1": "ECDSA with SHA-1",
    "1.2.840.10045.4.3.2": "ECDSA with SHA-256", "1.2.840.10045.4.3.3": "ECDSA with SHA-384",
    "1.2.840.10045.4.3.4": "ECDSA with SHA-512", "1.3.101.112": "Ed25519",
}  # fmt: skip
"""[RFC 3279] 2.2 and 2.3, [RFC 4055] section 5, [RFC 5480] 2.1.1, [RFC 5758] 3.2, [RFC 8410] section 3."""

_SUBJECT_ALT_NAME: Final = "2.5.29.17"
_DNS_NAME: Final = 0x82
_ADDRESS: Final = 0x87
_ADDRESS_SIZES: Final = (4, 16)
_VERSION: Final = 0xA0
_EXTENSIONS: Final = 0xA3
_BIT_STRING: Final = 0x03
_LONG_FORM: Final = 0x80
_WIDE: Final[Mapping[int, str]] = {0x1E: "utf-16-be", 0x1C: "utf-32-be"}
_STRINGS: Final = frozenset({0x0C, 0x12, 0x13, 0x14, 0x16, 0x1A, *_WIDE})
"""UTF8String, NumericString, PrintableString, TeletexString, IA5String, VisibleString, BMP, Universal."""
_UTC_TIME: Final = 0x17
_TURN: Final = b"50"
"""[RFC 5280] 4.1.2.5.1: the two digits of a year from which on it is of the last century."""
_MOST_NAMES: Final = 32
_MOST_ELEMENTS: Final = 64

_TIME: Final = re.compile(rb"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?Z")
_SPECIAL: Final = re.compile(r'[,+"\\<>;]')


def facts(der: bytes) -> dict[str, str | tuple[str, ...]]:
    """The evidence in a certificate; of what cannot be read, there is none."""
    if not der:
        return {}
    found: dict[str, str | tuple[str, ...]] = {}
    fields = list(_elements(_inside(_inside(Reader(der)))))
    if fields and fields[0][0] == _VERSION:
        del fields[0]
    readers: tuple[tuple[int, str, Callable[[Reader], str]], ...] = (
        (1, "tls.signature", _algorithm),
        (2, "tls.issuer", _name),
        (3, "tls.not_before", _beginning),
        (3, "tls.not_after", _end),
        (4, "tls.subject", _name),
        (5, "tls.key", _key),
    )
    for position, key, read in readers:
        if position < len(fields) and fields[position][0] == SEQUENCE:
            with suppress(ProtocolError, ValueError):
                found[key] = read(_again(fields[position][1]))
    for tag, content in fields:
        if tag == _EXTENSIONS:
            found["tls.names"] = tuple(dict.fromkeys(_alternative_names(content)))[:_MOST_NAMES]
    found["tls.certificate"] = hashlib.sha256(der).hexdigest()
    return {key: value for key, value in found.items() if value}


def _inside(reader: Reader) -> Reader:
    """Behind the head of an element, as far as there are bytes: of a cut one, what came is read."""
    with suppress(ProtocolError):
        length = reader.bytes(2)[1]
        reader.skip(length - _LONG_FORM if length & _LONG_FORM else 0)
    return reader


def _again(content: Reader) -> Reader:
    """A reader that nobody has read from yet."""
    return Reader(content.data, content.position, content.end)


def _elements(reader: Reader) -> Iterator[tuple[int, Reader]]:
    """The elements that follow each other, up to the first that is not whole."""
    with suppress(ProtocolError):
        for _ in range(_MOST_ELEMENTS):
            if not reader.remaining:
                return
            yield next_element(reader)


def _algorithm(content: Reader) -> str:
    """The first object identifier of an AlgorithmIdentifier ([RFC 5280] 4.1.1.2)."""
    number = dotted(enter(content, OID, "an algorithm"))
    return _ALGORITHMS.get(number, printable(number))


def _name(content: Reader) -> str:
    """A name ([RFC 5280] 4.1.2.4) as [RFC 4514] writes it, the most telling part first."""
    parts = []
    for tag, one in _elements(content):
        if tag == SET and (text := "+".join(_pairs(one))):
            parts.append(text)
    return printable(",".join(reversed(parts)))


def _pairs(content: Reader) -> Iterator[str]:
    for _, pair in _elements(content):
        with suppress(ProtocolError):
            label = _ATTRIBUTES.get(dotted(enter(pair, OID, "an attribute")), "")
            tag, value = next_element(pair)
            text = _text(tag, value.rest())
            if label and text:
                yield f"{label}={_SPECIAL.sub(_escaped, text)}"


def _escaped(found: re.Match[str]) -> str:
    return "\\" + found[0]


def _text(tag: int, raw: bytes) -> str:
    if tag in _WIDE:
        return printable(raw.decode(_WIDE[tag], "replace").strip(" \0"))
    return lines.text(raw) if tag in _STRINGS else ""


def _beginning(content: Reader) -> str:
    return _time(*next_element(content))


def _end(content: Reader) -> str:
    next_element(content)
    return _time(*next_element(content))


def _time(tag: int, content: Reader) -> str:
    """[RFC 5280] 4.1.2.5, in ISO 8601.

    Raises:
        ValueError: no calendar has it.
    """
    raw = content.rest()
    if tag == _UTC_TIME:
        raw = (b"20" if raw[:2] < _TURN else b"19") + raw
    if not (found := _TIME.fullmatch(raw)):
        return ""
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups())
    moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    return moment.isoformat().replace("+00:00", "Z")


def _key(content: Reader) -> str:
    """A SubjectPublicKeyInfo ([RFC 5280] 4.1.2.7): its algorithm, and how strong it is where that is told."""
    algorithm = enter(content, SEQUENCE, "a key")
    name = _algorithm(algorithm)
    with suppress(ProtocolError):
        if name == "EC":
            return f"EC {_algorithm(algorithm)}"
        if name == "RSA":
            bits = enter(content, _BIT_STRING, "a key")
            bits.skip(1)
            modulus = enter(enter(bits, SEQUENCE, "a key"), INTEGER, "a modulus").rest()
            return f"RSA {int.from_bytes(modulus, 'big').bit_length()}"
    return name


def _alternative_names(extensions: Reader) -> Iterator[str]:
    """The names of hosts and the addresses in a subjectAltName ([RFC 5280] 4.2.1.6)."""
    with suppress(ProtocolError):
        for _, extension in _elements(enter(extensions, SEQUENCE, "extensions")):
            if dotted(enter(extension, OID, "an extension")) == _SUBJECT_ALT_NAME:
                for tag, value in _elements(extension):
                    if tag == OCTETS:
                        yield from filter(None, map(_host, _elements(enter(value, SEQUENCE, "names"))))
                return


def _host(name: tuple[int, Reader]) -> str:
    tag, content = name
    raw = content.rest()
    if tag == _ADDRESS and len(raw) in _ADDRESS_SIZES:
        return str(ip_address(raw))
    return lines.text(raw) if tag == _DNS_NAME else ""
