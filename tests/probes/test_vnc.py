"""VNC: each version of RFB, refusals, and that nothing is ever chosen."""

from __future__ import annotations

import pytest

from scanner.errors import PeerClosedError, ProtocolError
from scanner.model import Endpoint
from scanner.probes.vnc import PROBE
from tests.probes.conversation import Answer, Heard, Replay
from tests.probes.told import Told


def told(name: str, version: bytes, security: bytes, number: str, *kinds: str, source: str) -> Told:
    answers = [b"RFB " + version + b"\n", security]
    return Told(name, PROBE, [answers], {"vnc.version": number, "vnc.security": kinds}, source)


CONVERSATIONS = (
    told(
        "macOS",
        b"003.889",
        bytes.fromhex("041e212423"),
        "3.889",
        *("apple", "33", "36", "35"),
        source="corpus/pcap/suricata-verify__rfb-partial-tx__in.pcap",
    ),
    told("TigerVNC 1.12", b"003.008", b"\1\2", "3.8", "vnc", source="recorded on loopback"),
    told("x11vnc without a password", b"003.008", b"\1\1", "3.8", "none", source="recorded on loopback"),
    told("RealVNC 5", b"005.000", b"\2\5\2", "5.0", "5", "vnc", source="[RFC 6143] 7.1.1"),
    told("RFB 3.7", b"003.007", b"\2\x10\2", "3.7", "tight", "vnc", source="[RFC 6143] 7.1.2"),
    told("RFB 3.3", b"003.003", b"\0\0\0\2", "3.3", "vnc", source="[RFC 6143] 7.1.2"),
    told("UltraVNC", b"003.006", b"\0\0\0\1", "3.6", "none", source="[RFC 6143] 7.1.1"),
)


def hold(*answers: Answer) -> Heard:
    return Replay([answers]).hold(PROBE, Endpoint("192.0.2.1", 5900))


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (b"003.003", b"003.003"),
        (b"003.005", b"003.003"),
        (b"003.007", b"003.007"),
        (b"003.008", b"003.008"),
        (b"003.889", b"003.008"),
        (b"004.001", b"003.008"),
    ],
)
def test_no_version_is_said_but_a_published_one_and_nothing_after_it(theirs: bytes, ours: bytes) -> None:
    heard = hold(b"RFB " + theirs + b"\n", b"\1\1\0\0", b"never asked for")
    assert heard.said == [b"RFB " + ours + b"\n"]
    assert heard.exchanges == 2


def test_a_server_that_refuses_in_3_3_told_nothing_of_its_version() -> None:
    heard = hold(b"RFB 003.003\n", b"\0\0\0\0")
    assert (heard.evidence, heard.error) == ({}, None)


def test_a_server_that_refuses_later_told_its_version() -> None:
    assert hold(b"RFB 003.008\n", b"\0").evidence == {"vnc.version": "3.8"}
    assert hold(b"RFB 003.008\n", PeerClosedError()).evidence == {"vnc.version": "3.8"}


def test_a_word_of_3_3_that_is_no_type_is_refused() -> None:
    assert isinstance(hold(b"RFB 003.003\n", b"HTTP").error, ProtocolError)


@pytest.mark.parametrize(
    "said", [b"SSH-2.0-x\r\n", b"RFB 3.8\n", b"RFB 003.008\r\n", b"RFB abc.def\n", b"\0"]
)
def test_what_is_no_version_is_refused_at_once(said: bytes) -> None:
    assert isinstance(hold(said).error, ProtocolError)
