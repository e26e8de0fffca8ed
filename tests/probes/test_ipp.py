"""The IPP probe: a printer's recorded answer, a print server's, and hostile ones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.errors import ProbeError, ProtocolError
from scanner.model import Endpoint
from scanner.probes import ipp
from tests.probes.conversation import Replay
from tests.probes.told import Told
from tests.probes.web import answer

CUPS = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nContent-Type: application/ipp\r\n%b\r\n"
PRINTER = (
    b"\1\1\0\0\0\0\0\1\1G\0\x12attributes-charset\0\5utf-8H\0\x1battributes-natural-language\0\2en\4"
    b"A\0\x16printer-make-and-model\0\x13Acme Ward Printer 9"
    b"D\0\x16ipp-versions-supported\0\0031.1D\0\0\0\0032.0\3"
)
NO_PRINTER = (
    b"\1\1\4\6\0\0\0\1\1G\0\x12attributes-charset\0\5utf-8H\0\x1battributes-natural-language\0\2en"
    b"A\0\x0estatus-message\0$The printer or class does not exist.\3"
)
OLD_PRINTER = (
    b"\1\0\0\1\0\0\0\1\1G\0\x12attributes-charset\0\5utf-8\5D\0\x14requested-attributes\0\x15printer-firmware-name"
    b"\4A\0\x16printer-make-and-model\0\x11HP LaserJet 4250\0\3"
)
NAMED = (
    b"\2\0\0\0\0\0\0\1\4B\0\x15printer-firmware-name\0\4CoreA\0\x1fprinter-firmware-string-version\0\3 9 "
    b"A\0\x0cprinter-info\0\6DupontB\0\x15printer-firmware-name\0\0B\0\0\0\5Panel\3"
)
SERVER = b"Keep-Alive: timeout=10\r\nServer: CUPS/2.4.2\r\n"

CONVERSATIONS = (
    Told(
        "a printer of today",
        ipp.PROBE,
        [[CUPS % (len(PRINTER), SERVER), PRINTER]],
        {"http.server": "CUPS/2.4.2", "ipp.model": ("Acme Ward Printer 9",), "ipp.versions": ("1.1", "2.0")},
        "recorded from Debian's ippeveprinter, CUPS 2.4.2",
    ),
    Told(
        "a print server without a printer at this path",
        ipp.PROBE,
        [[CUPS % (len(NO_PRINTER), b"Server: CUPS/2.4 IPP/2.1\r\n"), NO_PRINTER]],
        {"http.server": "CUPS/2.4 IPP/2.1"},
        "recorded from Debian's cupsd, CUPS 2.4.2",
    ),
    Told(
        "a printer of IPP/1.0, which ignores what it does not know",
        ipp.PROBE,
        [[CUPS % (len(OLD_PRINTER), b""), OLD_PRINTER]],
        {"ipp.model": ("HP LaserJet 4250",)},
        "built from [RFC 2565] 3 and [RFC 8011] 4.1.7",
    ),
    Told(
        "a printer that states its firmware, and the name of a person that nobody asked for",
        ipp.PROBE,
        [[*answer(NAMED, "200 OK", "Content-Type: application/ipp")]],
        {"ipp.firmware": ("Core", "Panel"), "ipp.firmware_version": ("9",)},
        "built from [RFC 8010] 3.1 and [PWG 5100.13] 5.6",
    ),
    Told(
        "a web server",
        ipp.PROBE,
        [[*answer(b"<h1>Not Found</h1>", "404 Not Found", "Server: KM-MFP-http")]],
        {"http.server": "KM-MFP-http"},
        "built from [RFC 9110] 15.5.5",
    ),
)


def test_the_question_byte_by_byte() -> None:
    (said,) = CONVERSATIONS[0].hold().said
    block, _, body = said.partition(b"\r\n\r\n")
    assert block.startswith(b"POST /ipp/print HTTP/1.1\r\nHost: 192.0.2.1:631\r\n")
    assert b"\r\nContent-Type: application/ipp\r\n" in block
    assert body == (
        b"\1\1\0\x0b\0\0\0\1\1G\0\x12attributes-charset\0\5utf-8H\0\x1battributes-natural-language\0\2en"
        b"E\0\x0bprinter-uri\0\x1dipp://192.0.2.1:631/ipp/printD\0\x14requested-attributes\0\x16printer-make-and-model"
        b"D\0\0\0\x15printer-firmware-nameD\0\0\0\x1fprinter-firmware-string-version"
        b"D\0\0\0\x16ipp-versions-supported\3"
    )
    assert len(said) < ipp.PROBE.size


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\1\1\0\0\0\0\0\2\3",
        PRINTER[:-1],
        PRINTER.replace(b"\0\x13Acme", b"\xff\xffAcme"),
        b"\1\1\0\0\0\0\0\1D\xff\xff",
    ],
)
def test_what_is_not_whole_is_refused_and_the_server_stands(body: bytes) -> None:
    said = answer(body or b"\0", "200 OK", "Content-Type: application/ipp", "Server: x")
    heard = Replay([said]).hold(ipp.PROBE, Endpoint("192.0.2.1", 631))
    assert isinstance(heard.error, ProtocolError)
    assert heard.evidence == {"http.server": "x"}


def test_many_values_are_bounded() -> None:
    many = PRINTER[:-1] + b"A\0\x16printer-make-and-model\0\1x" * 1000 + b"\3"
    assert len(ipp.parse_attributes(many)["ipp.model"]) == 16


@given(st.binary(max_size=80))
def test_any_attributes_are_read_or_refused(raw: bytes) -> None:
    try:
        ipp.parse_attributes(PRINTER[:8] + raw)
    except ProbeError:
        return


def test_another_protocol_on_the_port() -> None:
    heard = Replay([[b"@PJL INFO\r\n"]]).hold(ipp.PROBE, Endpoint("192.0.2.1", 631))
    assert isinstance(heard.error, ProtocolError)
