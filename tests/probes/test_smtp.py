"""SMTP: Microsoft's servers with and without NTLM, others, and those that do not want to be asked."""

from __future__ import annotations

import binascii

import pytest

from scanner.errors import LimitError, PeerClosedError, ProtocolError
from scanner.model import Endpoint
from scanner.probes import ntlm
from scanner.probes.smtp import PROBE, offers_ntlm
from tests.probes import mail
from tests.probes.conversation import Answer, Heard, Replay
from tests.probes.told import Told

SUPPORTED = b"334 ntlm supported\r\n"
CANCELLED = b"501 5.7.0 Authentication cancelled\r\n"
BYE = b"221 2.0.0 Service closing transmission channel\r\n"
HELLO = b"250-mail Hello [192.0.2.9]\r\n250 AUTH GSSAPI NTLM\r\n"
EXCHANGE = (
    b"250- Hello \r\n250-TURN\r\n250-SIZE\r\n250-ETRN\r\n250-PIPELINING\r\n250-DSN\r\n"
    b"250-ENHANCEDSTATUSCODES\r\n250-BINARYMIME\r\n250-CHUNKING\r\n250-VRFY\r\n250-TLS\r\n250-STARTTLS\r\n"
    b"250-X-EXPS GSSAPI NTLM LOGIN\r\n250-X-EXPS=LOGIN\r\n250-AUTH GSSAPI NTLM LOGIN\r\n"
    b"250-AUTH=LOGIN\r\n250-X-LINK2STATE\r\n250-XEXCH50\r\n250 OK\r\n"
)
XP_SMTP = (
    "ward7 Microsoft ESMTP MAIL Service, Version: 6.0.2600.5512 ready at  Thu, 26 Nov 2026 11:42:55 +0100"
)
CHALLENGE = b"334 " + mail.XP + b"\r\n"

POSTFIX = (
    b"220 mail.ward.example ESMTP Postfix (Debian/GNU)\r\n",
    (
        b"250-mail.ward.example\r\n250-PIPELINING\r\n250-SIZE 10240000\r\n250-VRFY\r\n250-ETRN\r\n"
        b"250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250-DSN\r\n250-SMTPUTF8\r\n250 CHUNKING\r\n"
    ),
    b"221 2.0.0 Bye\r\n",
)
CONVERSATIONS = (
    Told(
        "Postfix of Debian 12",
        PROBE,
        [POSTFIX],
        {
            "smtp.banner": ("mail.ward.example ESMTP Postfix (Debian/GNU)",),
            "smtp.extensions": (
                *("PIPELINING", "SIZE 10240000", "VRFY", "ETRN", "ENHANCEDSTATUSCODES"),
                *("8BITMIME", "DSN", "SMTPUTF8", "CHUNKING"),
            ),
        },
        "recorded from Debian's postfix 3.7.11; beside exim, which the tests run, it cannot be installed",
    ),
    Told(
        "Exchange 2003 on Windows Server 2003",
        PROBE,
        [
            [
                b"220 server-102e9f9.example.int Microsoft ESMTP MAIL Service, Version: 6.0.3790.1830\r\n",
                EXCHANGE,
                SUPPORTED,
                b"334 " + mail.EXCHANGE_2003 + b"\r\n",
                CANCELLED,
                BYE,
            ]
        ],
        {
            "smtp.banner": (
                "server-102e9f9.example.int Microsoft ESMTP MAIL Service, Version: 6.0.3790.1830",
            ),
            "smtp.extensions": (
                *(
                    "TURN",
                    "SIZE",
                    "ETRN",
                    "PIPELINING",
                    "DSN",
                    "ENHANCEDSTATUSCODES",
                    "BINARYMIME",
                    "CHUNKING",
                ),
                *("VRFY", "TLS", "STARTTLS", "X-EXPS GSSAPI NTLM LOGIN", "X-EXPS=LOGIN"),
                *("AUTH GSSAPI NTLM LOGIN", "AUTH=LOGIN", "X-LINK2STATE", "XEXCH50", "OK"),
            ),
            **mail.EXCHANGE_2003_FACTS,
        },
        "corpus/pcap/suricata-verify__smtp-file-data-01.pcap; from AUTH on, [MS-SMTPNTLM] 2.2.1 and 4.2",
    ),
    Told(
        "Windows XP SP3 without logons",
        PROBE,
        [
            [
                b"220 " + XP_SMTP.encode() + b" \r\n",
                b"250-ward7 Hello [192.0.2.9]\r\n250-SIZE 2097152\r\n250 OK\r\n",
                BYE,
            ]
        ],
        {
            "smtp.banner": (XP_SMTP,),
            "smtp.extensions": ("SIZE 2097152", "OK"),
        },
        "facts/banners.csv, smtp-013",
    ),
    Told(
        "Exim of Debian 12, whose challenge names nobody",
        PROBE,
        [
            [
                b"220 mail.ward.example ESMTP Exim 4.96 Thu, 26 Nov 2026 11:42:55 +0000\r\n",
                b"250-mail.ward.example Hello vetuste.invalid\r\n250-SIZE 52428800\r\n250 AUTH NTLM\r\n",
                b"334 NTLM supported\r\n",
                b"334 TlRMTVNTUAACAAAAAAAAAAAoAAABggAA2PCNn1QJLYQAAAAAAAAAAAAAAAAAAAAA\r\n",
                b"535 Incorrect authentication data\r\n",
                b"221 mail.ward.example closing connection\r\n",
            ]
        ],
        {
            "smtp.banner": ("mail.ward.example ESMTP Exim 4.96 Thu, 26 Nov 2026 11:42:55 +0000",),
            "smtp.extensions": ("SIZE 52428800", "AUTH NTLM"),
            "ntlm.challenge": "unversioned",
        },
        "recorded on loopback",
    ),
    Told(
        "a server of the time before extensions",
        PROBE,
        [[b"220 SMI-8.6 ready\r\n", b"500 Command unrecognized\r\n", b"221 closing\r\n"]],
        {"smtp.banner": ("SMI-8.6 ready",)},
        "[RFC 5321] 3.2",
    ),
    Told(
        "one that takes no mail",
        PROBE,
        [[b"554-mail.example\r\n554 No SMTP service here\r\n", b"221 bye\r\n"]],
        {"smtp.banner": ("mail.example", "No SMTP service here")},
        "[RFC 5321] 3.1",
    ),
)
GREETING = b"220 mail ESMTP\r\n"


def hold(*answers: Answer) -> Heard:
    return Replay([answers]).hold(PROBE, Endpoint("192.0.2.1", 25))


def test_what_is_said_ends_before_anyone_logs_on() -> None:
    said = hold(GREETING, HELLO, SUPPORTED, CHALLENGE, CANCELLED, BYE).said
    assert said[:2] == [b"EHLO vetuste.invalid\r\n", b"AUTH NTLM\r\n"]
    assert said[3:] == [b"*\r\n", b"QUIT\r\n"]
    assert binascii.a2b_base64(said[2]) == ntlm.NEGOTIATE
    assert sum(map(len, said)) == PROBE.size


@pytest.mark.parametrize("refusal", [b"504 no\r\n", b"530 Must issue a STARTTLS command first\r\n"])
def test_a_refusal_of_ntlm_is_taken_for_an_answer(refusal: bytes) -> None:
    heard = hold(GREETING, HELLO, refusal, BYE)
    assert heard.error is None
    assert heard.said[-2:] == [b"AUTH NTLM\r\n", b"QUIT\r\n"]
    assert hold(GREETING, HELLO, SUPPORTED, refusal, BYE).said[-1] == b"QUIT\r\n"


def test_hanging_up_at_the_end_is_no_failure() -> None:
    for answers in ([GREETING, HELLO, SUPPORTED, CHALLENGE], [GREETING, b"250 mail\r\n"]):
        heard = hold(*answers, PeerClosedError())
        assert heard.error is None
    assert (
        hold(GREETING, HELLO, SUPPORTED, CHALLENGE, PeerClosedError()).evidence["ntlm.version"] == "5.1.2600"
    )


@pytest.mark.parametrize("token", [b"", b"TlRM", b"TlRMTVNTUAAC", b"!!!!", b"TlRMTVNTUAADAAAA", b"\xff\xfe"])
def test_what_is_no_challenge_is_refused_and_the_rest_stands(token: bytes) -> None:
    heard = hold(GREETING, HELLO, SUPPORTED, b"334 " + token + b"\r\n")
    assert isinstance(heard.error, ProtocolError)
    assert heard.evidence["smtp.extensions"] == ("AUTH GSSAPI NTLM",)


@pytest.mark.parametrize(
    ("extension", "offered"),
    [
        ("AUTH NTLM", True),
        ("auth=ntlm login", True),
        ("AUTH LOGIN PLAIN", False),
        ("X-EXPS GSSAPI NTLM", False),
        ("AUTHNTLM", False),
        ("", False),
    ],
)
def test_ntlm_is_asked_for_where_it_is_offered(extension: str, *, offered: bool) -> None:
    assert offers_ntlm(["SIZE", extension]) is offered


@pytest.mark.parametrize(
    "said", [b"SSH-2.0-x\r\n", b"* OK IMAP\r\n", b"250 ok\r\n", b"\x16\x03\x01", b"220" * 2000]
)
def test_what_does_not_greet_is_refused_at_once(said: bytes) -> None:
    heard = hold(said)
    assert isinstance(heard.error, ProtocolError)
    assert not heard.evidence


def test_a_reply_without_end_is_not_listened_to() -> None:
    assert isinstance(hold(GREETING, b"250-more\r\n" * 5000).error, LimitError)
