"""The IPP probe: a printer's model and firmware, by Get-Printer-Attributes ([RFC 8011] 4.2.5).

The port is a refused one: it is spoken to only where the site file names it. A question prints nothing.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from scanner.model import Transport
from scanner.probes import Probe, http1, lines
from scanner.probes.http import Course
from scanner.probes.http_redaction import redact
from scanner.wire import Reader

if TYPE_CHECKING:
    from scanner.probes import Conversation, Peer

_VERSION: Final = b"\1\1"
"""1.1, which printers of every age answer ([RFC 8011] 4.1.8)."""
_GET_PRINTER_ATTRIBUTES: Final = 0x000B
_OPERATION_GROUP, _END_GROUP, _LAST_DELIMITER = 0x01, 0x03, 0x0F
_KEYWORD, _URI, _CHARSET, _LANGUAGE = 0x44, 0x45, 0x47, 0x48
"""[RFC 8010] 3.5.1 and 3.5.2."""
_MOST_VALUES: Final = 16

_KEYS: Final = {
    "printer-make-and-model": "ipp.model",
    "printer-firmware-name": "ipp.firmware",
    "printer-firmware-string-version": "ipp.firmware_version",
    "ipp-versions-supported": "ipp.versions",
}
"""What is asked for ([RFC 8011] 5.4, [PWG 5100.13] 5.6): none of it names a person or a place."""


def _attribute(tag: int, name: str, value: str) -> bytes:
    """An attribute with one value ([RFC 8010] 3.1.4); without a name, one more value of the one before."""
    return struct.pack(f">BH{len(name)}sH", tag, len(name), name.encode(), len(value)) + value.encode()


def question(host: str) -> bytes:
    """The request's body ([RFC 8010] 3.1, [RFC 8011] 4.2.5.1)."""
    first, *others = _KEYS
    return b"".join(
        (
            _VERSION,
            struct.pack(">HIB", _GET_PRINTER_ATTRIBUTES, 1, _OPERATION_GROUP),
            _attribute(_CHARSET, "attributes-charset", "utf-8"),
            _attribute(_LANGUAGE, "attributes-natural-language", "en"),
            _attribute(_URI, "printer-uri", f"ipp://{host}/ipp/print"),
            _attribute(_KEYWORD, "requested-attributes", first),
            *(_attribute(_KEYWORD, "", other) for other in others),
            bytes([_END_GROUP]),
        )
    )


def parse_attributes(body: bytes) -> dict[str, tuple[str, ...]]:
    """The evidence in an answer ([RFC 8010] 3.1): the values of what was asked for, in whatever group.

    Raises:
        ProtocolError: it is no answer to the question, or not whole.
    """
    reader = Reader(body)
    reader.skip(4)  # the version and the status: a printer that refuses says less
    reader.expect(b"\0\0\0\1", "an answer to our question")
    found: dict[str, list[str]] = {}
    name = ""
    while (tag := reader.u8()) != _END_GROUP:
        if tag <= _LAST_DELIMITER:
            continue
        name = reader.bytes(reader.u16be()).decode("latin-1") or name
        value = lines.text(reader.bytes(reader.u16be()))
        if name in _KEYS and value:
            found.setdefault(_KEYS[name], []).append(value)
    return {key: tuple(values[:_MOST_VALUES]) for key, values in found.items()}


def converse(peer: Peer) -> Conversation:
    """The conversation with one printer, or one print server."""
    course = Course(peer)
    body = question(http1.host(peer))
    answer = yield from course.ask("POST /ipp/print", "Content-Type: application/ipp", body=body)
    if not answer:
        return
    yield from course.learn({"http.server": lines.text(answer.value("server"))})
    heard, _ = yield from course.body(answer)
    if answer.status == 200 and answer.value("content-type").startswith(b"application/ipp"):  # noqa: PLR2004 - "OK"
        yield from course.learn(parse_attributes(heard))


PROBE: Final = Probe(
    "ipp",
    Transport.TCP,
    (631,),
    (*_KEYS.values(), "http.server"),
    converse,
    rank=90,
    exchanges=2,
    size=1024,
    logs=(
        "At most one line of an access log: CUPS writes one for a question only where AccessLogLevel is all, "
        "which it usually is not (cupsd.conf(5)); printers that keep a log of visits may show one."
    ),
    trouble=(
        "None with this question, which every print client asks. But some printers put on paper whatever "
        "reaches their other ports: so this port too is asked only where the site file names it."
    ),
    redact=redact,
)
