"""Names of people, and of patients, wherever a protocol over TCP carries them: none is ever told."""

from __future__ import annotations

import random
import struct
from base64 import b64encode
from typing import TYPE_CHECKING

import pytest

from scanner.capture.sources import sources
from scanner.probes import postgresql
from scanner.probes.der import OCTETS, SEQUENCE, SET, element, integer
from tests.capture.flows import ANSWERS, ASKS, Talk, overheard
from tests.capture.test_applications import login, request, settings
from tests.probes.damage import damaged

if TYPE_CHECKING:
    from collections.abc import Iterator

PERSON, PATIENT = b"PERSONNE-NOMMEE", b"PATIENT-SECRET"
NAME = PERSON.decode()
IN_BASE64 = b64encode(PERSON)


def authenticate(user: str) -> bytes:
    """[MS-NLMP] 2.2.1.3, of a machine called WARD-PC-07."""
    fields, data = b"", b""
    for raw in (
        PATIENT,
        PATIENT * 2,
        user.encode("utf-16-le"),
        user.encode("utf-16-le"),
        "WARD-PC-07".encode("utf-16-le"),
        b"",
    ):
        fields += struct.pack("<HHI", len(raw), len(raw), 72 + len(data))
        data += raw
    head = b"NTLMSSP\0\3\0\0\0" + fields
    return head + struct.pack("<IBBH4s", 0xA2888205, 5, 1, 2600, b"\0\0\0\x0f") + data


NTLM = b64encode(authenticate(NAME))


def ldap(operation: int, *contents: bytes) -> bytes:
    return element(SEQUENCE, integer(2), element(operation, *contents))


ENTRY = element(SEQUENCE, *(
    element(SEQUENCE, element(OCTETS, name), element(SET, element(OCTETS, value)))
    for name, value in ((b"objectClass", b"person"), (b"dNSHostName", PERSON), (b"cn", PATIENT))
))  # fmt: skip

TALKS: dict[str, tuple[int, Talk]] = {
    "http, what is asked for": (
        80,
        [
            (
                ASKS,
                b"GET /patients/%s?name=%s HTTP/1.1\r\nUser-Agent: one/1 (%s@chu.example)\r\nCookie: a=%s\r\n"
                b"Referer: http://dpi/%s\r\nFrom: %s\r\nAuthorization: Basic %s\r\n\r\n"
                % (*[PATIENT] * 5, PERSON, IN_BASE64),
            ),
            (
                ANSWERS,
                b"HTTP/1.1 200 OK\r\nServer: one\r\nLocation: /%s\r\nSet-Cookie: %s=%s\r\n"
                b"Content-Type: text/html\r\n\r\n<html><title>%s</title><body>%s" % (*[PATIENT] * 5,),
            ),
        ],
    ),
    "http, a cookie's value": (
        80,
        [
            (ASKS, b"GET / HTTP/1.1\r\n\r\n"),
            (
                ANSWERS,
                b"HTTP/1.1 200 OK\r\nSet-Cookie: user=%s; path=/\r\nContent-Length: 0\r\n\r\n" % PERSON,
            ),
        ],
    ),
    "http, what is sent": (80, [(ASKS, b"POST / HTTP/1.1\r\nContent-Length: 40\r\n\r\n" + PATIENT * 3)]),
    "http with NTLM": (80, [(ASKS, b"GET / HTTP/1.1\r\nAuthorization: NTLM %s\r\n\r\n" % NTLM)]),
    "ftp": (
        21,
        [
            (ANSWERS, b"220-ready\r\n220 write to %s@chu.example\r\n" % PERSON),
            (ASKS, b"USER %s\r\n" % PERSON),
            (ANSWERS, b"331 Password required for %s.\r\n" % PERSON),
            (ASKS, b"PASS %s\r\n" % PATIENT),
            (ANSWERS, b"230 %s logged in\r\n" % PERSON),
            (ASKS, b"STOR %s.pdf\r\n" % PATIENT),
        ],
    ),
    "smtp": (
        25,
        [
            (ANSWERS, b"220 mail.example ready\r\n"),
            (ASKS, b"EHLO ward\r\n"),
            (ANSWERS, b"250-mail.example hello %s\r\n250-AUTH LOGIN NTLM\r\n250 HELP\r\n" % PERSON),
            (ASKS, b"AUTH LOGIN\r\n"),
            (ANSWERS, b"334 VXNlcm5hbWU6\r\n"),
            (ASKS, IN_BASE64 + b"\r\n"),
            (ANSWERS, b"334 UGFzc3dvcmQ6\r\n"),
            (ASKS, b64encode(PATIENT) + b"\r\n"),
            (ANSWERS, b"235 %s\r\n" % PERSON),
            (ASKS, b"MAIL FROM:<%s@chu.example>\r\n" % PERSON),
            (ANSWERS, b"250 %s Sender ok\r\n" % PERSON),
            (ASKS, b"RCPT TO:<%s@chu.example>\r\n" % PATIENT),
            (ANSWERS, b"250-%s\r\n250 %s\r\n" % (PATIENT, PATIENT)),
            (ASKS, b"DATA\r\n"),
            (ANSWERS, b"354 go\r\n"),
            (ASKS, b"Subject: %s\r\n\r\n%s\r\n.\r\n" % (PATIENT, PATIENT)),
        ],
    ),
    "smtp with NTLM": (
        25,
        [
            (ASKS, b"EHLO ward\r\n"),
            (ASKS, b"AUTH NTLM\r\n"),
            (ASKS, NTLM + b"\r\n"),
            (ASKS, b"MAIL FROM:<%s@chu.example>\r\n" % PERSON),
        ],
    ),
    "smtp, refused": (25, [(ANSWERS, b"554 5.7.1 <%s@chu.example>: Relay access denied\r\n" % PERSON)]),
    "pop3": (
        110,
        [
            (ANSWERS, b"+OK ready\r\n"),
            (ASKS, b"USER %s\r\n" % PERSON),
            (ANSWERS, b"+OK %s is a mailbox\r\n" % PERSON),
            (ASKS, b"PASS x\r\n"),
            (ANSWERS, b"+OK %s's mailbox has 2 messages\r\n" % PERSON),
            (ASKS, b"RETR 1\r\n"),
            (ANSWERS, b"+OK\r\nFrom: %s\r\n\r\nLOGIN %s\r\n.\r\n" % (PERSON, PATIENT)),
        ],
    ),
    "pop3 with NTLM": (
        110,
        [(ASKS, b"AUTH NTLM\r\n"), (ASKS, NTLM + b"\r\n"), (ASKS, b"DELE %s\r\n" % PATIENT)],
    ),
    "imap": (
        143,
        [
            (ANSWERS, b"* OK ready\r\n"),
            (ASKS, b"a1 LOGIN %s x\r\n" % PERSON),
            (ANSWERS, b"a1 OK %s logged in\r\n" % PERSON),
            (ASKS, b"a2 SELECT %s\r\n" % PATIENT),
            (ANSWERS, b"* FLAGS (%s)\r\na2 OK\r\n" % PATIENT),
        ],
    ),
    "imap, let in": (143, [(ANSWERS, b"* PREAUTH server logged in as %s\r\n" % PERSON)]),
    "telnet, repeated by the server": (
        23,
        [
            (ANSWERS, b"\xff\xfd\x18"),
            (ASKS, b"\xff\xfc\x18"),
            (ANSWERS, b"Kennung "),
            (ASKS, PERSON + b"\r\n"),
            (ANSWERS, PERSON + b"\r\nPassword: "),
            (ASKS, PATIENT + b"\r\n"),
            (ANSWERS, b"\r\nhello %s\r\nlogin: " % PERSON),
        ],
    ),
    "telnet, the client unheard": (
        23,
        [(ANSWERS, b"\xff\xfd\x18Kennung: "), (ANSWERS, PERSON + b"\r\nPassword: ")],
    ),
    "telnet, after the prompt": (
        23,
        [
            (ANSWERS, b"ward\r\nlogin: "),
            (ASKS, PERSON),
            (ANSWERS, PERSON + b"\r\nlast login of %s\r\nlogin: " % PERSON),
        ],
    ),
    "ldap, a logon": (
        389,
        [
            (ASKS, ldap(0x60, integer(3), element(OCTETS, b"CN=" + PERSON), element(0x80, PATIENT))),
            (
                ANSWERS,
                ldap(0x61, integer(0, 0x0A), element(OCTETS, PERSON), element(OCTETS, b"no " + PERSON)),
            ),
        ],
    ),
    "ldap with NTLM": (
        389,
        [
            (
                ASKS,
                ldap(
                    0x60,
                    integer(3),
                    element(OCTETS, PERSON),
                    element(0xA3, element(OCTETS, b"GSS-SPNEGO"), element(OCTETS, authenticate(NAME))),
                ),
            ),
        ],
    ),
    "ldap, somebody's entry": (
        389,
        [
            (ASKS, ldap(0x63, element(OCTETS, b"CN=" + PERSON))),
            (ANSWERS, ldap(0x64, element(OCTETS, b"CN=" + PERSON), ENTRY)),
            (ANSWERS, ldap(0x64, element(OCTETS, b""), ENTRY)),
        ],
    ),
    "rdp": (
        3389,
        [
            (ASKS, request(b"Cookie: mstshash=%s\r\n" % PERSON)),
            (ANSWERS, bytes.fromhex("0300000b06d00000123400")),
            (ASKS, settings(2600, "Personne-Nommee")),
        ],
    ),
    "mssql": (1433, [(ASKS, login("WARD-PC-07", NAME, authenticate(NAME)))]),
    "mysql, refused": (
        3306,
        [
            (ANSWERS, b"\x40\0\0\0\xff\x15\x04Access denied for user '%s'@'10.0.0.7'" % PERSON.ljust(25)),
        ],
    ),
    "postgresql": (
        5432,
        [
            (ASKS, postgresql.SSL_REQUEST),
            (ANSWERS, b"N"),
            (ASKS, b"\0\0\0\x29\0\3\0\0user\0%s\0database\0%s\0\0" % (PERSON, PATIENT)),
        ],
    ),
    "vnc": (
        5900,
        [
            (ANSWERS, b"RFB 003.008\n"),
            (ASKS, b"RFB 003.008\n"),
            (ANSWERS, b"\1\1"),
            (ASKS, b"\1"),
            (ANSWERS, bytes(4)),
            (ASKS, b"\1"),
            (ANSWERS, bytes(20) + struct.pack(">I", len(PERSON)) + PERSON),
        ],
    ),
}


def pieces(name: bytes) -> Iterator[str]:
    """A name, and the halves of it, as they may come out of either kind of text."""
    for text in (name.decode(), b64encode(name).decode()):
        yield from (text, text.lower(), text[: len(text) // 2], text[len(text) // 2 :])


@pytest.mark.parametrize("opened", [True, False], ids=["whole", "in the midst"])
@pytest.mark.parametrize("name", TALKS)
def test_nobody_is_named(name: str, opened: bool) -> None:  # noqa: FBT001 - pytest's way
    port, talk = TALKS[name]
    for start in range(len(talk) if not opened else 1):
        for size in (1460, 33):
            for facts in overheard(talk[start:], port, size, opened=opened):
                for said in (word for values in facts.values() for word in values):
                    assert not [
                        piece
                        for person in (PERSON, PATIENT)
                        for piece in pieces(person)
                        if piece.lower() in said.lower()
                    ]


@pytest.mark.parametrize("name", TALKS)
def test_whatever_is_cut_or_damaged_nothing_breaks(name: str) -> None:
    known = {key for source in sources() for key in source.keys}
    chance = random.Random(8)
    port, talk = TALKS[name]
    for place, (who, said) in enumerate(talk):
        lengths = range(len(said)) if len(said) < 16 else chance.sample(range(len(said)), 15)
        for one in [said[:length] for length in lengths] + [damaged(said, chance) for _ in range(15)]:
            client, server = overheard([*talk[:place], (who, one), *talk[place + 1 :]], port)
            assert client.keys() | server.keys() <= known


def test_where_a_person_logs_on_the_machine_is_told() -> None:
    for name in ("http with NTLM", "smtp with NTLM", "pop3 with NTLM", "ldap with NTLM", "mssql"):
        port, talk = TALKS[name]
        client, _ = overheard(talk, port)
        assert client["ntlm.version"] == ("5.1.2600",), name
        assert client["ntlm.netbios_name"] == ("WARD-PC-07",), name
