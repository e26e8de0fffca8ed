"""POP3: in clear and over TLS, with a list of capabilities, of mechanisms, or none."""

from __future__ import annotations

import binascii

import pytest

from scanner.errors import PeerClosedError, ProtocolError
from scanner.model import Endpoint
from scanner.probes import ntlm
from scanner.probes.pop3 import PROBE, listing
from tests.probes import mail
from tests.probes.conversation import Answer, Heard, Replay
from tests.probes.told import Told

DOVECOT = (
    b"+OK\r\nCAPA\r\nTOP\r\nUIDL\r\nRESP-CODES\r\nPIPELINING\r\nAUTH-RESP-CODE\r\nSTLS\r\nUSER\r\n"
    b"SASL PLAIN NTLM\r\n.\r\n"
)
EXCHANGE = "Microsoft Exchange Server 2003 POP3 server version 6.5.6944.0 (mail.example) ready."
GREETING = b"+OK ready\r\n"
REFUSED = b"-ERR unknown command\r\n"
MECHANISMS = b"+OK\r\nGSSAPI\r\nNTLM\r\n.\r\n"
CHALLENGE = b"+ " + mail.XP + b"\r\n"

CONVERSATIONS = (
    Told(
        "Dovecot of Debian 12",
        PROBE,
        [
            [
                b"+OK Dovecot (Debian) ready.\r\n",
                DOVECOT,
                b"+ \r\n",
                CHALLENGE,
                b"-ERR Authentication aborted by client.\r\n",
            ]
        ],
        {
            "pop3.banner": "Dovecot (Debian) ready.",
            "pop3.capabilities": (
                *("CAPA", "TOP", "UIDL", "RESP-CODES", "PIPELINING", "AUTH-RESP-CODE", "STLS", "USER"),
                "SASL PLAIN NTLM",
            ),
            **mail.XP_FACTS,
        },
        "recorded on loopback",
    ),
    Told(
        "Exchange 2003, which lists its mechanisms to AUTH, over TLS",
        PROBE,
        [
            [
                b"\x03\x01certificate",
                b"+OK " + EXCHANGE.encode() + b"\r\n",
                b"-ERR Protocol Error.\r\n",
                b"+OK\r\nNTLM\r\nLOGIN\r\n.\r\n",
                b"+OK\r\n",
                b"+ " + mail.EXCHANGE_2003 + b"\r\n",
                b"-ERR The AUTH protocol exchange was canceled by the client.\r\n",
            ]
        ],
        {
            "pop3.banner": EXCHANGE,
            **mail.EXCHANGE_2003_FACTS,
        },
        "facts/banners.csv, pop3-003; [MS-POP3] 1.7 and 2.2.1; the challenge of [MS-SMTPNTLM] 4.2",
        service=995,
    ),
    Told(
        "one that lists nothing",
        PROBE,
        [[b"+OK Microsoft Windows POP3 Service Version 1.0 <1@ward7> ready.\r\n", REFUSED, REFUSED]],
        {"pop3.banner": "Microsoft Windows POP3 Service Version 1.0 <1@ward7> ready."},
        "facts/banners.csv, pop3-006; [RFC 1939] 3",
    ),
    Told(
        "one that turns away",
        PROBE,
        [[b"-ERR too many connections\r\n"]],
        {"pop3.banner": "too many connections"},
        "[RFC 1939] 3",
    ),
)


def hold(*answers: Answer, service: int = 110) -> Heard:
    return Replay([answers]).hold(PROBE, Endpoint("192.0.2.1", service))


def test_what_is_said_ends_before_anyone_logs_on() -> None:
    said = hold(GREETING, REFUSED, MECHANISMS, b"+\r\n", CHALLENGE, REFUSED).said
    assert said[:3] == [b"CAPA\r\n", b"AUTH\r\n", b"AUTH NTLM\r\n"]
    assert binascii.a2b_base64(said[3]) == ntlm.NEGOTIATE
    assert said[4:] == [b"*\r\n"]
    assert sum(map(len, said)) == PROBE.size


def test_a_list_without_ntlm_ends_it() -> None:
    for listed in (b"+OK\r\nUSER\r\n.\r\n", b"+OK\r\nSASL PLAIN\r\n.\r\n", b"+OK\r\nX-NTLM NTLM\r\n.\r\n"):
        heard = hold(GREETING, listed)
        assert (heard.said, heard.error) == ([b"CAPA\r\n"], None)
    assert hold(GREETING, b"+OK\r\n.\r\n", REFUSED).said == [b"CAPA\r\n", b"AUTH\r\n"]


def test_a_challenge_may_be_a_bare_plus_or_not() -> None:
    for answers in ([b"-ERR no\r\n"], [b"+\r\n", b"-ERR no\r\n"]):
        heard = hold(GREETING, DOVECOT, *answers)
        assert heard.error is None
        assert "ntlm.challenge" not in heard.evidence
    assert isinstance(hold(GREETING, DOVECOT, b"+\r\n", b"+OK welcome\r\n").error, ProtocolError)


@pytest.mark.parametrize(
    ("received", "length"),
    [
        (b"-ERR no\r\n", 9),
        (b"+OK\r\n.\r\n", 8),
        (b"+OK\nA\n.\nmore", 8),
        (b"+OK\r\n.x\r\n", None),
        (b"+OK\r\nA\r\n.", None),
        (b"+O", None),
    ],
)
def test_a_list_ends_with_a_lone_dot(received: bytes, length: int | None) -> None:
    assert listing(received) == length


def test_a_list_without_end_is_not_listened_to() -> None:
    with pytest.raises(ProtocolError):
        listing(b"+OK\r\n" + b"USER\r\n" * 1000)


@pytest.mark.parametrize("said", [b"* OK IMAP\r\n", b"220 ESMTP\r\n", b"\x16\x03\x01", b"+NO\r\n", b"-E\r\n"])
def test_what_does_not_greet_is_refused(said: bytes) -> None:
    assert isinstance(hold(said).error, ProtocolError)


def test_what_is_known_stands_when_it_hangs_up() -> None:
    heard = hold(GREETING, PeerClosedError())
    assert heard.evidence == {"pop3.banner": "ready"}
