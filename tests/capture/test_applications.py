"""What each protocol over TCP tells by listening, beside what the active side asks as well."""

from __future__ import annotations

import ssl
import struct
from base64 import b64encode

import pytest

from scanner.probes import mssql, ntlm, rdp
from tests.capture.flows import ANSWERS, ASKS, frames_of, heard, overheard
from tests.probes import made, made_tls

XP = "Microsoft-CryptoAPI/5.131.2600.5512"
GET = b"GET / HTTP/1.1\r\nHost: ward.example\r\n%s\r\n"


def agent(name: str, *headers: str) -> bytes:
    return GET % b"".join(f"{line}\r\n".encode() for line in (f"User-Agent: {name}", *headers))


def answer(*headers: str, body: bytes = b"", status: int = 200) -> bytes:
    said = (f"HTTP/1.1 {status} Word", f"Content-Length: {len(body)}", *headers, "", "")
    return "\r\n".join(said).encode() + body


def test_several_programs_of_one_machine_are_heard_and_no_more_than_a_few() -> None:
    names = [XP, "Windows-Update-Agent", "Microsoft BITS/6.7", "Microsoft-WebDAV-MiniRedir/5.1.2600", "a/5"]
    talk = [(ASKS, agent(name)) for name in names]
    client, server = overheard(talk, 80)
    assert client == {"http.user_agent": tuple(names[:4])}
    assert not server


def test_a_body_is_passed_over() -> None:
    body = b"User-Agent: PATIENT-SECRET\r\n\r\n" * 3000
    first = b"POST /a HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body)
    client, _ = overheard([(ASKS, first + body), (ASKS, agent(XP))], 80)
    assert client == {"http.user_agent": (XP,)}


def test_a_body_of_unknown_length_ends_it() -> None:
    first = b"POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert overheard([(ASKS, first), (ASKS, agent(XP))], 80) == ({}, {})


@pytest.mark.parametrize("header", ["Via: 1.1 proxy", "X-Forwarded-For: 10.0.0.9", "Forwarded: for=10.0.0.9"])
def test_a_proxy_speaks_for_others(header: str) -> None:
    assert overheard([(ASKS, agent(XP, header))], 80) == ({}, {})


@pytest.mark.parametrize("header", ["Via: 1.1 proxy", "Age: 7", "X-Cache: HIT from proxy"])
def test_an_answer_of_another_is_not_the_hosts(header: str) -> None:
    assert overheard([(ASKS, GET % b""), (ANSWERS, answer("Server: IIS", header))], 80) == ({}, {})


def test_what_is_asked_of_a_proxy_is_answered_by_others() -> None:
    asked = agent(XP).replace(b"GET /", b"GET http://elsewhere.example/")
    client, server = overheard([(ASKS, asked), (ANSWERS, answer("Server: IIS"))], 3128)
    assert client == {"http.user_agent": (XP,)}
    assert not server


def test_what_is_behind_a_tunnel_is_not_the_proxys() -> None:
    hello = made_tls.record(made_tls.server_hello() + made_tls.certificates(b"0"))
    asked = b"CONNECT elsewhere.example:443 HTTP/1.1\r\nUser-Agent: one/1\r\n\r\n"
    talk = [
        (ASKS, asked),
        (ANSWERS, b"HTTP/1.1 200 Established\r\n\r\n"),
        (ASKS, client_hello()),
        (ANSWERS, hello),
    ]
    assert overheard(talk, 3128) == ({"http.user_agent": ("one/1",)}, {})


def test_ntlm_of_both_ends_in_http() -> None:
    first, challenge = b64encode(ntlm.NEGOTIATE).decode(), b64encode(made.challenge()).decode()
    talk = [
        (ASKS, agent("one", f"Authorization: NTLM {first}")),
        (ANSWERS, answer(f"WWW-Authenticate: NTLM {challenge}", status=401)),
    ]
    assert overheard(talk, 80)[1]["ntlm.version"] == ("5.1.2600",)
    proxy = [(who, said.replace(b"WWW-A", b"Proxy-A").replace(b"401", b"407")) for who, said in talk]
    assert overheard(proxy, 3128)[1]["ntlm.version"] == ("5.1.2600",)


def test_a_title_is_told_of_the_front_page_alone() -> None:
    page = answer("Content-Type: text/html", "Set-Cookie: ASPSESSIONIDX=1", body=b"<title>IIS</title><body>")
    assert overheard([(ASKS, GET % b""), (ANSWERS, page)], 80)[1] == {
        "http.title": ("IIS",),
        "http.cookie": ("ASPSESSIONIDX",),
    }
    for known in (
        GET.replace(b"/ ", b"/?patient=7 ") % b"",
        GET % b"Cookie: a=b\r\n",
        GET % b"Authorization: Basic eA==\r\n",
    ):
        assert not overheard([(ASKS, known), (ANSWERS, page)], 80)[1]
    assert (
        "http.title"
        not in overheard([(ASKS, GET.replace(b"/ ", b"/patient ") % b""), (ANSWERS, page)], 80)[1]
    )
    assert not overheard([(ANSWERS, page)], 80)[1], "nobody was heard to ask"
    assert not overheard([(ASKS, GET % b""), (ANSWERS, page)], 80, opened=False)[1], (
        "it may be another's answer"
    )


def client_hello(latest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2) -> bytes:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.maximum_version = latest
    said = ssl.MemoryBIO()
    connection = context.wrap_bio(ssl.MemoryBIO(), said, server_hostname="ward.example")
    with pytest.raises(ssl.SSLWantReadError):
        connection.do_handshake()
    return said.read()


def server_hello_13() -> bytes:
    extensions = struct.pack(">HHHHH", 6, 43, 2, 0x0304, 0)[:8]
    return made_tls.message(2, b"\3\3" + bytes(32) + b"\0" + b"\x13\1\0" + extensions)


def test_what_tls_offers_and_agrees_to() -> None:
    modern = (ASKS, client_hello(ssl.TLSVersion.TLSv1_3))
    client, server = overheard([modern, (ANSWERS, made_tls.record(server_hello_13(), 0x0303))], 443)
    assert (client, server) == ({"tls.offered": ("TLS 1.3",)}, {"tls.version": ("TLS 1.3",)})
    client, _ = overheard([(ASKS, client_hello())], 443)
    assert client == {"tls.offered": ("TLS 1.2",)}


def test_a_session_that_is_resumed_has_no_certificate() -> None:
    resumed = made_tls.record(made_tls.server_hello()) + made_tls.record(b"\1", kind=20)
    assert overheard([(ANSWERS, resumed)], 443)[1] == {"tls.version": ("TLS 1.0",)}


NEGOTIATION = struct.pack("<BBHI", 1, 0, 8, 1)
"""[MS-RDPBCGR] 2.2.1.1.1: a client that knows TLS, and no CredSSP."""
XP_CONFIRM = bytes.fromhex("0300000b06d00000123400")


def request(cookie: bytes = b"", negotiation: bytes = b"") -> bytes:
    x224 = b"\xe0" + bytes(5) + cookie + negotiation
    return b"\3\0" + struct.pack(">HB", 5 + len(x224), len(x224)) + x224


def settings(build: int, name: str) -> bytes:
    """[MS-RDPBCGR] 4.1.3: MCS Connect Initial, with the settings of the client's core alone."""
    core = struct.pack("<IHHHHII", 0x00080004, 1024, 768, 0xCA01, 0xAA03, 0x40C, build)
    core += name.encode("utf-16-le").ljust(32, b"\0") + bytes(64)
    block = struct.pack("<HH", 0xC001, 4 + len(core)) + core
    gcc = bytes.fromhex("000500147c00018100 0008001000 01c000".replace(" ", "")) + b"Duca"
    user_data = gcc + struct.pack(">H", 0x8000 | len(block)) + block
    element = made_tls.element
    inside = element(4, b"\1") * 2 + element(1, b"\xff") + element(0x30, b"") * 3 + element(4, user_data)
    mcs = b"\x7f" + element(0x65, inside)
    return b"\3\0" + struct.pack(">H", 7 + len(mcs)) + b"\2\xf0\x80" + mcs


def test_a_client_of_rdp_without_tls_says_its_build_and_its_name() -> None:
    talk = [
        (ASKS, request(b"Cookie: mstshash=PERSONNE-N\r\n")),
        (ANSWERS, XP_CONFIRM),
        (ASKS, settings(2600, "WARD-PC-07")),
    ]
    client, server = overheard(talk, 3389)
    assert client == {"rdp.client_build": ("2600",), "netbios.name": ("WARD-PC-07",)}
    assert not server, "who does not offer TLS learns nothing of it"


@pytest.mark.parametrize("name", ["ward-pc.chu.exam", "Personne Nommée", "", "1234"])
def test_what_may_be_no_machines_name_is_none(name: str) -> None:
    talk = [(ASKS, request(negotiation=NEGOTIATION)), (ASKS, settings(7601, name))]
    assert overheard(talk, 3389)[0] == {"rdp.client_build": ("7601",)}


def test_who_was_not_asked_for_credssp_says_nothing_of_it() -> None:
    confirm = bytes.fromhex("030000130ed000001234000201080001000000")
    _, server = overheard([(ASKS, request(negotiation=NEGOTIATION)), (ANSWERS, confirm)], 3389)
    assert server == {"rdp.flags": ("extended-client-data",)}
    _, server = overheard([(ASKS, rdp.REQUEST), (ANSWERS, confirm)], 3389)
    assert server["rdp.negotiation"] == ("tls",)


def test_other_protocols_over_x224_are_not_rdp() -> None:
    mms = bytes.fromhex("0300001611e00000000100c0010ac1020001c2020001")
    confirm = bytes.fromhex("0300000b06d00000000100")
    assert overheard([(ASKS, mms), (ANSWERS, confirm)], 102) == ({}, {})


def login(host: str, user: str, sspi: bytes = b"") -> bytes:
    """[MS-TDS] 2.2.6.4."""
    names = [host, user, "PERSONNE-SECRET", "an application", "a server", "", "OLEDB", "", "a database"]
    at, pairs, data = 36 + 9 * 4 + 6 + 12, b"", b""
    for each in names:
        raw = each.encode("utf-16-le")
        pairs += struct.pack("<HH", at + len(data), len(each))
        data += raw
    pairs += bytes(6) + struct.pack("<HH", at + len(data), len(sspi)) + bytes(8)
    body = struct.pack("<I", 4 + 32 + len(pairs) + len(data + sspi)) + bytes(32) + pairs + data + sspi
    return struct.pack(">BBHHBB", 0x10, 1, 8 + len(body), 0, 1, 0) + body


def test_a_client_of_sql_server_says_its_machine_and_its_library() -> None:
    talk = [(ASKS, mssql.REQUEST), (ASKS, login("WARD-PC-07", "PERSONNE-NOMMEE"))]
    assert overheard(talk, 1433)[0] == {"netbios.name": ("WARD-PC-07",), "mssql.library": ("OLEDB",)}


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (b"EHLO ward-pc-07.chu.example\r\n", {"smtp.helo": ("ward-pc-07.chu.example",)}),
        (b"helo WARD-PC-07\r\n", {"smtp.helo": ("WARD-PC-07",)}),
        (b"EHLO [10.0.0.7]\r\n", {}),
        (b"EHLO 10.0.0.7\r\n", {}),
        (b"EHLO personne@chu.example\r\n", {}),
    ],
)
def test_the_name_of_a_client_of_mail(said: bytes, told: dict[str, tuple[str, ...]]) -> None:
    assert overheard([(ASKS, said), (ASKS, b"MAIL FROM:<personne@chu.example>\r\n")], 25)[0] == told


def test_tls_behind_starttls() -> None:
    talk = [
        (ANSWERS, b"220 mail.chu.example ready\r\n"),
        (ASKS, b"EHLO ward\r\n"),
        (ANSWERS, b"250-mail\r\n250 STARTTLS\r\n"),
        (ASKS, b"STARTTLS\r\n"),
        (ANSWERS, b"220 2.0.0 go on\r\n"),
        (ASKS, client_hello()),
        (ANSWERS, made_tls.record(made_tls.server_hello())),
    ]
    client, server = overheard(talk, 25)
    assert client == {"smtp.helo": ("ward",), "tls.offered": ("TLS 1.2",)}
    assert server["tls.version"] == ("TLS 1.0",)


def test_a_connection_knows_whether_its_beginning_was_heard() -> None:
    talk = [(ANSWERS, b"+OK ready\r\n")]
    assert overheard(talk, 110)[1] == {"pop3.banner": ("ready",)}
    assert not overheard(talk, 110, opened=False)[1]


def test_the_first_segment_may_come_second() -> None:
    frames = frames_of([(ANSWERS, b"+OK Microsoft Exchange ready\r\n")], 110, 12)
    frames[2], frames[3] = frames[3], frames[2]
    assert heard(frames)[1] == {"pop3.banner": ("Microsoft Exchange ready",)}


@pytest.mark.parametrize(
    ("port", "pieces", "told"),
    [
        (
            80,
            (b"HTTP/1.0 ", b"200 OK\r\nServer: ", b"Rapid Logic/1.1\r\n\r\n"),
            {"http.server": ("Rapid Logic/1.1",)},
        ),
        (25, (b"220 ", b"ward ready\r\n"), {"smtp.banner": ("ward ready",)}),
        (
            443,
            (made_tls.record(made_tls.server_hello())[:5], made_tls.server_hello()),
            {"tls.version": ("TLS 1.0",)},
        ),
    ],
)
def test_some_devices_write_piece_by_piece(
    port: int, pieces: tuple[bytes, ...], told: dict[str, tuple[str, ...]]
) -> None:
    assert overheard([(ANSWERS, piece) for piece in pieces], port)[1] == told
