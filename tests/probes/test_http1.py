"""Framing and reading of HTTP/1 answers, honest and hostile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.errors import PeerClosedError, ProbeError, ProtocolError
from scanner.model import Endpoint
from scanner.probes import Peer, Send, http1
from tests.probes.web import NTLM, OLD, head, negotiation

if TYPE_CHECKING:
    from scanner.probes import Framing

CHUNKED = head("200 OK", "Transfer-Encoding: chunked")


def content(block: bytes, body: bytes | None) -> tuple[bytes, bool]:
    """What a conversation makes of a body; None: the peer closes before it is whole."""
    steps = http1.content(http1.parse_head(block))
    try:
        step = next(steps)
        assert isinstance(step, Send)
        assert not step.data
        if body is None:
            steps.throw(PeerClosedError())
        length = step.until(body or b"")
        assert length is not None
        assert 0 < length <= step.limit
        steps.send((body or b"")[:length])
    except StopIteration as end:
        told: tuple[bytes, bool] = end.value
        return told
    raise AssertionError("it goes on")


def framing_of(block: bytes) -> Framing:
    step = next(http1.content(http1.parse_head(block)))
    assert isinstance(step, Send)
    return step.until


def bare(block: bytes) -> bool:
    """Whether no body is waited for."""
    try:
        next(http1.content(http1.parse_head(block)))
    except StopIteration as end:
        return bool(end.value == (b"", True))
    return False


# --- header blocks


def test_a_header_block_ends_at_its_empty_line() -> None:
    block = head("200 OK", "Server: x")
    assert http1.head(block + b"<html>") == len(block)
    assert http1.head(block[:-1]) is None
    assert http1.head(b"HTTP/1.0 200 OK\nServer: x\n\n<html>") == 27


def test_interim_answers_are_a_part_of_it() -> None:
    blocks = head("100 Continue") + head("200 OK", "Server: x")
    assert http1.head(blocks + b"x") == len(blocks)
    assert http1.head(head("100 Continue")) is None
    assert http1.parse_head(blocks).value("server") == b"x"


@pytest.mark.parametrize(
    "raw", [b"SSH-2.0-x\r\n", b"\x15\x03\x01\0\2\2\x28", b"HTTP/2 200", b"RTSP/1.0 200", b"<h"]
)
def test_what_speaks_something_else_is_not_waited_for(raw: bytes) -> None:
    with pytest.raises(ProtocolError):
        http1.head(raw)


def test_a_header_block_that_does_not_end_is_refused() -> None:
    with pytest.raises(ProtocolError):
        http1.head(head("200 OK")[:-2] + b"x: y\r\n" * http1.HEAD)
    with pytest.raises(ProtocolError):
        http1.head(head("100 Continue") * http1.HEAD)


def test_headers_are_read_in_their_order_and_folded_ones_joined() -> None:
    answer = http1.parse_head(
        b"HTTP/1.1 200\r\nA: 1\r\nB:2 \r\n\t3\r\nno colon\r\na:  4\r\n: nameless\r\n\r\n"
    )
    assert tuple(answer) == (
        200,
        1,
        (("a", b"1"), ("b", b"2  3"), ("no colon", b""), ("a", b"4"), ("", b"nameless")),
    )
    assert answer.values("a") == (b"1", b"4")
    assert answer.value("c") == b""


def test_only_so_many_headers_are_read() -> None:
    assert len(http1.parse_head(head("200 OK", *["x: y"] * 1000)).headers) == 64


@pytest.mark.parametrize(
    ("version", "option", "goes_on"),
    [("1.1", "", True), ("1.1", "Close", False), ("1.0", "", False), ("1.0", "Keep-Alive", True)],
)
def test_whether_a_connection_goes_on(version: str, option: str, goes_on: bool) -> None:  # noqa: FBT001 - a table
    assert http1.parse_head(head("200 OK", f"Connection: {option}", version=version)).persistent is goes_on


# --- bodies


@pytest.mark.parametrize(
    "block", [head("204 No Content"), head("304 Not Modified"), head("200 OK", "Content-Length: 0")]
)
def test_where_no_body_comes_none_is_waited_for(block: bytes) -> None:
    assert bare(block)


def test_a_body_with_a_length() -> None:
    assert content(head("200 OK", "Content-Length: 3"), b"abcdef") == (b"abc", True)
    assert framing_of(head("200 OK", "Content-Length: 3"))(b"ab") is None


@pytest.mark.parametrize("length", ["9" * 16, "70000", str(http1.BODY + 1)])
def test_a_body_that_is_too_long_is_heard_in_part(length: str) -> None:
    block = head("200 OK", f"Content-Length: {length}")
    assert content(block, b"x" * (http1.BODY + 10)) == (b"x" * http1.BODY, False)


@pytest.mark.parametrize("length", ["-1", "1,2", "0x10", "²", ""])
def test_a_length_that_is_none_is_as_if_it_were_not_there(length: str) -> None:
    assert content(head("200 OK", f"Content-Length: {length}"), b"<body>") == (b"<body", False)


def test_a_body_in_chunks() -> None:
    body = b"3\r\nabc\r\n0a;name=value\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n"
    assert content(CHUNKED, body + b"HTTP/1.1") == (b"abc0123456789", True)
    until = framing_of(CHUNKED)
    assert [until(body[:end]) for end in range(len(body) + 1)] == [None] * len(body) + [len(body)]


def test_chunks_that_do_not_end_are_heard_in_part() -> None:
    assert content(CHUNKED, b"ffffffff\r\n" + b"x" * http1.BODY) == (b"x" * (http1.BODY - 10), False)
    assert content(CHUNKED, b"1\r\nx\r\n" * http1.BODY)[1] is False


@pytest.mark.parametrize("body", [b"xyz\r\n", b"\r\n", b"-1\r\n", b"9" * 9 + b"\r\n", b"1" * 300])
def test_what_is_no_chunk_is_refused(body: bytes) -> None:
    with pytest.raises(ProtocolError):
        framing_of(CHUNKED)(body)


def test_a_body_that_ends_by_closing_is_heard_up_to_its_title() -> None:
    block = head("200 OK")
    assert content(block, b"<TITLE>a</TITLE >rest") == (b"<TITLE>a</TITLE >", False)
    assert content(block, b"<head></head><body class=x>") == (b"<head></head><body", False)
    assert content(block, b"x" * http1.BODY) == (b"x" * http1.BODY, False)
    assert content(block, None) == (b"", False)


@given(
    st.sampled_from([head("200 OK"), CHUNKED, head("200 OK", "Content-Length: 9")]), st.binary(max_size=80)
)
def test_any_body_is_framed_or_refused(block: bytes, body: bytes) -> None:
    try:
        length = framing_of(block)(body)
    except ProtocolError:
        return
    assert length is None or 0 < length <= len(body)


@given(st.binary(max_size=120))
def test_any_header_block_is_read_or_refused(raw: bytes) -> None:
    for block in (raw, b"HTTP/1.1 401 \r\n" + raw, b"HTTP/1.1 401\nWWW-Authenticate: NTLM " + raw + b"\n\n"):
        try:
            http1.challenge(http1.parse_head(block))
        except ProbeError:
            continue


# --- what is said in them


@pytest.mark.parametrize(
    ("page", "title"),
    [
        (b"<title>Ward 7</title>", "Ward 7"),
        (
            b'<TITLE lang="fr">\r\n\tSalle d&#233;attente &amp;\r\n  accueil </TITLE>',
            "Salle d\u00e9attente & accueil",
        ),
        ("<title>Réanimation</title>".encode(), "Réanimation"),
        ("<title>Réanimation</title>".encode("latin-1"), "Réanimation"),
        (b"<title>a&#7;b&#x202e;c</title>", "ab\ufffdc"),
        (b"<title>" + b"x" * 9999, "x" * 256),
        (b"<title></title>", ""),
        (b"<title> &nbsp; </title>", ""),
        (b"<titles>no</titles>", ""),
        (b"no page", ""),
    ],
)
def test_titles(page: bytes, title: str) -> None:
    assert http1.title(page) == title


@pytest.mark.parametrize(
    ("address", "port", "named"),
    [
        ("192.0.2.7", 80, "192.0.2.7"),
        ("192.0.2.7", 8080, "192.0.2.7:8080"),
        ("2001:db8::7", 443, "[2001:db8::7]"),
        ("fe80::7%eth0", 8443, "[fe80::7]:8443"),
    ],
)
def test_the_server_is_named_by_its_address(address: str, port: int, named: str) -> None:
    said = http1.request(Peer(Endpoint(address, port)), "GET /", "X: y")
    assert said.startswith(b"GET / HTTP/1.1\r\n")
    assert f"\r\nHost: {named}\r\n".encode() in said
    assert said.endswith(b"\r\nX: y\r\n\r\n")


@pytest.mark.parametrize(
    ("headers", "scheme"),
    [
        (("WWW-Authenticate: Negotiate", "WWW-Authenticate: NTLM"), "NTLM"),
        (("WWW-Authenticate: Negotiate, NTLM",), "NTLM"),
        (("WWW-Authenticate: Negotiate",), "Negotiate"),
        (('WWW-Authenticate: Basic realm="ntlm"',), ""),
        ((), ""),
    ],
)
def test_ntlm_is_begun_only_where_it_is_offered(headers: tuple[str, ...], scheme: str) -> None:
    assert http1.offer(http1.parse_head(head("401 Unauthorized", *headers))).partition(" ")[0] == scheme
    assert not http1.offer(http1.parse_head(head("200 OK", *headers)))


@pytest.mark.parametrize("said", [NTLM, negotiation(OLD), NTLM.replace("NTLM", "negotiate", 1)])
def test_a_challenge_is_read_with_spnego_or_without(said: str) -> None:
    answer = http1.parse_head(
        head("401 Unauthorized", "WWW-Authenticate: Basic x", f"WWW-Authenticate: {said}")
    )
    assert http1.challenge(answer)["ntlm.version"] == "5.1.2600"


@pytest.mark.parametrize("said", ["NTLM", "Negotiate", "Basic TlRM", "Negotiate oQcwBaADCgEB"])
def test_a_refusal_without_a_challenge_says_nothing(said: str) -> None:
    assert http1.challenge(http1.parse_head(head("401 Unauthorized", f"WWW-Authenticate: {said}"))) == {}


@pytest.mark.parametrize("said", ["NTLM ?", "NTLM TlRM", "Negotiate " + "A" * 40])
def test_something_else_in_the_place_of_a_challenge_is_refused(said: str) -> None:
    with pytest.raises(ProtocolError):
        http1.challenge(http1.parse_head(head("401 Unauthorized", f"WWW-Authenticate: {said}")))
