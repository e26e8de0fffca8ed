"""IMAP: in clear and over TLS, with NTLM and without."""

from __future__ import annotations

import binascii

import pytest

from scanner.errors import PeerClosedError, ProtocolError
from scanner.model import Endpoint
from scanner.probes import ntlm
from scanner.probes.imap import PROBE, answer, parse_capabilities
from tests.probes import mail
from tests.probes.conversation import Answer, Heard, Replay
from tests.probes.told import Told

OFFERED = b"IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+ AUTH=PLAIN AUTH=NTLM"
EXCHANGE = "Microsoft Exchange Server 2003 IMAP4rev1 server version 6.5.7226.0 (mail.example) ready."
DOVECOT = (
    b"* CAPABILITY " + OFFERED + b"\r\n"
    b"a1 OK Pre-login capabilities listed, post-login capabilities have more.\r\n"
)
ABORTED = b"a2 BAD Authentication aborted by client.\r\n"
GREETING = b"* OK ready\r\n"

CONVERSATIONS = (
    Told(
        "Dovecot of Debian 12 over TLS",
        PROBE,
        [
            [
                b"\x03\x04certificate",
                b"* OK [CAPABILITY " + OFFERED + b"] Dovecot (Debian) ready.\r\n",
                DOVECOT,
                b"+ \r\n",
                b"+ " + mail.XP + b"\r\n",
                ABORTED,
            ]
        ],
        {
            "imap.banner": "Dovecot (Debian) ready.",
            "imap.capabilities": (
                *("IMAP4rev1", "SASL-IR", "LOGIN-REFERRALS", "ID", "ENABLE", "IDLE", "LITERAL+"),
                *("AUTH=PLAIN", "AUTH=NTLM"),
            ),
            **mail.XP_FACTS,
        },
        "recorded on loopback, the certificate left out",
        service=993,
    ),
    Told(
        "Exchange 2003",
        PROBE,
        [
            [
                b"* OK " + EXCHANGE.encode() + b"\r\n",
                b"* CAPABILITY IMAP4 IMAP4rev1 IDLE LOGIN-REFERRALS AUTH=NTLM\r\na1 OK completed.\r\n",
                b"+\r\n",
                b"+ " + mail.EXCHANGE_2003 + b"\r\n",
                b"a2 NO The AUTH protocol exchange was canceled by the client.\r\n",
            ]
        ],
        {
            "imap.banner": EXCHANGE,
            "imap.capabilities": ("IMAP4", "IMAP4rev1", "IDLE", "LOGIN-REFERRALS", "AUTH=NTLM"),
            **mail.EXCHANGE_2003_FACTS,
        },
        "facts/banners.csv, imap-003; [MS-OXIMAP4] 2.2.1; the challenge of [MS-SMTPNTLM] 4.2",
    ),
    Told(
        "one without NTLM, that says more than was asked",
        PROBE,
        [[GREETING, b"* ID NIL\r\n* capability IMAP4rev1 auth=plain\r\na1 OK\r\n"]],
        {"imap.banner": "ready", "imap.capabilities": ("IMAP4rev1", "auth=plain")},
        "[RFC 3501] 7.2.1",
    ),
    Told(
        "one that turns away",
        PROBE,
        [[b"* BYE [ALERT] Too many connections\r\n"]],
        {"imap.banner": "Too many connections"},
        "[RFC 3501] 7.1.5",
    ),
    Told(
        "one that lets in whoever comes",
        PROBE,
        [[b"* PREAUTH logged in as the ward\r\n"]],
        {"imap.banner": "logged in as the ward"},
        "[RFC 3501] 7.1.4",
    ),
)


def hold(*answers: Answer, service: int = 143) -> Heard:
    return Replay([answers]).hold(PROBE, Endpoint("192.0.2.1", service))


def test_what_is_said_ends_before_anyone_logs_on() -> None:
    said = hold(GREETING, DOVECOT, b"+\r\n", b"+ " + mail.XP + b"\r\n", ABORTED).said
    assert said[:2] == [b"a1 CAPABILITY\r\n", b"a2 AUTHENTICATE NTLM\r\n"]
    assert binascii.a2b_base64(said[2]) == ntlm.NEGOTIATE
    assert said[3:] == [b"*\r\n"]
    assert sum(map(len, said)) == PROBE.size


@pytest.mark.parametrize("greeting", [b"* PREAUTH hello\r\n", b"* BYE\r\n", b"* bye [X] no\r\n"])
def test_who_does_not_await_a_logon_is_asked_nothing(greeting: bytes) -> None:
    heard = hold(greeting)
    assert (heard.said, heard.error) == ([], None)


def test_a_refusal_of_ntlm_is_taken_for_an_answer() -> None:
    for answers in ([b"a2 BAD no\r\n"], [b"+ \r\n", b"a2 NO not so\r\n"]):
        heard = hold(GREETING, DOVECOT, *answers)
        assert heard.error is None
        assert "ntlm.challenge" not in heard.evidence


def test_tls_that_does_not_come_about_ends_it() -> None:
    heard = hold(ProtocolError(), service=993)
    assert isinstance(heard.error, ProtocolError)
    assert heard.exchanges == 1
    assert hold(GREETING, DOVECOT).exchanges == 3


def test_a_line_that_goes_on_for_ever_ends_it() -> None:
    with pytest.raises(ProtocolError):
        answer(b"a1 ")(b"* CAPABILITY " + b"X" * 5000)


@pytest.mark.parametrize(
    "said", [b"+OK POP3\r\n", b"220 ESMTP\r\n", b"\x16\x03\x01", b"*OK\r\n", b"* NO\r\n"]
)
def test_what_does_not_greet_is_refused(said: bytes) -> None:
    assert isinstance(hold(said).error, ProtocolError)


def test_an_answer_to_another_command_is_refused_at_once() -> None:
    assert isinstance(hold(GREETING, b"a9 OK\r\n").error, ProtocolError)
    assert isinstance(hold(GREETING, b"* CAPABILITY X\r\n").error, PeerClosedError)


def test_capabilities_are_kept_in_bounds() -> None:
    assert len(parse_capabilities(b"* CAPABILITY " + b"X " * 500 + b"\r\na1 OK\r\n")) == 24
    assert parse_capabilities(b"* CAPABILITY\r\na1 OK\r\n") == ()
