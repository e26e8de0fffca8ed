"""FTP: greetings of one line and of many, and what greets otherwise."""

from __future__ import annotations

import pytest

from scanner.errors import PeerClosedError, ProtocolError
from scanner.model import Endpoint
from scanner.probes.ftp import PROBE
from tests.probes.conversation import Heard, Replay
from tests.probes.told import Told


def greets(name: str, greeting: bytes, *banner: str, source: str = "facts/banners.csv") -> Told:
    return Told(name, PROBE, [[greeting]], {"ftp.banner": banner}, source)


CONVERSATIONS = (
    greets(
        "Windows NT 4.0",
        b"220 ward7 Microsoft FTP Service (Version 4.0).\r\n",
        "ward7 Microsoft FTP Service (Version 4.0).",
    ),
    greets("IIS 7 or later", b"220 Microsoft FTP Service\r\n", "Microsoft FTP Service"),
    greets(
        "VxWorks",
        b"220 VxWorks FTP server (VxWorks 5.4.2) ready.\r\n",
        "VxWorks FTP server (VxWorks 5.4.2) ready.",
    ),
    greets(
        "many lines",
        b"220-Authorised staff only\r\n220-\r\n  220 is a code\r\n220 ready\r\n",
        "Authorised staff only",
        "220 is a code",
        "ready",
        source="[RFC 959] 4.2",
    ),
    greets("vsftpd of Debian 12", b"220 (vsFTPd 3.0.3)\r\n", "(vsFTPd 3.0.3)", source="recorded on loopback"),
    greets("one that is full", b"421 Too many users\n", "Too many users", source="[RFC 959] 5.4"),
)


def hold(greeting: bytes) -> Heard:
    return Replay([[greeting]]).hold(PROBE, Endpoint("192.0.2.1", 21))


def test_not_a_byte_is_said() -> None:
    heard = hold(b"220 ready\r\n")
    assert heard.said == []
    assert heard.exchanges == 1
    assert PROBE.size == 0


@pytest.mark.parametrize(
    "greeting",
    [
        b"SSH-2.0-OpenSSH_9.2p1\r\n",
        b"\xff\xfb\x01",
        b"530 no\r\n",
        b"HTTP/1.1 400\r\n",
        b"220" + b"x" * 600,
        b"250 ok\r\n",
    ],
)
def test_what_is_no_greeting_is_refused(greeting: bytes) -> None:
    heard = hold(greeting)
    assert isinstance(heard.error, ProtocolError)
    assert not heard.evidence


def test_a_greeting_without_words_tells_nothing() -> None:
    heard = hold(b"220 \r\n")
    assert (heard.evidence, heard.error) == ({}, None)


def test_the_first_lines_are_kept_and_no_terminal_is_obeyed() -> None:
    lines = b"".join(b"220-line %d \x1b[2J\r\n" % number for number in range(99))
    heard = hold(lines + b"220 end\r\n")
    assert heard.evidence["ftp.banner"][:2] == ("line 0 \ufffd[2J", "line 1 \ufffd[2J")
    assert len(heard.evidence["ftp.banner"]) == 24


def test_half_a_greeting_is_waited_for() -> None:
    assert isinstance(hold(b"220-Authorised\r\n220 re").error, PeerClosedError)
