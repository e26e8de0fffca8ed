"""RPC as it is heard: binds of both ends, what they agree on, and what breaks off."""

from __future__ import annotations

import random
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.probes import dcerpc, msrpc
from tests.capture.microsoft import (
    CLIENT,
    PERSON,
    SERVER,
    Heard,
    authenticate,
    client,
    conversation,
    frames,
    heard,
    negotiate,
    server,
    utf16,
)
from tests.corpus import CORPUS
from tests.probes.damage import damaged

CHALLENGE = (
    b"NTLMSSP\0\2\0\0\0" + struct.pack("<HHII", 0, 0, 56, 0xA2898205) + bytes(24) + b"\6\1\xb1\x1d\0\0\0\x0f"
)
REAL = [] if CORPUS is None else ["suricata-verify__dcerpc__dcerpc-ctxids.pcap"]


def _message(kind: int, body: bytes, token: bytes = b"", call: int = 1) -> bytes:
    if token:
        body += bytes(-len(body) % 4) + struct.pack("<BBBxI", 10, 2, 0, 0) + token
    head = struct.pack("<BBBB4sHHI", 5, 0, kind, 3, b"\x10\0\0\0", 16 + len(body), len(token), call)
    return head + body


def _answer(*results: tuple[int, int], token: bytes = b"", kind: int = 12) -> bytes:
    body = struct.pack("<HHIH", 5840, 5840, 1, 4) + b"135\0" + bytes(2) + struct.pack("<Bxxx", len(results))
    return _message(kind, body + b"".join(struct.pack("<HH20x", *each) for each in results), token)


def _said(*messages: bytes, port: int = 49700) -> Heard:
    """Messages of both ends in turn, the client's first."""
    said = [(server if number % 2 else client)(each) for number, each in enumerate(messages)]
    return heard(conversation(said, port), "msrpc")


def test_both_ends_on_any_port() -> None:
    bind = dcerpc.bind((msrpc.EXPORTER, dcerpc.NDR), (msrpc.EXPORTER, dcerpc.NDR64), token=negotiate())
    last = _message(16, bytes(4), authenticate())
    found = _said(bind, _answer((2, 2), (0, 0), token=CHALLENGE), last)
    assert found == {
        (CLIENT, 0, "ntlm.version"): ("5.1.2600",),
        (CLIENT, 0, "ntlm.netbios_name"): ("POSTE-7",),
        (SERVER, 49700, "ntlm.challenge"): ("versioned",),
        (SERVER, 49700, "ntlm.version"): ("6.1.7601",),
        (SERVER, 49700, "msrpc.ndr64"): ("yes",),
    }


@pytest.mark.parametrize("results", [((0, 0), (2, 2)), ((0, 0), (3, 3)), ((0, 0),), ()])
def test_that_it_was_not_agreed_says_nothing(results: tuple[tuple[int, int], ...]) -> None:
    bind = dcerpc.bind((msrpc.EXPORTER, dcerpc.NDR), (msrpc.EXPORTER, dcerpc.NDR64))
    assert not _said(bind, _answer(*results), port=135)


def test_an_answer_alone() -> None:
    found = heard(conversation([server(_answer((0, 0), token=CHALLENGE))], 135, opened=False), "msrpc")
    assert found[SERVER, 135, "ntlm.version"] == ("6.1.7601",)
    assert (SERVER, 135, "msrpc.ndr64") not in found


def _alive(addresses: bytes) -> bytes:
    stub = (
        struct.pack("<HHII", 5, 6, 1, 0)
        + struct.pack("<HH", len(addresses) // 2, len(addresses) // 2)
        + addresses
    )
    return struct.pack("<IHH", len(stub), 0, 0) + stub


def test_an_exporter_is_asked_for_its_version() -> None:
    bind = dcerpc.bind((msrpc.EXPORTER, dcerpc.NDR))
    bindings = b"\x07\0" + utf16("192.0.2.2[135]\0") + b"\0\0"
    found = _said(bind, _answer((0, 0)), msrpc.SERVER_ALIVE, _message(2, _alive(bindings), call=2), port=135)
    assert found == {
        (SERVER, 135, "msrpc.com_version"): ("5.6",),
        (SERVER, 135, "msrpc.addresses"): ("192.0.2.2",),
    }


def test_what_others_ask_tells_nothing() -> None:
    bind = dcerpc.bind((dcerpc.syntax("e1af8308-5d1f-11c9-91a4-08002b14a0fa", 3), dcerpc.NDR))
    answer = _message(2, _alive(utf16(PERSON)), call=2)
    assert not _said(bind, _answer((0, 0)), msrpc.SERVER_ALIVE, answer, port=135)
    exporter = dcerpc.bind((msrpc.EXPORTER, dcerpc.NDR))
    assert not _said(exporter, _answer((0, 0)), dcerpc.request(0, 4, 2), answer, port=135)


@pytest.mark.parametrize("file", REAL)
def test_a_real_capture(file: str) -> None:
    assert CORPUS is not None
    found = heard(frames(CORPUS / "pcap" / file), "msrpc")
    assert found["192.168.56.101", 135, "ntlm.version"] == ("10.0.14393",)
    assert found["192.168.56.101", 135, "msrpc.com_version"] == ("5.7",)
    assert found["192.168.56.102", 0, "ntlm.version"] == ("10.0.19041",)


def test_damage_raises_nothing_and_names_nobody() -> None:
    chance = random.Random(8)
    bind = dcerpc.bind((msrpc.EXPORTER, dcerpc.NDR), token=negotiate())
    messages = (bind, _answer((0, 0), token=CHALLENGE), _message(16, bytes(4), authenticate()))
    for _ in range(500):
        assert PERSON not in str(_said(*(damaged(each, chance) for each in messages)))


def test_cut_anywhere() -> None:
    bind = dcerpc.bind((msrpc.EXPORTER, dcerpc.NDR), token=negotiate())
    for message in (bind, _message(16, bytes(4), authenticate())):
        for end in range(len(message)):
            assert not _said(message[:end])


@given(st.binary(max_size=100))
@settings(max_examples=150)
def test_any_bytes(data: bytes) -> None:
    for kind in (11, 12, 16):
        _said(_message(kind, data), _message(kind, data, b"NTLMSSP\0" + data))
