"""The HTTP probe: recorded answers, and those of old systems after their specifications."""

from __future__ import annotations

from base64 import b64decode
from hashlib import sha256

import pytest
from impacket import ntlm as other  # type: ignore[import-untyped]  # it has no stubs

from scanner.errors import LimitError, PeerClosedError, ProtocolError
from scanner.model import Endpoint
from scanner.probes import Peer, http, http1
from tests.probes.conversation import Replay
from tests.probes.made import challenge
from tests.probes.told import Told
from tests.probes.web import NTLM, OLD, answer, head, negotiation, page

ICON = b"\0\0\1\0icon"
NAMES = {
    "ntlm.netbios_name": "ward-pc-07",
    "ntlm.netbios_domain": "CHU",
    "ntlm.dns_name": "ward-pc-07.chu.example",
    "ntlm.dns_domain": "chu.example",
    "ntlm.dns_forest": "example",
}
SAID = {**NAMES, "ntlm.challenge": "versioned", "ntlm.version": "5.1.2600"}
NGINX = b"HTTP/1.1 %b\r\nServer: nginx/1.22.1\r\nContent-Type: text/html\r\nContent-Length: %d\r\n%b\r\n"
MOVED = (
    b"<html>\r\n<head><title>302 Found</title></head>\r\n<body>\r\n<hr>nginx/1.22.1\r\n</body>\r\n</html>\r\n"
)
URGENCES = b"<!DOCTYPE html><html><head><title>Urgences</title></head>"
ELSEWHERE = b"Location: http://192.0.2.1/start.html\r\n"
CENTOS = (
    b"HTTP/1.1 403 Forbidden\r\nDate: Mon, 25 Nov 2013 14:55:52 GMT\r\nServer: Apache/2.2.15 (CentOS)\r\n"
    b"Accept-Ranges: bytes\r\nContent-Length: %d\r\nConnection: close\r\n"
    b"Content-Type: text/html; charset=UTF-8\r\n\r\n"
)
CENTOS_PAGE = (
    b'<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.1//EN" "http://www.w3.org/TR/xhtml11/DTD/xhtml11.dtd">\n'
    b"\t<head>\n\t\t<title>Apache HTTP Server Test Page powered by CentOS</title>\n"
)
PASSWORD = (
    b"HTTP/1.1 401 Authorization Required\r\nDate: Mon, 23 Feb 2009 13:31:49 GMT\r\nServer: Apache\r\n"
    b'Www-authenticate: Basic realm="Authentification user password"\r\n'
    b"Vary: accept-language,accept-charset\r\nAccept-ranges: bytes\r\nConnection: close\r\n"
    b"Content-type: text/html; charset=iso-8859-1\r\nContent-language: fr\r\n"
    b"Expires: Mon, 23 Feb 2009 13:31:49 GMT\r\n\r\n"
)
PASSWORD_PAGE = (
    b'<?xml version="1.0" encoding="ISO-8859-1"?>\n<html xmlns="http://www.w3.org/1999/xhtml" lang="fr">\n'
    b"<head>\n<title>Autorisation requise!</title>"
)
ROMPAGER = (
    b"HTTP/1.0 401 Unauthorized\nServer: Allegro-Software-RomPager/4.01\n"
    b'WWW-Authenticate: Digest nonce="abc,NTLM", realm = Ward-3\n\n'
)
IIS_5_1 = (
    "Server: Microsoft-IIS/5.1",
    "Date: Thu, 26 Nov 2026 11:00:00 GMT",
    "Content-Type: text/html",
)
REFUSED = page("You are not authorized to view this page")

CONVERSATIONS = (
    Told(
        "nginx, which leads to another page",
        http.PROBE,
        [
            [
                NGINX % (b"302 Moved Temporarily", len(MOVED), ELSEWHERE),
                MOVED,
                NGINX % (b"200 OK", len(URGENCES), b""),
                URGENCES,
                NGINX % (b"200 OK", len(ICON), b""),
                ICON,
            ]
        ],
        {
            "http.status": "302",
            "http.server": "nginx/1.22.1",
            "http.location": "http://192.0.2.1/start.html",
            "http.title": "Urgences",
            "http.favicon": sha256(ICON).hexdigest(),
        },
        "recorded from Debian's nginx 1.22, abridged; address, title and icon changed",
    ),
    Told(
        "Apache of CentOS 6, which closes",
        http.PROBE,
        [
            [
                CENTOS % len(CENTOS_PAGE),
                CENTOS_PAGE,
            ]
        ],
        {
            "http.status": "403",
            "http.server": "Apache/2.2.15 (CentOS)",
            "http.title": "Apache HTTP Server Test Page powered by CentOS",
        },
        "arkime/arkime, tests/pcap/http-simple-get.pcap; the page cut after its title",
    ),
    Told(
        "Apache that asks for a password, in a body without a length",
        http.PROBE,
        [
            [
                PASSWORD,
                PASSWORD_PAGE,
            ]
        ],
        {
            "http.status": "401",
            "http.server": "Apache",
            "http.authenticate": ('Basic realm="Authentification user password"',),
            "http.title": "Autorisation requise!",
        },
        "OISF/suricata-verify, tests/bug-130; some lines of the page left out",
    ),
    Told(
        "IIS 5.1 of Windows XP, which closes after a refusal",
        http.PROBE,
        [
            answer(
                REFUSED,
                "401 Access Denied",
                *IIS_5_1,
                "WWW-Authenticate: Negotiate",
                "WWW-Authenticate: NTLM",
                "Connection: close",
            ),
            answer(b"", "401 Access Denied", *IIS_5_1, f"WWW-Authenticate: {NTLM}", "Content-Length: 4431"),
        ],
        {
            "http.status": "401",
            "http.server": "Microsoft-IIS/5.1",
            "http.authenticate": ("Negotiate", "NTLM"),
            "http.title": "You are not authorized to view this page",
            **SAID,
        },
        "built from [MS-NTHT] 2.2 and 4.1",
    ),
    Told(
        "IIS 6.0 of Server 2003, which offers Negotiate alone",
        http.PROBE,
        [
            [
                *answer(
                    REFUSED,
                    "401 Unauthorized",
                    "Server: Microsoft-IIS/6.0",
                    "WWW-Authenticate: Negotiate",
                    "X-Powered-By: ASP.NET",
                    "X-AspNet-Version: 1.1.4322",
                ),
                *answer(b"", "401 Unauthorized", f"WWW-Authenticate: {negotiation(OLD)}"),
            ]
        ],
        {
            "http.status": "401",
            "http.server": "Microsoft-IIS/6.0",
            "http.authenticate": ("Negotiate",),
            "http.powered_by": ("ASP.NET", "ASP.NET 1.1.4322"),
            "http.title": "You are not authorized to view this page",
            **SAID,
        },
        "built from [RFC 4559] and [MS-NTHT]",
    ),
    Told(
        "a device over TLS that closes after each answer without a word",
        http.PROBE,
        [
            [
                b"\x03\x01",
                *answer(b"", "302 Found", "Server: Embedded", "Location: https://192.0.2.1/login;x#top"),
            ],
            [
                b"\x03\x01",
                head("401 Unauthorized", "Transfer-Encoding: chunked", "WWW-Authenticate: NTLM"),
                b"20\r\n<html><title>Pump gateway</title\r\n2\r\n>\n\r\n0\r\n\r\n",
                *answer(b"", "401 Unauthorized", f"WWW-Authenticate: {NTLM}"),
            ],
        ],
        {
            "http.status": "302",
            "http.server": "Embedded",
            "http.location": "https://192.0.2.1/login;x#top",
            "http.title": "Pump gateway",
            "http.authenticate": ("NTLM",),
            "tls.version": ("TLS 1.0",),
            **SAID,
        },
        "built from [RFC 9112] 7.1 and 9.3",
        service=8443,
    ),
    Told(
        "a device of HTTP/1.0, with a word in the realm",
        http.PROBE,
        [
            [
                ROMPAGER,
                PeerClosedError(),
            ]
        ],
        {
            "http.status": "401",
            "http.server": "Allegro-Software-RomPager/4.01",
            "http.authenticate": ('Digest realm="Ward-3"',),
        },
        "built from [RFC 1945] 6 and [RFC 7616] 3.3",
    ),
)


def test_what_is_sent_names_us_and_nobody_else() -> None:
    heard = CONVERSATIONS[3].hold()
    first, second = heard.said
    assert first == (
        b"GET / HTTP/1.1\r\nHost: 192.0.2.1\r\nUser-Agent: vetuste (inventory of unmaintained systems)\r\n"
        b"Accept: */*\r\nAccept-Encoding: identity\r\nConnection: keep-alive\r\n\r\n"
    )
    token = b64decode(second.partition(b"Authorization: NTLM ")[2].strip())
    offer = other.NTLMAuthNegotiate()
    offer.fromString(token)
    assert offer["message_type"] == 1
    assert offer["host_name"] == offer["domain_name"] == b"", "nobody is named"


def test_the_most_that_it_may_cost() -> None:
    elsewhere = head("307 Temporary Redirect", "Content-Length: 1", f"Location: /{'x' * 200}")
    last = [*answer(b"x"), *answer(b"x")]
    heard = Replay([[b"\3\3", elsewhere, b"x", PeerClosedError()], [b"\3\3", *last]]).hold(
        http.PROBE, Endpoint("192.0.2.1", 8443)
    )
    assert heard.error is None
    assert heard.exchanges == http.PROBE.exchanges
    assert heard.connections == http.PROBE.connections
    assert sum(map(len, heard.said)) <= http.PROBE.size


@pytest.mark.parametrize(
    ("location", "path"),
    [
        ("/start.html", "/start.html"),
        ("start.html", "/start.html"),
        ("http://192.0.2.1/start.html#top", "/start.html"),
        ("http://192.0.2.1:80/start.html", "/start.html"),
        ("https://192.0.2.1/start.html", ""),
        ("http://192.0.2.2/start.html", ""),
        ("http://ward.example/", ""),
        ("//ward.example/start.html", ""),
        ("/reboot?now=yes", ""),
        ("/", ""),
        ("", ""),
        ("/a b", ""),
        ("/\u00e9", ""),
        ("/" + "x" * 300, ""),
        ("javascript:alert(1)", "/javascript:alert(1)"),
    ],
)
def test_only_plain_pages_of_the_same_server_are_followed(location: str, path: str) -> None:
    said = http1.parse_head(head("301 Moved", f"Location: {location}"))
    peer = Peer(Endpoint("192.0.2.1", 80))
    assert http.next_path(peer, said) == path
    assert not http.next_path(peer, http1.parse_head(head("200 OK", f"Location: {location}")))


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (['Basic realm="a, b"'], (b'Basic realm="a, b"',)),
        (["Negotiate, NTLM"], (b"Negotiate", b"NTLM")),
        (
            ['Digest realm="x", nonce="n", qop="auth", Basic realm="y"'],
            (b'Digest realm="x"', b'Basic realm="y"'),
        ),
        ([NTLM], (b"NTLM",)),
        (['realm="nobody"', "", ",,,", '"', "="], ()),
    ],
)
def test_schemes_and_realms(said: list[str], told: tuple[bytes, ...]) -> None:
    assert http.parse_challenges(each.encode() for each in said) == told


def test_without_another_connection_what_is_known_stands() -> None:
    first = CONVERSATIONS[3].connections[0]
    for refused in (LimitError(), PeerClosedError()):
        heard = Replay([first, refused]).hold(http.PROBE, Endpoint("192.0.2.1", 80))
        assert heard.error is None
        assert heard.evidence["http.server"] == "Microsoft-IIS/5.1"
        assert "ntlm.version" not in heard.evidence


@pytest.mark.parametrize("raw", [b"SSH-2.0-OpenSSH_5.1\r\n", b"\x16\x03\x01\0\x31", b"220 ready\r\n", b""])
def test_another_protocol_on_the_port(raw: bytes) -> None:
    heard = Replay([[raw]]).hold(http.PROBE, Endpoint("192.0.2.1", 80))
    assert isinstance(heard.error, ProtocolError if raw else PeerClosedError)
    assert not heard.evidence


def test_a_page_that_never_ends_is_told_as_such() -> None:
    heard = Replay([[head("200 OK", "Server: camera"), LimitError()]]).hold(
        http.PROBE, Endpoint("192.0.2.1", 80)
    )
    assert isinstance(heard.error, LimitError)
    assert heard.evidence == {"http.status": "200", "http.server": "camera"}


def test_icons_that_are_none_say_nothing() -> None:
    for icon in (answer(b"x", "404 Not Found"), answer(b""), (head("200 OK"), b"<body>")):
        heard = Replay([[*answer(page("a")), *icon]]).hold(http.PROBE, Endpoint("192.0.2.1", 80))
        assert heard.evidence == {"http.status": "200", "http.title": "a"}
        assert heard.connections == 1


# --- what is kept


def test_what_names_people_or_sessions_is_not_kept() -> None:
    kept, body, tls = http.PROBE.redact(
        (
            head(
                "200 Hello Dupont",
                "Server: x",
                "Set-Cookie: session=Dupont",
                "X-User: Dupont",
                " folded Dupont",
                "Location: /a?user=Dupont",
                f"WWW-Authenticate: {NTLM}",
                "WWW-Authenticate: Negotiate " + "A" * 40,
                "no colon Dupont",
            ),
            b"<p>Dupont<title>Ward</title><p>Dupont",
            b"\3\3CN=Dupont",
        )
    )
    assert b"Dupont" not in kept
    for said in (b"HTTP/1.1 200\n", b"Server: x\r\n", b"Set-Cookie:\n", b"Location: /a\n"):
        assert said in kept
    token = b64decode(kept.partition(b"NTLM ")[2].partition(b"\r")[0])
    assert token == challenge().replace(b"8 bytes!", bytes(8))
    assert (body, tls) == (b"<title>Ward", b"\3\3")


@pytest.mark.parametrize("length", range(0, 64, 4))
def test_a_challenge_that_is_cut_is_redacted_as_far_as_it_goes(length: int) -> None:
    said = head("401 x", "WWW-Authenticate: NTLM " + NTLM[5 : 5 + length])
    assert b"8 bytes!" not in b64decode(http.PROBE.redact((said,))[0].partition(b"NTLM ")[2].strip())
